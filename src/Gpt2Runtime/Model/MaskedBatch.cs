using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Model;

/// <summary>
/// What masked passes over some prompts have in common, whatever the masks: the ablated outputs and the residual stream that they make up,
/// and what the full model predicts. Made once per batch of prompts.
/// </summary>
internal sealed class MaskedBatch : ResourceOwner
{
    private MaskedBatch(Device device, IReadOnlyList<PromptPair> pairs, PromptSpan[] spans, MaskedPlan plan, Gpt2Config config)
    {
        int layers = config.Layers;
        int d = config.Width;
        Pairs = pairs;
        Shape = Own(new PassShape(device, spans, 1, answerOnly: true));
        int rows = Shape.Rows;
        InputDifference = Own(device.Allocate(rows, d));
        Residual = new Tensor?[layers];
        AttentionOutput = new Tensor?[layers];
        HeadTarget = new Tensor?[layers];
        MlpTarget = new Tensor?[layers];
        QueryStart = new Tensor?[layers];
        KeyValueStart = new Tensor?[layers];
        PrefixKeysValues = new Tensor?[layers];
        for (int l = 0; l < layers; l++)
        {
            MaskedPlan.Layer layer = plan.Layers[l];
            int width = layer.Heads.Length * config.HeadWidth;
            int queries = Shape.QueryRows(l, layers);
            if (layer.Readers > 0) Residual[l] = Own(device.Allocate(rows, d));
            if (layer.Mlp)
            {
                AttentionOutput[l] = Own(device.Allocate(queries, d));
                MlpTarget[l] = Own(device.Allocate(queries, d));
            }
            if (width == 0) continue;
            HeadTarget[l] = Own(device.Allocate(queries, width));
            if (Shape.All.PrefixRows > 0) PrefixKeysValues[l] = Own(device.Allocate(Shape.All.PrefixRows, 2 * width));
            if (!layer.HasConstants) continue;
            QueryStart[l] = Own(device.Allocate(queries, width));
            KeyValueStart[l] = Own(device.Allocate(rows, 2 * width));
        }
        AnswerResidual = Own(device.Allocate(pairs.Count, d));
        FinalAnswers = Own(device.Allocate(pairs.Count, d));
        Reference = Own(device.Allocate(pairs.Count, config.Vocabulary));
        int[] answers = Shape.AnswerRows.ToArray()[..pairs.Count];
        AnswerCells = Own(device.Store<int>([.. Enumerable.Range(0, plan.Slots).SelectMany(slot =>
            answers.Select(row => checked((slot * rows) + row)))]));
    }

    /// <summary>The prompts.</summary>
    public IReadOnlyList<PromptPair> Pairs { get; }

    /// <summary>
    /// Their rows: one copy, the last layer's queries and MLP at the answer rows alone; "query rows" below are these in the last layer.
    /// </summary>
    public PassShape Shape { get; }

    /// <summary>[rows, D]: clean token embedding minus its ablated value.</summary>
    public Tensor InputDifference { get; }

    /// <summary>Per layer with readers [rows, D]: the residual stream before its attention with every writer ablated.</summary>
    public Tensor?[] Residual { get; }

    /// <summary>[items, D]: the last layer's, at the answer rows.</summary>
    public Tensor AnswerResidual { get; }

    /// <summary>Per layer with an MLP [query rows, D]: what the layer's attention adds to that stream.</summary>
    public Tensor?[] AttentionOutput { get; }

    /// <summary>Per layer the computed heads' ablated values before their output projection [query rows, heads * head width].</summary>
    public Tensor?[] HeadTarget { get; }

    /// <summary>Per layer the MLP's ablated output [query rows, D].</summary>
    public Tensor?[] MlpTarget { get; }

    /// <summary>Per layer with constant readers: their queries, and the bias for the others [query rows, heads * head width].</summary>
    public Tensor?[] QueryStart { get; }

    /// <summary>The same for keys and values [rows, 2 heads * head width].</summary>
    public Tensor?[] KeyValueStart { get; }

    /// <summary>
    /// Per layer the computed heads' keys and values in front of the spans [prefix rows, 2 heads * head width]; null without prefixes.
    /// </summary>
    public Tensor?[] PrefixKeysValues { get; }

    /// <summary>[items, D]: the input of the logits at the answer rows with every writer ablated.</summary>
    public Tensor FinalAnswers { get; }

    /// <summary>[items, vocabulary]: the full model's log-probabilities at the answer rows.</summary>
    public Tensor Reference { get; }

    /// <summary>[slots * items]: the answer rows of every writer's difference, in differences [slots * rows, D].</summary>
    public DeviceArray<int> AnswerCells { get; }

