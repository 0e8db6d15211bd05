using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Positions;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Model;

/// <summary>
/// The forward pass of a circuit of edges between spans, as differences from the ablated outputs:
///
///     input_(v, t)[row] = ablated residual stream[row] + sum over kept edges (u, s -> v, t), s the row's span, of difference_u[row]
///
/// A query, an MLP and the logits have one input, in which t is the row's own span. A key or value has one for each span t of queries, and
/// attention runs once for each: what queries of t mix is taken from there.
/// </summary>
/// <remarks>
/// Rows lie span by span, so that the rows of a span are one piece and the sums over writers one product with a matrix of zeros and ones
/// per span. Attention alone sees them in their order. Whole prompts are run, at all rows in every layer.
/// </remarks>
internal sealed class PositionalPass : ResourceOwner
{
    private readonly Gpt2Weights _weights;
    private readonly Gpt2Config _config;
    private readonly Device _device;
    private readonly ComputationGraph _graph;
    private readonly SpanRows _rows;
    private readonly int _d;
    private readonly Tensor[] _ablated;
    private readonly Tensor _targetInput;
    private readonly Tensor[] _targetZ;
    private readonly Tensor[] _targetMlp;
    private readonly Tensor _delta;
    private readonly Tensor _scratch;
    private readonly Tensor _input;
    private readonly Tensor _inputs;
    private readonly Tensor _normed;
    private readonly Tensor _mean;
    private readonly Tensor _rstd;
    private readonly Tensor _q;
    private readonly Tensor _queries;
    private readonly Tensor _kv;
    private readonly Tensor _keysValues;
    private readonly Tensor _probabilities;
    private readonly Tensor _mixed;
    private readonly Tensor _spanMixed;
    private readonly Tensor _z;
    private readonly Tensor _derivative;
    private readonly Tensor _hidden;
    private readonly Tensor _output;
    private readonly Tensor _masks;
    private readonly float[] _hostMasks;
    private readonly Tensor[] _queryBias;

    /// <summary>Allocates for the largest batch.</summary>
    /// <param name="weights">The weights of the model, on the device that computes.</param>
    /// <param name="one">The largest batch, one copy, with every layer at all rows.</param>
    /// <param name="rows">The spans of the batch's rows; used, not owned.</param>
    public PositionalPass(Gpt2Weights weights, PassCapacity one, SpanRows rows)
    {
        (_weights, _config, _device, _rows) = (weights, weights.Config, weights.Device, rows);
        _graph = new ComputationGraph(_config);
        _d = _config.Width;
        (int n, int inputs) = (one.Rows, 2 * _config.Heads);
        _ablated = Each((2 * _config.Layers) + 1);
        _targetInput = Allocate(n, _d);
        _targetZ = Each(_config.Layers);
        _targetMlp = Each(_config.Layers);
        _delta = Allocate(_graph.Writers, n, _d);
        _scratch = Allocate(n, _d);
        _input = Allocate(n, _d);
        _inputs = Allocate(inputs, n, _d);
        _normed = Allocate(inputs, n, _d);
        _mean = Allocate(inputs * n);
        _rstd = Allocate(inputs * n);
        _q = Allocate(n, _d);
        _queries = Allocate(n, _d);
        _kv = Allocate(n, 2 * _d);
        _keysValues = Allocate(n, 2 * _d);
        _probabilities = Allocate(checked((int)(_config.Heads * one.ProbabilitiesPerHead)));
        _mixed = Allocate(n, _d);
        _spanMixed = Allocate(n, _d);
        _z = Allocate(n, _d);
        _derivative = Allocate(n, _config.InnerWidth);
        _hidden = Allocate(n, _config.InnerWidth);
        _output = Allocate(n, _d);
        _masks = Allocate(inputs, _graph.Writers);
        _hostMasks = new float[inputs * _graph.Writers];
        _queryBias = [.. weights.Layers.SelectMany(l => Enumerable.Range(0, 3 * _config.Heads).Select(i =>
            Own(l.QkvBias.Slice(i * _config.HeadWidth, _config.HeadWidth))))];

        Tensor[] Each(int count) => [.. Enumerable.Range(0, count).Select(_ => Allocate(n, _d))];
    }

