using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Kernels;
using Gradpath.Kernels.Circuits;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>
/// AtP* (Kramar et al. 2024, arXiv 2403.00745) for edges. Two things make EAP overlook edges. A saturated softmax has no gradient: edges
/// into queries and keys go through the exact softmax, see <see cref="SoftmaxEffects"/>. And effects along several paths cancel: GradDrop
/// takes the gradient once for every layer, with nothing flowing back through that layer's attention and MLP.
///
///     score[u, v] = mean over layers other than v's own of |score of the item with the layer's gradient dropped|
///
/// Scores are sizes, item by item, and their mean over items has no sign. Of an item whose answers have several tokens, sizes are taken
/// token by token and added up.
/// </summary>
/// <remarks>
/// A reader in the dropped layer gets no gradient, hence the mean over the others. Dropping a layer before the reader changes nothing
/// there, so those terms are the plain score's; for the logits all are, and in a model of one layer nothing is dropped. The gradient
/// behind a layer is kept from the plain pass, and the pass without the layer goes on from there. Sizes are taken item by item, so items
/// run one by one.
/// </remarks>
internal sealed class DroppedGradients : BatchScorer
{
    private const bool AnswerOnly = true;

    private static readonly HeadInput[] s_patterns = [HeadInput.Query, HeadInput.Key];

    private readonly int _layers;
    private readonly ItemMetrics _metrics;
    private readonly double[] _totals;
    private readonly double[] _linear;
    private readonly double[] _exact;
    private readonly DeviceArray<double> _linearSums;
    private readonly DeviceArray<double> _exactSums;
    private readonly BackwardPass _backward;
    private readonly ReaderGradients _readers;
    private readonly OutputHead _head;
    private readonly PairRun _pair;
    private readonly WriterOutputs _clean;
    private readonly WriterOutputs _difference;
    private readonly WriterDifferences _delta;
    private readonly AblationTargets _ablation;
    private readonly SoftmaxEffects _softmax;
    private readonly Tensor[] _behind;
    private readonly Tensor[][] _mixed;

    /// <summary>Allocates for the largest item.</summary>
    /// <param name="context">The run.</param>
    /// <param name="settings">Metric and settings.</param>
    public DroppedGradients(RunContext context, ScoringSettings settings)
        : base(context)
    {
        _layers = context.Config.Layers;
        _metrics = new ItemMetrics(context.Pairs.Count);
        PromptSpan[] spans = PromptSpan.Largest(context.Spans, 1);
        Device device = context.Device;
        var one = PassCapacity.For(spans, 1, AnswerOnly);
        var two = PassCapacity.For(spans, 2, AnswerOnly);
        long cells = (long)context.Graph.Writers * context.Graph.Readers;
        _linearSums = Own(device.AllocateZeroArray<double>(cells));
        _exactSums = Own(device.AllocateZeroArray<double>(_layers * BlockSize));
        (_totals, _linear, _exact) = (new double[cells], new double[cells], new double[_layers * BlockSize]);
        ReaderConstants constants = Own(new ReaderConstants(context.Weights));
        _backward = Own(new BackwardPass(context.Weights, one, 1));
        _readers = Own(new ReaderGradients(context.Weights, constants, one, 1, AnswerOnly));
        _head = Own(new OutputHead(context.Weights, settings.Metric, 1, two.Sequences));
        _pair = Own(new PairRun(context, spans, AnswerOnly, _head));
        _clean = Own(new WriterOutputs(context.Config, device, one));
        _difference = Own(new WriterOutputs(context.Config, device, one));
        _delta = Own(new WriterDifferences(context.Weights, one, AnswerOnly));
        _ablation = Own(new AblationTargets(context, AnswerOnly));
        _softmax = Own(new SoftmaxEffects(context, one));
        _behind = [.. Enumerable.Range(0, _layers).Select(l => Own(device.Allocate(RowsOf(l), context.Config.Width)))];

        // The plain gradient at every layer, then those without layer 1, 2, ...: they differ from it below that layer.
        _mixed = [.. Enumerable.Range(0, _layers).Select(dropped => Enumerable.Range(0, dropped == 0 ? _layers : dropped)
            .Select(l => Own(device.Allocate(RowsOf(l), context.Config.Width))).ToArray())];

        int RowsOf(int layer) => layer == _layers - 1 ? one.FinalRows : one.Rows;
    }

    // Scores of a layer's queries and keys by one gradient: a row per writer, its heads' queries and then its heads' keys.
    private long BlockSize => (long)Context.Graph.Writers * BlockStride;

    private int BlockStride => s_patterns.Length * Context.Graph.Heads;

    /// <inheritdoc />
    public override ScoreSums Finish() => new([.. _totals], null, _metrics);

    /// <inheritdoc />
    public override void Rehearse(WeightedBatch batch)
    {
        // Items of other lengths have layouts of their own, as many as are kept.
        List<PassShape> others = [];
        for (int i = 1; i < Math.Min(batch.Items.Length, PassShapes.Most); i++)
        {
            for (int copies = 1; copies <= 2; copies++) others.Add(new PassShape(Context.Device, batch.Spans[..1], copies, AnswerOnly));
            if (batch.PrefixSpans.Length > 0) others.Add(new PassShape(Context.Device, batch.PrefixSpans[..1], 1, false));
        }
        ScoreItem(batch, 0);
        foreach (PassShape shape in others) shape.Dispose();
    }

