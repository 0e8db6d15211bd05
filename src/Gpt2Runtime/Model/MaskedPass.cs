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
/// back. Every reader has its own LayerNorm, every head its own projections. What a <see cref="MaskedPlan"/> leaves out is not computed.
/// </summary>
/// <remarks>A pass over a batch of a number of rows that it has seen before allocates nothing.</remarks>
internal sealed partial class MaskedPass : IDisposable
{
    private readonly List<IDisposable> _owned = [];
    private readonly Dictionary<int, Views> _views = [];
    private readonly Gpt2Weights _weights;
    private readonly Gpt2Config _config;
    private readonly Device _device;
    private readonly MaskedPlan _plan;
    private readonly OutputHead _head;
    private readonly MaskedBiases _biases;
    private readonly int _d;
    private readonly int _hw;
    private readonly Tensor _differences;
    private readonly Tensor _answerDifferences;
    private readonly Tensor _answers;
    private readonly LayerState[] _layers;
    private readonly Tensor _wide;
    private readonly Tensor _z;
    private readonly Tensor _hidden;

    /// <summary>Allocates for the largest batch.</summary>
    /// <param name="weights">The model.</param>
    /// <param name="plan">What is computed.</param>
    /// <param name="capacity">The largest batch, one copy, with all rows at the output.</param>
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
        int rows = capacity.Rows;
        _biases = Own(new MaskedBiases(weights, plan, rows));
        _differences = Own(_device.Allocate(plan.Slots, rows, _d));
        _answerDifferences = Own(_device.Allocate(plan.Slots, capacity.Sequences, _d));
        _answers = Own(_device.Allocate(capacity.Sequences, _d));
        _layers = [.. plan.Layers.Select(l => new LayerState(_device, _config, l, capacity, Own))];
        _wide = Own(_device.Allocate(plan.MostReaders, rows, _d));
        _z = Own(_device.Allocate(rows, _d));
        _hidden = Own(_device.Allocate(rows, _config.InnerWidth));
        _differenceGradients = Own(_device.Allocate(plan.Slots, rows, _d));
        _answerGradients = Own(_device.Allocate(plan.Slots, capacity.Sequences, _d));
        _logitsGradient = Own(_device.Allocate(capacity.Sequences, _d));
        _readerGradients = Own(_device.Allocate(plan.MostReaders, rows, _d));
        _dq = Own(_device.Allocate(rows, _d));
        _dkv = Own(_device.Allocate(rows, 2 * _d));
    }

    /// <summary>The biases that batches for this pass are made with.</summary>
    public MaskedBiases Biases => _biases;

    /// <summary>[items, D]: the input of the logits at the answer rows, after a forward pass.</summary>
    public Tensor Answers => _answers;

    /// <summary>Bytes that a workspace takes, without allocating it.</summary>
    /// <param name="config">The model's shape.</param>
    /// <param name="plan">What is computed.</param>
    /// <param name="capacity">The largest batch.</param>
    /// <returns>Bytes, up to small change.</returns>
    public static long Bytes(Gpt2Config config, MaskedPlan plan, in PassCapacity capacity)
    {
        long perRow = ((2L * plan.Slots) + (2L * plan.MostReaders) + 4) * config.Width + config.InnerWidth;
        long probabilities = 0;
        foreach (MaskedPlan.Layer layer in plan.Layers)
        {
            perRow += ((long)layer.Readers * (config.Width + 2)) + (6L * layer.Heads.Length * config.HeadWidth) + (layer.Mlp ? config.InnerWidth : 0);
            probabilities += layer.Heads.Length * capacity.ProbabilitiesPerHead;
        }
        return sizeof(float) * ((capacity.Rows * perRow) + probabilities + ((2L * plan.Slots) + 2) * capacity.Sequences * config.Width);
    }

    /// <summary>Runs a batch under masks; <see cref="OutputHead.Values"/> then has the loss's metric per prompt.</summary>
    /// <param name="batch">The prompts.</param>
    /// <param name="mask">[slots, columns]: z of every edge that is computed; 0 in cells that are no edge.</param>
    public void Forward(MaskedBatch batch, Tensor mask)
    {
        int rows = batch.Shape.Rows;
        int items = batch.Pairs.Count;
        Views views = ViewsOf(rows);
        _device.CopyBlock(batch.InputDifference, 0, _differences, 0, (long)rows * _d);
        for (int l = 0; l < _layers.Length; l++)
        {
            MaskedPlan.Layer layer = _plan.Layers[l];
            if (layer.Readers > 0) Mix(mask, layer, rows, _layers[l].Inputs, batch.Residual[l]!);
            if (layer.Heads.Length > 0) Attention(batch, views, l);
            if (layer.Mlp) Mlp(batch, mask, views, l);
        }
        _device.GatherRows(_differences, batch.AnswerCells, _plan.Slots * items, _d, _answerDifferences);
        _device.Gemm(
            LogitsMask(mask).T,
            new Matrix(_answerDifferences, 0, _plan.Slots, items * _d, items * _d),
            new Matrix(_answers, 0, 1, items * _d, items * _d),
            new GemmOptions(Bias: batch.FinalAnswers));
        _head.EvaluateRows(_answers, items);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (IDisposable owned in _owned) owned.Dispose();
    }

    private Matrix LogitsMask(Tensor mask) => new(mask, _plan.Columns - 1, _plan.Slots, 1, _plan.Columns);

    // The inputs of all readers of a layer from the writers before it.
    private void Mix(Tensor mask, MaskedPlan.Layer layer, int rows, Tensor inputs, Tensor residual)
    {
        int length = rows * _d;
        _device.Gemm(
            new Matrix(mask, layer.FirstColumn, layer.SlotsBefore, layer.Readers, _plan.Columns, Transposed: true),
            new Matrix(_differences, 0, layer.SlotsBefore, length, length),
            new Matrix(inputs, 0, layer.Readers, length, length),
            new GemmOptions(Bias: residual));
    }

    private void Attention(MaskedBatch batch, Views views, int l)
    {
        MaskedPlan.Layer layer = _plan.Layers[l];
        LayerState state = _layers[l];
        Gpt2Layer w = _weights.Layers[l];
        int rows = batch.Shape.Rows;
        int width = layer.Heads.Length * _hw;
        if (batch.QueryStart[l] is { } start)
        {
            _device.CopyBlock(start, 0, state.Q!, 0, (long)rows * width);
            _device.CopyBlock(batch.KeyValueStart[l]!, 0, state.Kv!, 0, 2L * rows * width);
        }
        else
        {
            _biases.Start(l, rows, state.Q!, state.Kv!);
        }
        if (layer.AttentionReaders > 0)
        {
            _device.LayerNorm(
                views.AttentionInputs[l], w.AttentionGain, w.AttentionShift, _config.Epsilon, layer.AttentionReaders * rows, _d, state.Mean!, state.Rstd!, _wide);
        }
        for (int part = 0; part < 3; part++)
        {
            foreach (MaskedPlan.Run run in layer.Reading[part])
            {
                Matrix target = Projected(layer, part, run.Index, rows, state.Q!, state.Kv!);
                _device.Gemm(
                    new Matrix(_wide, (long)(run.At - layer.MlpReaders) * rows * _d, rows, _d, _d),
                    w.QkvWeight.AsMatrix().SliceColumns((part * _d) + (run.Head * _hw), _hw),
                    target,
                    new GemmOptions(Accumulate: true, Batch: run.Count, StepA: (long)rows * _d, StepB: _hw, StepC: _hw));
            }
        }
        _device.Attention(state.Q!, state.Kv!, batch.Shape.All, layer.Heads.Length, _hw, _config.AttentionScale(l), state.Probabilities!, _z, batch.PrefixKeysValues[l]);
        _device.SubtractRows(_z, batch.HeadTarget[l]!, rows, rows, width);
        foreach (MaskedPlan.Run run in layer.Outputs)
        {
            _device.Gemm(
                new Matrix(_z, run.Index * _hw, rows, _hw, width),
                HeadOutput(l, run.Head),
                new Matrix(_differences, (long)run.At * rows * _d, rows, _d, _d),
                new GemmOptions(Batch: run.Count, StepA: _hw, StepB: (long)_hw * _d, StepC: (long)rows * _d));
        }
    }

    private void Mlp(MaskedBatch batch, Tensor mask, Views views, int l)
    {
        MaskedPlan.Layer layer = _plan.Layers[l];
        LayerState state = _layers[l];
        Gpt2Layer w = _weights.Layers[l];
        int rows = batch.Shape.Rows;
        int inner = _config.InnerWidth;
        int length = rows * _d;
        _device.Gemm(
            new Matrix(mask, ((long)layer.SlotsBefore * _plan.Columns) + layer.FirstColumn, layer.Heads.Length, 1, _plan.Columns, Transposed: true),
            new Matrix(_differences, (long)layer.SlotsBefore * length, layer.Heads.Length, length, length),
            new Matrix(state.Inputs, 0, 1, length, length),
            new GemmOptions(Accumulate: true, Bias: batch.AttentionOutput[l]));
        _device.LayerNorm(state.Inputs, w.MlpGain, w.MlpShift, _config.Epsilon, rows, _d, state.MlpMean!, state.MlpRstd!, _wide);
        _device.Gemm(_wide.AsMatrix(rows, _d), w.UpWeight.AsMatrix(), state.Derivative!.AsMatrix(rows, inner), new GemmOptions(Bias: w.UpBias));
        _device.Activate(ForwardPass.Function(_config), state.Derivative!, (long)rows * inner, _hidden);
        Tensor output = views.MlpDifference[l]!;
        _device.Gemm(_hidden.AsMatrix(rows, inner), w.DownWeight.AsMatrix(), output.AsMatrix(rows, _d), new GemmOptions(Bias: w.DownBias));
        _device.SubtractRows(output, batch.MlpTarget[l]!, rows, rows, _d);
    }

    // Where the first head of a run has its query, key or value (or their gradients).
    private Matrix Projected(MaskedPlan.Layer layer, int part, int index, int rows, Tensor q, Tensor kv)
    {
        int width = layer.Heads.Length * _hw;
        return part == 0
            ? new Matrix(q, index * _hw, rows, _hw, width)
            : new Matrix(kv, (part == 2 ? width : 0) + (index * _hw), rows, _hw, 2 * width);
    }

    private Matrix HeadOutput(int layer, int head) => _weights.Layers[layer].OutputWeight.AsMatrix().SliceRows(head * _hw, _hw);

    private Views ViewsOf(int rows)
    {
        if (!_views.TryGetValue(rows, out Views? views)) _views[rows] = views = new Views(this, rows);
        return views;
    }

    private T Own<T>(T resource)
        where T : IDisposable
    {
        _owned.Add(resource);
        return resource;
    }

    // What the backward pass needs of a layer.
    private sealed class LayerState
    {
        public LayerState(Device device, Gpt2Config config, MaskedPlan.Layer layer, PassCapacity capacity, Func<Tensor, Tensor> own)
        {
            int rows = capacity.Rows;
            int width = layer.Heads.Length * config.HeadWidth;
            Inputs = own(device.Allocate(layer.Readers, rows, config.Width));
            if (layer.Mlp)
            {
                MlpMean = own(device.Allocate(rows));
                MlpRstd = own(device.Allocate(rows));
                Derivative = own(device.Allocate(rows, config.InnerWidth));
            }
            if (width == 0) return;
            Mean = own(device.Allocate(layer.AttentionReaders * rows));
            Rstd = own(device.Allocate(layer.AttentionReaders * rows));
            Q = own(device.Allocate(rows, width));
            Kv = own(device.Allocate(rows, 2 * width));
            Probabilities = own(device.Allocate(checked((int)(layer.Heads.Length * capacity.ProbabilitiesPerHead))));
        }

        public Tensor Inputs { get; }

        public Tensor? MlpMean { get; }

        public Tensor? MlpRstd { get; }

        public Tensor? Derivative { get; }

        public Tensor? Mean { get; }

        public Tensor? Rstd { get; }

        public Tensor? Q { get; }

        public Tensor? Kv { get; }

        public Tensor? Probabilities { get; }
    }

    // Parts of the workspace whose place depends on the number of rows.
    private sealed class Views
    {
        public Views(MaskedPass pass, int rows)
        {
            int layers = pass._layers.Length;
            AttentionInputs = new Tensor[layers];
            HeadDifferences = new Tensor[layers];
            MlpDifference = new Tensor?[layers];
            MlpDifferenceGradient = new Tensor?[layers];
            long length = (long)rows * pass._d;
            for (int l = 0; l < layers; l++)
            {
                MaskedPlan.Layer layer = pass._plan.Layers[l];
                AttentionInputs[l] = pass._layers[l].Inputs.Slice(layer.MlpReaders * length, layer.AttentionReaders, rows, pass._d);
                HeadDifferences[l] = pass._differences.Slice(layer.SlotsBefore * length, layer.Heads.Length, rows, pass._d);
                if (!layer.Mlp) continue;
                MlpDifference[l] = pass._differences.Slice(layer.MlpSlot * length, rows, pass._d);
                MlpDifferenceGradient[l] = pass._differenceGradients.Slice(layer.MlpSlot * length, rows, pass._d);
            }
            AttentionGradients = pass._readerGradients.Slice(Math.Min(length, pass._readerGradients.Length - length), pass._plan.MostReaders - 1, rows, pass._d);
        }

        public Tensor[] AttentionInputs { get; }

        public Tensor[] HeadDifferences { get; }

        public Tensor?[] MlpDifference { get; }

        public Tensor?[] MlpDifferenceGradient { get; }

        // Behind an MLP's gradient; without an MLP the attention's start at 0.
        public Tensor AttentionGradients { get; }
    }
}
