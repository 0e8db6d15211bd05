using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Model;

/// <summary>
/// Compact writer outputs (or differences of them) spread out to one D-wide row per writer and position, as the contraction reads them:
/// delta[F, rows * D]. In an answer-only pass the last layer's writers exist at the answer rows alone.
/// </summary>
internal sealed class WriterDifferences : ResourceOwner
{
    private readonly Gpt2Weights _weights;
    private readonly Gpt2Config _config;
    private readonly ComputationGraph _graph;
    private readonly Device _device;

    /// <summary>Allocates for the largest batch.</summary>
    /// <param name="weights">The weights of the model, on the device that computes.</param>
    /// <param name="capacity">The largest batch, one copy.</param>
    /// <param name="answerOnly">Whether the last layer is only needed at the answer positions.</param>
    public WriterDifferences(Gpt2Weights weights, PassCapacity capacity, bool answerOnly)
    {
        _weights = weights;
        _config = weights.Config;
        _graph = new ComputationGraph(_config);
        _device = weights.Device;
        int writers = WritersAtAllRows(_graph, answerOnly);
        AtAllRows = Own(_device.Allocate(writers, capacity.Rows, _config.Width));
        AtAnswers = Own(_device.Allocate(_graph.Writers, capacity.Sequences, _config.Width));
    }

    /// <summary>[writers, rows * D]: all writers, without the last layer's in an answer-only pass.</summary>
    public Tensor AtAllRows { get; }

    /// <summary>[F, items * D]: all writers at the answer rows.</summary>
    public Tensor AtAnswers { get; }

    /// <summary>Spreads compact outputs.</summary>
    /// <param name="shape">A pass whose first copy they are.</param>
    /// <param name="outputs">The compact form.</param>
    public void Spread(PassShape shape, WriterOutputs outputs) => _device.Replay(
        shape.Slot(new PassKey(this, outputs)), (Differences: this, shape, outputs), static s => s.Differences.Issue(s.shape, s.outputs));

    private void Issue(PassShape shape, WriterOutputs outputs)
    {
        (int d, int rows, int items, int last) = (_config.Width, shape.BaseRows, shape.Items, _config.Layers - 1);

        // The token embedding and the MLPs stand as far apart as layers do: heads and one MLP.
        bool even = !shape.AnswerOnly && outputs.Blocks.IsEven;
        Matrix plain = outputs.Blocks.InputAndMlps(rows, last: even);
        int apart = _graph.MlpRow(0);
        _device.CopyMatrix(plain, new Matrix(AtAllRows, 0, plain.Rows, plain.Columns, checked(apart * plain.Columns)));
        for (int l = 0; l < last; l++) SpreadHeads(outputs.Z[l], l, rows, AtAllRows, _graph.HeadRow(l, 0));
        int writers = _graph.HeadRow(last, 0);
        if (!shape.AnswerOnly)
        {
            SpreadHeads(outputs.Z[last], last, rows, AtAllRows, writers);
            if (!even) CopyLastMlp(rows, AtAllRows);
            writers = _graph.Writers;
        }
        _device.GatherBlocks(AtAllRows, rows, shape.AnswerRows, items, writers, d, AtAnswers);
        if (!shape.AnswerOnly) return;
        SpreadHeads(outputs.Z[last], last, items, AtAnswers, writers);
        CopyLastMlp(items, AtAnswers);

        void CopyLastMlp(int count, Tensor target)
        {
            long block = (long)count * d;
            _device.CopyBlock(outputs.Mlp[last], 0, target, _graph.MlpRow(last) * block, block);
        }
    }

    // Row h of the target: z_h W_O,h, one product per head.
    private void SpreadHeads(Tensor z, int layer, int rows, Tensor target, int firstWriter)
    {
        int d = _config.Width;
        int w = _config.HeadWidth;
        var heads = new Matrix(z, 0, rows, w, d);
        var output = new Matrix(_weights.Layers[layer].OutputWeight, 0, w, d, d);
        var to = new Matrix(target, (long)firstWriter * rows * d, rows, d, d);
        _device.Gemm(heads, output, to, new GemmOptions(Batch: _config.Heads, StepA: w, StepB: (long)w * d, StepC: (long)rows * d));
    }

    private static int WritersAtAllRows(ComputationGraph graph, bool answerOnly) => answerOnly
        ? graph.HeadRow(graph.Layers - 1, 0)
        : graph.Writers;
}
