using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Model;

/// <summary>
/// The model with a soft mask on every edge, and the derivative of its loss by every mask. Clean tokens go in; with x_w a writer's output,
/// x~_w its ablated output and z the masks,
///
///     input of r = ablated residual stream + sum over w of z_wr (x_w - x~_w),   d loss / d z_wr = (x_w - x~_w) . g_r
///
/// so the inputs of a layer's readers are one product [readers, writers] x [writers, rows D], and so are the residual gradients on the way
/// back. The last layer's queries and MLP, and the logits, are made at the answer rows alone. Every reader has its own LayerNorm, every
/// head its own projections. What a <see cref="MaskedPlan"/> leaves out is not computed.
/// </summary>
/// <remarks>A pass over a batch of a number of rows that it has seen before allocates nothing.</remarks>
internal sealed partial class MaskedPass : ResourceOwner
{
    private readonly Dictionary<(int Rows, int Items), Views> _views = [];
    private readonly Gpt2Weights _weights;
    private readonly Gpt2Config _config;
    private readonly Device _device;
    private readonly MaskedPlan _plan;
    private readonly OutputHead _head;
    private readonly MaskedBiases _biases;
    private readonly int _d;
    private readonly int _hw;
    private readonly int _last;
    private readonly Tensor _differences;
    private readonly Tensor _answerDifferences;
    private readonly Tensor _answers;
    private readonly LayerState[] _layers;
    private readonly Tensor _wide;
    private readonly Tensor _z;
    private readonly Tensor _hidden;

    /// <summary>Allocates for the largest batch.</summary>
    /// <param name="weights">The weights of the model, on the device that computes.</param>
    /// <param name="plan">What is computed.</param>
    /// <param name="capacity">The largest batch, one copy.</param>
    /// <param name="head">The loss; used, not owned.</param>
    public MaskedPass(Gpt2Weights weights, MaskedPlan plan, PassCapacity capacity, OutputHead head)
    {
        _weights = weights;
        _config = weights.Config;
        _device = weights.Device;
        _plan = plan;
        _head = head;
        _d = _config.Width;
        _hw = _config.HeadWidth;
        _last = _config.Layers - 1;
        int rows = capacity.Rows;
        _biases = Own(new MaskedBiases(weights, plan, rows));
        _differences = Own(_device.Allocate(plan.Slots, rows, _d));
        _answerDifferences = Own(_device.Allocate(plan.Slots, capacity.Sequences, _d));
        _answers = Own(_device.Allocate(capacity.Sequences, _d));
        _layers = [.. plan.Layers.Select((layer, l) => new LayerState(_device, _config, layer, capacity, l == _last, Own))];
        _wide = Own(_device.Allocate(plan.MostReaders, rows, _d));
        _z = Own(_device.Allocate(rows, _d));
        _hidden = Own(_device.Allocate(rows, _config.InnerWidth));
        _differenceGradients = Own(_device.Allocate(plan.Slots, rows, _d));
        _answerGradients = Own(_device.Allocate(plan.Slots, capacity.Sequences, _d));
        _logitsGradient = Own(_device.Allocate(capacity.Sequences, _d));
        _readerGradients = Own(_device.Allocate(plan.MostReaders, rows, _d));
        _answerReaderGradients = Own(_device.Allocate(Math.Max(1, plan.Layers[_last].MlpAndQueryReaders), capacity.Sequences, _d));
        _dq = Own(_device.Allocate(rows, _d));
        _dkv = Own(_device.Allocate(rows, 2 * _d));
    }

    /// <summary>The biases that batches for this pass are made with.</summary>
    public MaskedBiases Biases => _biases;

    /// <summary>[items, D]: the input of the logits at the answer rows, after a forward pass.</summary>
    public Tensor Answers => _answers;