    /// <summary>Takes what replaces the writers' outputs in a new batch and makes the residual stream of the fully ablated run.</summary>
    /// <param name="shape">The batch, one copy.</param>
    /// <param name="target">The ablated outputs.</param>
    public void SetAblation(PassShape shape, WriterOutputs target)
    {
        int n = shape.Rows;
        Sort(target.Input, n, _targetInput);
        _device.GatherRows(_weights.PositionEmbedding, shape.Positions, n, _d, _scratch, target.Input);
        Sort(_scratch, n, _ablated[0]);
        for (int l = 0; l < _config.Layers; l++)
        {
            Sort(target.Z[l], n, _targetZ[l]);
            Sort(target.Mlp[l], n, _targetMlp[l]);
            (Tensor before, Tensor between, Tensor after) = (_ablated[2 * l], _ablated[(2 * l) + 1], _ablated[(2 * l) + 2]);
            _device.CopyBlock(before, 0, between, 0, (long)n * _d);
            _device.Gemm(
                _targetZ[l].AsMatrix(n, _d), _weights.Layers[l].OutputWeight.AsMatrix(), between.AsMatrix(n, _d),
                new GemmOptions(Accumulate: true, Bias: _weights.Layers[l].OutputBias));
            _device.Combine(1, between, 1, _targetMlp[l], (long)n * _d, after);
        }
    }

    /// <summary>The input of the logits at the answer rows in the ablated run.</summary>
    /// <param name="one">The batch, one copy.</param>
    /// <param name="answers">[items, D], out.</param>
    public void TakeAblatedAnswers(PassShape one, Tensor answers) =>
        _device.GatherRows(_ablated[^1], _rows.AnswerPlaces, one.Items, _d, answers);

    /// <summary>Runs a circuit.</summary>
    /// <param name="one">The batch, one copy.</param>
    /// <param name="embeddings">[rows, D] token embeddings of the clean prompts.</param>
    /// <param name="circuit">The circuit, with the spans of the batch's rows.</param>
    /// <param name="ablatedInputsMatter">Whether a writer whose inputs are all cut still differs from its ablated output: not when
    /// patching.</param>
    /// <param name="answers">[items, D], out: the input of the logits at the answer rows.</param>
    public void Run(PassShape one, Tensor embeddings, PositionalCircuit circuit, bool ablatedInputsMatter, Tensor answers)
    {
        int n = one.Rows;
        (bool[] reads, bool[] isRead) = Ends(circuit);
        _device.Fill(_delta, 0, (long)_graph.Writers * n * _d);
        Sort(embeddings, n, _scratch);
        _device.Combine(1, _scratch, -1, _targetInput, (long)n * _d, _delta);
        for (int l = 0; l < _config.Layers; l++)
        {
            int[] heads = [.. Enumerable.Range(0, _config.Heads).Where(h => Runs(_graph.HeadRow(l, h)))];
            if (heads.Length > 0) Attention(one, circuit, l, heads);
            if (Runs(_graph.MlpRow(l))) Mlp(n, circuit, l);
        }
        Mix(circuit, 2 * _config.Layers, n, [_graph.LogitsColumn], null, _input);
        _device.GatherRows(_input, _rows.AnswerPlaces, one.Items, _d, answers);

        bool Runs(int writer) => isRead[writer] && (ablatedInputsMatter || reads[writer]);
    }

    private (bool[] Reads, bool[] IsRead) Ends(PositionalCircuit circuit)
    {
        (bool[] reads, bool[] isRead) = (new bool[_graph.Writers + 1], new bool[_graph.Writers + 1]);
        foreach (PositionalEdge edge in circuit.Edges) reads[_graph.NodeOfColumn(edge.Column)] = isRead[edge.Row] = true;
        return (reads, isRead);
    }