    /// <summary>Makes a batch.</summary>
    /// <param name="weights">The weights of the model, on the device that computes.</param>
    /// <param name="plan">What masked passes will compute.</param>
    /// <param name="biases">The projections' biases.</param>
    /// <param name="pairs">The prompts.</param>
    /// <param name="spans">The positions of them that are run.</param>
    /// <param name="prefix">Keys and values in front of the spans; null where whole prompts are run.</param>
    /// <param name="cleanEmbeddings">[rows, D]: token embeddings of the clean prompts.</param>
    /// <param name="ablated">What replaces the writers' outputs.</param>
    /// <param name="logProbabilities">The full model's, [items, vocabulary].</param>
    /// <returns>The batch.</returns>
    public static MaskedBatch Make(
        Gpt2Weights weights,
        MaskedPlan plan,
        MaskedBiases biases,
        IReadOnlyList<PromptPair> pairs,
        PromptSpan[] spans,
        PrefixKeys? prefix,
        Tensor cleanEmbeddings,
        WriterOutputs ablated,
        Tensor logProbabilities)
    {
        var batch = new MaskedBatch(weights.Device, pairs, spans, plan, weights.Config);
        batch.Fill(weights, plan, biases, cleanEmbeddings, ablated);
        if (prefix is not null) batch.FillPrefix(weights, plan, prefix);
        weights.Device.CopyBlock(logProbabilities, 0, batch.Reference, 0, (long)pairs.Count * weights.Config.Vocabulary);
        return batch;
    }

    private void Fill(Gpt2Weights weights, MaskedPlan plan, MaskedBiases biases, Tensor cleanEmbeddings, WriterOutputs ablated)
    {
        Device device = weights.Device;
        int d = weights.Config.Width;
        int hw = weights.Config.HeadWidth;
        int rows = Shape.Rows;
        long length = (long)rows * d;
        device.Combine(1, cleanEmbeddings, -1, ablated.Input, length, InputDifference);
        using Tensor residual = device.Allocate(rows, d);
        using Tensor attention = device.Allocate(rows, d);
        device.GatherRows(weights.PositionEmbedding, Shape.Positions, rows, d, residual, ablated.Input);
        for (int l = 0; l < weights.Config.Layers; l++)
        {
            MaskedPlan.Layer layer = plan.Layers[l];
            if (Residual[l] is { } kept) device.CopyBlock(residual, 0, kept, 0, length);
            if (layer.HasConstants) FillConstants(weights, layer, biases, l, residual);
            int queries = Shape.QueryRows(l, weights.Config.Layers);
            if (HeadTarget[l] is { } target)
            {
                foreach (MaskedPlan.Run run in layer.Outputs)
                {
                    device.CopyMatrix(
                        ablated.Z[l].AsMatrix(queries, d).SliceColumns(run.Head * hw, run.Count * hw),
                        target.AsMatrix(queries, layer.Heads.Length * hw).SliceColumns(run.Index * hw, run.Count * hw));
                }
            }
            if (l == weights.Config.Layers - 1)
            {
                // From here on only the answer rows count.
                length = (long)queries * d;
                device.GatherRows(residual, Shape.AnswerRows, queries, d, AnswerResidual);
                device.CopyBlock(AnswerResidual, 0, residual, 0, length);
            }
            device.Gemm(ablated.Z[l].AsMatrix(queries, d), weights.Layers[l].OutputWeight.AsMatrix(), attention.AsMatrix(queries, d),
                new GemmOptions(Bias: weights.Layers[l].OutputBias));
            if (AttentionOutput[l] is { } output) device.CopyBlock(attention, 0, output, 0, length);
            if (MlpTarget[l] is { } mlp) device.CopyBlock(ablated.Mlp[l], 0, mlp, 0, length);
            device.AddBlock(attention, 0, residual, 0, length);
            device.AddBlock(ablated.Mlp[l], 0, residual, 0, length);
        }
        device.CopyBlock(residual, 0, FinalAnswers, 0, length);
    }

    private void FillPrefix(Gpt2Weights weights, MaskedPlan plan, PrefixKeys prefix)
    {
        int d = weights.Config.Width;
        int hw = weights.Config.HeadWidth;
        int rows = Shape.All.PrefixRows;
        for (int l = 0; l < weights.Config.Layers; l++)
        {
            if (PrefixKeysValues[l] is not { } target) continue;
            int width = plan.Layers[l].Heads.Length * hw;
            foreach (MaskedPlan.Run run in plan.Layers[l].Outputs)
            {
                for (int half = 0; half < 2; half++)
                {
                    weights.Device.CopyMatrix(
                        prefix.Of(l).AsMatrix(rows, 2 * d).SliceColumns((half * d) + (run.Head * hw), run.Count * hw),
                        target.AsMatrix(rows, 2 * width).SliceColumns((half * width) + (run.Index * hw), run.Count * hw));
                }
            }
        }
    }