    /// <summary>Runs a batch under masks; <see cref="OutputHead.Values"/> then has the loss's metric per prompt.</summary>
    /// <param name="batch">The prompts.</param>
    /// <param name="mask">[slots, columns]: z of every edge that is computed; 0 in cells that are no edge.</param>
    public void Forward(MaskedBatch batch, Tensor mask)
    {
        int rows = batch.Shape.Rows;
        int items = batch.Pairs.Count;
        Views views = ViewsOf(rows, items);
        _device.CopyBlock(batch.InputDifference, 0, _differences, 0, (long)rows * _d);
        for (int l = 0; l < _layers.Length; l++)
        {
            MaskedPlan.Layer layer = _plan.Layers[l];
            LayerState state = _layers[l];
            int answered = 0;
            if (l == _last)
            {
                answered = layer.MlpAndQueryReaders;
                _device.GatherRows(_differences, batch.AnswerCells, layer.SlotsBefore * items, _d, _answerDifferences);
                Mix(mask, layer, 0, answered, items, _answerDifferences, state.AnswerInputs!, batch.AnswerResidual);
            }
            Mix(mask, layer, answered, layer.Readers - answered, rows, _differences, state.Inputs, batch.Residual[l]);
            if (layer.Heads.Length > 0) Attention(batch, views, l);
            if (layer.Mlp) Mlp(batch, mask, views, l);
        }
        _device.Gemm(
            LogitsMask(mask).T,
            new Matrix(_answerDifferences, 0, _plan.Slots, items * _d, items * _d),
            new Matrix(_answers, 0, 1, items * _d, items * _d),
            new GemmOptions(Bias: batch.FinalAnswers));
        _head.EvaluateRows(_answers, items);
    }

    private Matrix LogitsMask(Tensor mask) => new(mask, _plan.Columns - 1, _plan.Slots, 1, _plan.Columns);

    // The inputs of some readers of a layer from the writers before it.
    private void Mix(
        Tensor mask, MaskedPlan.Layer layer, int first, int count, int rows, Tensor differences, Tensor inputs, Tensor? residual)
    {
        if (count == 0) return;
        int length = rows * _d;
        _device.Gemm(
            new Matrix(mask, layer.FirstColumn + first, layer.SlotsBefore, count, _plan.Columns, Transposed: true),
            new Matrix(differences, 0, layer.SlotsBefore, length, length),
            new Matrix(inputs, 0, count, length, length),
            new GemmOptions(Bias: residual));
    }

    private void Attention(MaskedBatch batch, Views views, int l)
    {
        MaskedPlan.Layer layer = _plan.Layers[l];
        LayerState state = _layers[l];
        int rows = batch.Shape.Rows;
        int queries = batch.Shape.QueryRows(l, _layers.Length);
        int width = layer.Heads.Length * _hw;
        if (batch.QueryStart[l] is { } start)
        {
            _device.CopyBlock(start, 0, state.Q!, 0, (long)queries * width);
            _device.CopyBlock(batch.KeyValueStart[l]!, 0, state.Kv!, 0, 2L * rows * width);
        }
        else
        {
            _biases.Start(l, queries, rows, state.Q!, state.Kv!);
        }
        if (l == _last)
        {
            Project(l, 0, 1, layer.MlpReaders, layer.MlpAndQueryReaders, queries, views.QueryInputs, state.QueryMean!, state.QueryRstd!);
            Project(l, 1, 3, layer.MlpAndQueryReaders, layer.Readers, rows, views.AttentionInputs[l], state.Mean!, state.Rstd!);
        }
        else
        {
            Project(l, 0, 3, layer.MlpReaders, layer.Readers, rows, views.AttentionInputs[l], state.Mean!, state.Rstd!);
        }
        SequenceLayout layout = l == _last ? batch.Shape.Final : batch.Shape.All;
        _device.Attention(state.Q!, state.Kv!, layout, HeadsOf(layer, l), state.Probabilities!, _z, batch.PrefixKeysValues[l]);
        _device.SubtractRows(_z, batch.HeadTarget[l]!, queries, queries, width);
        Tensor differences = l == _last ? _answerDifferences : _differences;
        foreach (MaskedPlan.Run run in layer.Outputs)
        {
            _device.Gemm(
                new Matrix(_z, run.Index * _hw, queries, _hw, width),
                HeadOutput(l, run.Head),
                new Matrix(differences, (long)run.At * queries * _d, queries, _d, _d),
                new GemmOptions(Batch: run.Count, StepA: _hw, StepB: (long)_hw * _d, StepC: (long)queries * _d));
        }
    }