    /// <inheritdoc />
    protected override void ScoreBatch(WeightedBatch batch)
    {
        for (int i = 0; i < batch.Items.Length; i++) ScoreItem(batch, i);
    }

    // How much the size of a layer's scores counts without the gradient of another layer (0: with all gradients).
    private double Share(int dropped, int layer)
    {
        if (_layers == 1) return 1;
        return dropped == 0 ? (double)layer / (_layers - 1) : dropped > layer ? 1.0 / (_layers - 1) : 0;
    }

    private void ScoreItem(WeightedBatch batch, int i)
    {
        using var item = new PairBatch(Context.Device, Context.Pairs, [batch.Items[i]], Context.Spans);
        PassShape both = Context.Shapes.Get(item.Spans, 2, AnswerOnly);
        PassShape one = Context.Shapes.Get(item.Spans, 1, AnswerOnly);
        _metrics.Note(item, _pair.Run(item, both));
        _pair.TakeWriters(both, 0, _clean);
        _pair.TakeWriters(both, 1, _difference);
        _ablation.Difference(one, _clean, _difference, _difference);
        _delta.Spread(one, _difference);
        RunPlain(one, batch.HostItemWeights[i]);
        for (int dropped = _layers - 1; dropped > 0; dropped--) RunWithout(dropped, one, batch.HostItemWeights[i]);
        Advance("gradients", (i + 0.3) / batch.Items.Length);
        for (int layer = 0; layer < _layers; layer++)
        {
            ScorePatterns(one, layer, batch.HostItemWeights[i]);
            Advance("softmax", (i + 0.3 + (0.7 * (layer + 1) / _layers)) / batch.Items.Length);
        }
    }

    private void RunPlain(PassShape one, double weight)
    {
        _readers.Reset();
        _head.LossGradient(one, _backward, _readers, 1);
        RunLayers(one, _layers - 1, _mixed[0], _behind);
        AddLinear(one, 0, weight);
    }

    private void RunWithout(int dropped, PassShape one, double weight)
    {
        _readers.Reset();
        Context.Device.CopyBlock(_behind[dropped], 0, _backward.Residual, 0, SizeOf(one, dropped));
        _backward.Skip(one, dropped);
        RunLayers(one, dropped - 1, _mixed[dropped], null);
        AddLinear(one, dropped, weight);
    }

    private long SizeOf(PassShape one, int layer) => (long)one.QueryRows(layer, _layers) * Context.Config.Width;

    // Backwards through a layer and all before it; keeps the gradients at the heads' mixed values and, where wanted, behind each layer.
    private void RunLayers(PassShape one, int from, Tensor[] mixed, Tensor[]? behind)
    {
        for (int l = from; l >= 0; l--)
        {
            if (behind is not null) Context.Device.CopyBlock(_backward.Residual, 0, behind[l], 0, SizeOf(one, l));
            _backward.Run(one, _pair.Activations, 1, _readers, 1, from: 2 * (l + 1), downTo: 2 * l);
            Context.Device.CopyBlock(_backward.MixedGradient, 0, mixed[l], 0, SizeOf(one, l));
        }
        _readers.Advance(1);
    }

    // Everything but queries and keys: the writers' differences times the readers' gradients.
    private void AddLinear(PassShape one, int dropped, double weight)
    {
        ComputationGraph graph = Context.Graph;
        Array.Clear(_linear);
        _linearSums.Upload(_linear);
        _readers.Contract(one, _delta, _linearSums, endLayer: dropped == 0 ? _layers : dropped);
        _linearSums.Download(_linear);
        for (int column = 0; column < graph.Readers; column++)
        {
            bool logits = column == graph.LogitsColumn;
            double share = !logits ? Share(dropped, graph.LayerOfReader(column)) : dropped == 0 ? 1 : 0;
            bool pattern = graph.KindOfReader(column) == NodeKind.Head && s_patterns.Contains(graph.InputOfReader(column));
            if (share == 0 || pattern) continue;
            for (int row = 0; row < graph.WritersBefore(column); row++)
            {
                long cell = ((long)row * graph.Readers) + column;
                _totals[cell] += weight * share * Math.Abs(_linear[cell]);
            }
        }
    }

    // A layer's queries and keys: the exact effects on what the heads mix times the gradients there.
    private void ScorePatterns(PassShape one, int layer, double weight)
    {
        ComputationGraph graph = Context.Graph;
        Array.Clear(_exact);
        _exactSums.Upload(_exact);
        int[] counted = [.. Enumerable.Range(0, _layers).Where(dropped => Share(dropped, layer) > 0)];
        for (int p = 0; p < s_patterns.Length; p++)
        {
            _softmax.Measure(one, _pair.Activations, _delta, layer, s_patterns[p]);
            foreach (int dropped in counted)
            {
                _softmax.Contract(
                    one, layer, _mixed[dropped][layer],
                    new ScoreBlock(_exactSums, BlockStride, (dropped * BlockSize) + (p * graph.Heads)));
            }
        }
        _exactSums.Download(_exact);
        foreach (int dropped in counted)
        {
            for (int row = 0; row < graph.HeadRow(layer, 0); row++)
            {
                for (int c = 0; c < BlockStride; c++)
                {
                    int column = graph.HeadColumn(layer, s_patterns[c / graph.Heads], c % graph.Heads);
                    double score = _exact[(dropped * BlockSize) + ((long)row * BlockStride) + c];
                    _totals[((long)row * graph.Readers) + column] += weight * Share(dropped, layer) * Math.Abs(score);
                }
            }
        }
    }
}
