using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Kernels;
using Gradpath.Kernels.Circuits;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>
/// AtP*'s QK fix: how a head's mixed values change when the edge from one writer into its queries, or into its keys, carries the writer's
/// ablated output. LayerNorm, projection and softmax are computed, not linearised:
///
///     effect[u] = softmax(q(x + delta_u) k^T) v - z   (for keys: q k(x + delta_u)^T),   score[u] = effect[u] . dL/dz
///
/// Each edge changes its reader at every position at once, as patching the edge does.
/// </summary>
internal sealed class SoftmaxEffects : ResourceOwner
{
    private readonly Gpt2Weights _weights;
    private readonly Gpt2Config _config;
    private readonly ComputationGraph _graph;
    private readonly Device _device;
    private readonly Tensor[] _heads;
    private readonly Tensor[] _keyBias;
    private readonly Tensor _input;
    private readonly Tensor _mean;
    private readonly Tensor _rstd;
    private readonly Tensor _normed;
    private readonly Tensor _answers;
    private readonly Tensor _qkv;
    private readonly Tensor _probabilities;
    private readonly Tensor _mixed;
    private readonly Tensor _effects;
    private readonly Tensor _gradients;

    /// <summary>Allocates for the largest batch.</summary>
    /// <param name="context">The run.</param>
    /// <param name="one">The largest batch, one copy.</param>
    public SoftmaxEffects(RunContext context, PassCapacity one)
    {
        (_weights, _config, _graph, _device) = (context.Weights, context.Config, context.Graph, context.Device);
        int d = _config.Width;
        _heads = [.. Enumerable.Range(0, _config.Heads).Select(h =>
            Own(_device.StoreTensor([.. Enumerable.Range(0, _config.Heads).Select(other => other == h ? 1f : 0)], _config.Heads)))];
        _keyBias = [.. _weights.Layers.Select(l => l.QkvBias.Slice(d, d))];
        _input = Own(_device.Allocate(one.Rows, d));
        _mean = Own(_device.Allocate(one.Rows));
        _rstd = Own(_device.Allocate(one.Rows));
        _normed = Own(_device.Allocate(one.Rows, d));
        _answers = Own(_device.Allocate(one.Sequences, d));
        _qkv = Own(_device.Allocate(one.Rows, 3 * d));
        long perHead = Math.Max(one.ProbabilitiesPerHead, one.FinalProbabilitiesPerHead);
        _probabilities = Own(_device.Allocate(checked((int)(_config.Heads * perHead))));
        _mixed = Own(_device.Allocate(one.Rows, d));
        _effects = Own(_device.Allocate(_graph.HeadRow(_config.Layers - 1, 0), one.Rows, d));
        _gradients = Own(_device.Allocate(_config.Heads, one.Rows, d));
    }

    /// <summary>Computes the effects of all writers before a layer, each by itself and all heads of the layer at once.</summary>
    /// <param name="shape">A pass of one copy.</param>
    /// <param name="a">The clean run's activations, with all layers' writers kept.</param>
    /// <param name="delta">The writers' differences, not weighted.</param>
    /// <param name="layer">Index of the layer.</param>
    /// <param name="input">Queries or keys.</param>
    public void Measure(PassShape shape, Activations a, WriterDifferences delta, int layer, HeadInput input)
    {
        Gpt2Layer w = _weights.Layers[layer];
        (int d, int rows) = (_config.Width, shape.Rows);
        SequenceLayout layout = Layout(shape, layer);
        (long block, long mixed) = ((long)rows * d, (long)layout.QueryRows * d);
        HeadGroup heads = a.HeadsOf(_config, layer);
        (Tensor q, Tensor kv) = Operands(a, layer, input, layout, block);
        for (int row = 0; row < _graph.HeadRow(layer, 0); row++)
        {
            _device.CopyBlock(a.Boundaries[2 * layer].Residual, 0, _input, 0, block);
            _device.AddBlock(delta.AtAllRows, row * block, _input, 0, block);
            _device.LayerNorm(_input, w.AttentionGain, w.AttentionShift, _config.Epsilon, rows, d, _mean, _rstd, _normed);
            if (input == HeadInput.Query) ProjectQueries(shape, w, layout, new Matrix(q, 0, layout.QueryRows, d, heads.QueryStride));
            else ProjectKeys(w, _keyBias[layer], rows, new Matrix(kv, 0, rows, d, heads.KeyStride));
            _device.Attention(q, kv, layout, heads, _probabilities, _mixed, a.Prefix?.Of(layer));
            _device.Combine(1, _mixed, -1, a.Z[layer], mixed, _mixed);
            _device.CopyBlock(_mixed, 0, _effects, row * mixed, mixed);
        }
    }

    /// <summary>Adds the effects times a gradient, head by head.</summary>
    /// <param name="shape">The pass.</param>
    /// <param name="layer">Index of the layer.</param>
    /// <param name="dz">[query rows, D]: the gradient at the heads' mixed values.</param>
    /// <param name="into">A row per writer, a column per head; added to.</param>
    public void Contract(PassShape shape, int layer, Tensor dz, ScoreBlock into)
    {
        int rows = Layout(shape, layer).QueryRows;
        long mixed = (long)rows * _config.Width;
        for (int h = 0; h < _config.Heads; h++)
        {
            // A row of D is a row per head; all but one head's become 0.
            using Tensor head = _gradients.Slice(h * mixed, rows, _config.Width);
            _device.ScaleRows(dz, _heads[h], _config.Heads, rows * _config.Heads, _config.HeadWidth, head);
        }
        _device.ContractEdges(_effects, _graph.HeadRow(layer, 0), _gradients, _config.Heads, mixed, into);
    }

    private SequenceLayout Layout(PassShape shape, int layer) => layer == _config.Layers - 1 ? shape.Final : shape.All;

    // The clean run's queries, keys and values, where one of them is to be replaced.
    private (Tensor Q, Tensor Kv) Operands(Activations a, int layer, HeadInput input, SequenceLayout layout, long block)
    {
        int d = _config.Width;
        if (a.Qkv[layer] is { } all)
        {
            _device.CopyBlock(all, 0, _qkv, 0, 3 * block);
            return (Activations.QueriesOf(_qkv, d), Activations.KeysValuesOf(_qkv, d));
        }
        if (input == HeadInput.Query) return (_qkv.Slice(0, layout.QueryRows, d), a.Kv[layer]);
        _device.CopyBlock(a.Kv[layer], 0, _qkv, 0, 2 * block);
        return (a.Q[layer], _qkv.Slice(0, layout.KeyRows, 2 * d));
    }

    private void ProjectQueries(PassShape shape, Gpt2Layer w, SequenceLayout layout, in Matrix q)
    {
        int d = _config.Width;
        Tensor input = _normed;
        if (layout.QueryRows < shape.Rows) _device.GatherRows(_normed, shape.AnswerRows, layout.QueryRows, d, input = _answers);
        _device.Gemm(
            input.AsMatrix(layout.QueryRows, d), w.QkvWeight.AsMatrix().SliceColumns(0, d), q,
            new GemmOptions(Bias: w.QkvBias));
    }

    private void ProjectKeys(Gpt2Layer w, Tensor bias, int rows, in Matrix keys)
    {
        int d = _config.Width;
        _device.Gemm(
            _normed.AsMatrix(rows, d), w.QkvWeight.AsMatrix().SliceColumns(d, d), keys,
            new GemmOptions(Bias: bias));
    }
}
