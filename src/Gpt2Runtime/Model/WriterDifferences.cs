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
    private readonly Tensor _answerZ;

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
        _answerZ = Own(_device.Allocate(capacity.Sequences, _config.Width));
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
        int d = _config.Width;
        int rows = shape.BaseRows;
        int items = shape.Items;
        _device.CopyBlock(outputs.Input, 0, AtAllRows, 0, (long)rows * d);
        GatherAnswers(outputs.Input, 0);
        for (int l = 0; l < _config.Layers; l++)
        {
            int row = _graph.HeadRow(l, 0);
            int mlpRow = _graph.MlpRow(l);
            bool last = shape.AnswerOnly && l == _config.Layers - 1;
            if (!last)
            {
                SpreadHeads(outputs.Z[l], l, rows, AtAllRows, row);
                _device.CopyBlock(outputs.Mlp[l], 0, AtAllRows, (long)mlpRow * rows * d, (long)rows * d);
                _device.GatherRows(outputs.Z[l], shape.AnswerRows, items, d, _answerZ);
                SpreadHeads(_answerZ, l, items, AtAnswers, row);
                GatherAnswers(outputs.Mlp[l], mlpRow);
            }
            else
            {
                SpreadHeads(outputs.Z[l], l, items, AtAnswers, row);
                _device.CopyBlock(outputs.Mlp[l], 0, AtAnswers, (long)mlpRow * items * d, (long)items * d);
            }
        }

        void GatherAnswers(Tensor from, int writer)
        {
            _device.GatherRows(from, shape.AnswerRows, items, d, _answerZ);
            _device.CopyBlock(_answerZ, 0, AtAnswers, (long)writer * items * d, (long)items * d);
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