    // Adds to queries (part 0), keys (1) and values (2) what the readers from one to another read.
    private void Project(
        int l, int firstPart, int endPart, int firstReader, int endReader, int rows, Tensor inputs, Tensor mean, Tensor rstd)
    {
        if (firstReader == endReader) return;
        Gpt2Layer w = _weights.Layers[l];
        _device.LayerNorm(
            inputs, w.AttentionGain, w.AttentionShift, _config.Epsilon, (endReader - firstReader) * rows, _d, mean, rstd, _wide);
        for (int part = firstPart; part < endPart; part++)
        {
            foreach (MaskedPlan.Run run in _plan.Layers[l].Reading[part])
            {
                _device.Gemm(
                    new Matrix(_wide, (long)(run.At - firstReader) * rows * _d, rows, _d, _d),
                    w.QkvWeight.AsMatrix().SliceColumns((part * _d) + (run.Head * _hw), _hw),
                    Projected(_plan.Layers[l], part, run.Index, rows, _layers[l].Q!, _layers[l].Kv!),
                    new GemmOptions(Accumulate: true, Batch: run.Count, StepA: (long)rows * _d, StepB: _hw, StepC: _hw));
            }
        }
    }

    private void Mlp(MaskedBatch batch, Tensor mask, Views views, int l)
    {
        MaskedPlan.Layer layer = _plan.Layers[l];
        LayerState state = _layers[l];
        int rows = batch.Shape.QueryRows(l, _layers.Length);
        int length = rows * _d;
        _device.Gemm(
            new Matrix(mask, ((long)layer.SlotsBefore * _plan.Columns) + layer.FirstColumn, layer.Heads.Length, 1, _plan.Columns,
                Transposed: true),
            new Matrix(
                l == _last ? _answerDifferences : _differences, (long)layer.SlotsBefore * length, layer.Heads.Length, length, length),
            new Matrix(state.MlpInput, 0, 1, length, length),
            new GemmOptions(Accumulate: true, Bias: batch.AttentionOutput[l]));
        Tensor output = views.MlpDifference[l]!;
        MlpBlock.Forward(_weights, l, rows, state.MlpInput, MlpBuffers(state), output);
        _device.SubtractRows(output, batch.MlpTarget[l]!, rows, rows, _d);
    }

    private MlpBlock.Buffers MlpBuffers(LayerState state) => new(state.MlpMean!, state.MlpRstd!, _wide, state.Derivative!, _hidden);

    // Where the first head of a run has its query, key or value (or their gradients).
    private Matrix Projected(MaskedPlan.Layer layer, int part, int index, int rows, Tensor q, Tensor kv)
    {
        int width = layer.Heads.Length * _hw;
        return part == 0
            ? new Matrix(q, index * _hw, rows, _hw, width)
            : new Matrix(kv, (part == 2 ? width : 0) + (index * _hw), rows, _hw, 2 * width);
    }

    private HeadGroup HeadsOf(MaskedPlan.Layer layer, int l) => new(layer.Heads.Length, _hw, _config.AttentionScale(l));

    private Matrix HeadOutput(int layer, int head) => _weights.Layers[layer].OutputWeight.AsMatrix().SliceRows(head * _hw, _hw);

    private Views ViewsOf(int rows, int items)
    {
        if (!_views.TryGetValue((rows, items), out Views? views)) _views[(rows, items)] = views = new Views(this, rows, items);
        return views;
    }
}