    // Queries, keys and values that no computed writer feeds are those of the ablated residual stream.
    private void FillConstants(Gpt2Weights weights, MaskedPlan.Layer layer, MaskedBiases biases, int l, Tensor residual)
    {
        Device device = weights.Device;
        Gpt2Layer w = weights.Layers[l];
        int d = weights.Config.Width;
        int hw = weights.Config.HeadWidth;
        int rows = Shape.Rows;
        int width = layer.Heads.Length * hw;
        using Tensor mean = device.Allocate(rows);
        using Tensor rstd = device.Allocate(rows);
        using Tensor normed = device.Allocate(rows, d);
        device.LayerNorm(residual, w.AttentionGain, w.AttentionShift, weights.Config.Epsilon, rows, d, mean, rstd, normed);
        int queries = Shape.QueryRows(l, weights.Config.Layers);
        using Tensor queryNormed = device.Allocate(queries, d);
        if (l == weights.Config.Layers - 1) device.GatherRows(normed, Shape.AnswerRows, queries, d, queryNormed);
        else device.CopyBlock(normed, 0, queryNormed, 0, (long)rows * d);
        biases.Start(l, queries, rows, QueryStart[l]!, KeyValueStart[l]!);
        for (int part = 0; part < 3; part++)
        {
            Matrix input = part == 0 ? queryNormed.AsMatrix(queries, d) : normed.AsMatrix(rows, d);
            Matrix target = part == 0
                ? QueryStart[l]!.AsMatrix(queries, width)
                : KeyValueStart[l]!.AsMatrix(rows, 2 * width).SliceColumns(part == 2 ? width : 0, width);
            foreach (MaskedPlan.Run run in layer.Constant[part])
            {
                device.Gemm(
                    input,
                    w.QkvWeight.AsMatrix().SliceColumns((part * d) + (run.Head * hw), run.Count * hw),
                    target.SliceColumns(run.Index * hw, run.Count * hw),
                    new GemmOptions(Accumulate: true));
            }
        }
    }
}

/// <summary>The biases of the computed heads' queries, keys and values, repeated for every row: what their products start from.</summary>
internal sealed class MaskedBiases : IDisposable
{
    private readonly Device _device;
    private readonly int[] _width;
    private readonly Tensor?[] _query;
    private readonly Tensor?[] _keyValue;

    /// <summary>Repeats the biases.</summary>
    /// <param name="weights">The weights of the model, on the device that computes.</param>
    /// <param name="plan">What is computed.</param>
    /// <param name="rows">Rows of the largest batch.</param>
    public MaskedBiases(Gpt2Weights weights, MaskedPlan plan, int rows)
    {
        _device = weights.Device;
        int d = weights.Config.Width;
        int hw = weights.Config.HeadWidth;
        _width = [.. plan.Layers.Select(l => l.Heads.Length * hw)];
        _query = new Tensor?[plan.Layers.Length];
        _keyValue = new Tensor?[plan.Layers.Length];
        for (int l = 0; l < plan.Layers.Length; l++)
        {
            if (_width[l] == 0) continue;
            float[] bias = weights.Layers[l].QkvBias.ToArray();
            _query[l] = Repeated([.. Of(0)]);
            _keyValue[l] = Repeated([.. Of(1), .. Of(2)]);

            IEnumerable<float> Of(int part) => plan.Layers[l].Heads.SelectMany(h => bias.Skip((part * d) + (h * hw)).Take(hw));
        }

        Tensor Repeated(float[] row)
        {
            var all = new float[rows * row.Length];
            for (int r = 0; r < rows; r++) row.CopyTo(all, r * row.Length);
            return _device.StoreTensor(all, rows, row.Length);
        }
    }

    /// <summary>Writes a layer's biases to the rows of a batch.</summary>
    /// <param name="layer">Index of the layer; it has heads.</param>
    /// <param name="queries">Rows that have a query.</param>
    /// <param name="rows">All rows.</param>
    /// <param name="query">[queries, heads * head width], out.</param>
    /// <param name="keyValue">[rows, 2 heads * head width], out.</param>
    public void Start(int layer, int queries, int rows, Tensor query, Tensor keyValue)
    {
        _device.CopyBlock(_query[layer]!, 0, query, 0, (long)queries * _width[layer]);
        _device.CopyBlock(_keyValue[layer]!, 0, keyValue, 0, 2L * rows * _width[layer]);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (Tensor? t in _query) t?.Dispose();
        foreach (Tensor? t in _keyValue) t?.Dispose();
    }
}