    private void Attention(PassShape one, PositionalCircuit circuit, int layer, int[] heads)
    {
        (int n, int w, int width) = (one.Rows, _config.HeadWidth, heads.Length * _config.HeadWidth);
        Gpt2Layer weights = _weights.Layers[layer];
        HeadGroup group = ForwardPass.HeadsOf(_config, layer) with { Heads = heads.Length };

        // A table of rows ends with a whole one.
        using Tensor q = _q.Slice(0, n, width), kv = _kv.Slice(0, n, 2 * width), mixed = _mixed.Slice(0, n, width);
        Project([.. heads.Select(h => _graph.HeadColumn(layer, HeadInput.Query, h))], null, q, width);
        _device.GatherRows(q, _rows.Places, n, width, _queries);
        for (int t = 0; t < _rows.Count; t++)
        {
            int queries = _rows.AtAllRows[t].Length;
            if (queries == 0) continue;
            int[] keysValues =
            [
                .. heads.Select(h => _graph.HeadColumn(layer, HeadInput.Key, h)),
                .. heads.Select(h => _graph.HeadColumn(layer, HeadInput.Value, h)),
            ];
            Project(keysValues, t, kv, 2 * width);
            _device.GatherRows(kv, _rows.Places, n, 2 * width, _keysValues);
            _device.Attention(_queries, _keysValues, one.All, group, _probabilities, mixed);
            _device.GatherRows(mixed, _rows.AtAllRows[t].Rows, queries, width, _spanMixed);
            _device.CopyBlock(_spanMixed, 0, _z, (long)_rows.Starts[t] * width, (long)queries * width);
        }
        for (int i = 0; i < heads.Length; i++)
        {
            // The head's difference before W_O, then behind it.
            var own = new Matrix(_z, i * w, n, w, width);
            var target = new Matrix(_targetZ[layer], heads[i] * w, n, w, _d);
            var difference = new Matrix(_scratch, 0, n, w, w);
            _device.CombineBlocks(1, own, -1, target, null, w, difference);
            _device.Gemm(
                difference, new Matrix(weights.OutputWeight, (long)heads[i] * w * _d, w, _d, _d),
                new Matrix(_delta, (long)_graph.HeadRow(layer, heads[i]) * n * _d, n, _d, _d));
        }

        // Inputs, their LayerNorm and their projection, side by side.
        void Project(int[] columns, int? to, Tensor output, int stride)
        {
            Mix(circuit, 2 * layer, n, columns, to, _inputs);
            _device.LayerNorm(
                _inputs, weights.AttentionGain, weights.AttentionShift, _config.Epsilon, columns.Length * n, _d, _mean, _rstd, _normed);
            for (int i = 0; i < columns.Length; i++)
            {
                int place = columns[i] - _graph.HeadColumn(layer, HeadInput.Query, 0);
                _device.Gemm(
                    new Matrix(_normed, (long)i * n * _d, n, _d, _d), new Matrix(weights.QkvWeight, place * w, _d, w, 3 * _d),
                    new Matrix(output, i * w, n, w, stride), new GemmOptions(Bias: _queryBias[(layer * 3 * _config.Heads) + place]));
            }
        }
    }

    private void Mlp(int n, PositionalCircuit circuit, int layer)
    {
        Mix(circuit, (2 * layer) + 1, n, [_graph.MlpColumn(layer)], null, _input);
        MlpBlock.Forward(_weights, layer, n, _input, new(_mean, _rstd, _normed, _derivative, _hidden), _output);
        long length = (long)n * _d;
        _device.Combine(1, _output, -1, _targetMlp[layer], length, _scratch);
        _device.CopyBlock(_scratch, 0, _delta, _graph.MlpRow(layer) * length, length);
    }

    // The inputs of readers of one sublayer: of keys and values those for the queries of a span, of others those of the rows' own.
    private void Mix(PositionalCircuit circuit, int boundary, int n, int[] columns, int? to, Tensor inputs)
    {
        long length = (long)n * _d;
        int writers = _graph.WritersBefore(columns[0]);
        PositionalGraph graph = circuit.Graph;
        for (int i = 0; i < columns.Length; i++) _device.CopyBlock(_ablated[boundary], 0, inputs, i * length, length);
        for (int s = 0; s < _rows.Count; s++)
        {
            int rows = _rows.AtAllRows[s].Length;
            if (rows == 0 || graph.BlockOf(s, to ?? s) < 0) continue;
            bool any = false;
            for (int i = 0; i < columns.Length; i++)
            {
                for (int u = 0; u < writers; u++)
                {
                    bool isIn = circuit.Contains(new PositionalEdge(u, s, columns[i], to ?? s));
                    any |= isIn;
                    _hostMasks[(i * writers) + u] = isIn ? 1 : 0;
                }
            }
            if (!any) continue;
            _masks.Upload(_hostMasks.AsSpan(0, columns.Length * writers));
            long first = (long)_rows.Starts[s] * _d;
            int stride = checked((int)length), width = checked(rows * _d);
            _device.Gemm(
                _masks.AsMatrix(columns.Length, writers), new Matrix(_delta, first, writers, width, stride),
                new Matrix(inputs, first, columns.Length, width, stride), new GemmOptions(Accumulate: true));
        }
    }

    private void Sort(Tensor source, int n, Tensor target) => _device.GatherRows(source, _rows.Order, n, _d, target);

    private Tensor Allocate(params int[] shape) => Own(_device.Allocate(shape));
}
