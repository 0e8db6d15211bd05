using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>
/// EAP, EAP-IG (inputs) and clean-corrupted: one method with different points on the straight line between the corrupted and the clean
/// token embedding. All points of a batch are copies in one pass, together with the clean and the corrupted run, which are points
/// themselves at the shares 1 and 0.
///
///     score[u, v] = (u' - u) . mean over points of dL/dv
///
/// EAP (Syed et al. 2023) has the clean run as its only point; EAP-IG (Hanna et al. 2024) has m; clean-corrupted has both ends. See
/// <see cref="InterpolationPoints"/>. RelP and GIM are EAP with other rules for the backward pass, see <see cref="PropagationRules"/>.
/// </summary>
internal sealed class InterpolatedGradients : BatchScorer
{
    private const int AmpleRows = 4096;

    private readonly double[] _shares;
    private readonly int _counted;
    private readonly bool _answerOnly;
    private readonly int _pointsPerPass;
    private readonly double[][] _passes;
    private readonly ItemMetrics _metrics;
    private readonly List<EmbeddingPathPoint>? _recorded;
    private readonly DeviceArray<double> _sums;
    private readonly Activations _activations;
    private readonly BackwardPass _backward;
    private readonly ReaderGradients _readers;
    private readonly OutputHead _head;
    private readonly OutputDistance? _distance;
    private readonly PromptEmbeddings _prompts;
    private readonly Tensor _embeddings;
    private readonly WriterOutputs _clean;
    private readonly WriterOutputs _corrupted;
    private readonly WriterDifferences _delta;
    private readonly AblationTargets _ablation;
    private readonly PrefixKeys? _prefix;

    /// <summary>Allocates for the largest batch.</summary>
    /// <param name="context">The run.</param>
    /// <param name="settings">Metric and whether to record.</param>
    /// <param name="points">Where gradients are taken.</param>
    /// <param name="rules">What stands in their place in the backward pass; null for derivatives.</param>
    public InterpolatedGradients(
        RunContext context, ScoringSettings settings, InterpolationPoints points, BackwardRules? rules = null)
        : base(context)
    {
        rules ??= BackwardRules.Derivatives;
        (_shares, _counted) = (points.Run(settings.RecordPath), points.Counted.Length);
        _answerOnly = !settings.RecordPath;
        _metrics = new ItemMetrics(context.Pairs.Count);
        _recorded = settings.RecordPath ? [] : null;
        PromptSpan[] spans = context.Largest;
        _pointsPerPass = PointsPerPass(context.Device.RowsOfCopies(AmpleRows), _shares.Length, spans.Sum(s => s.Length));

        // Copies of a pass: the points first, then what else the first pass needs: the clean and the corrupted run where they are no
        // points.
        _passes = [.. _shares.Chunk(_pointsPerPass)];
        _passes[0] = [.. _passes[0], .. InterpolationPoints.Ends.Except(_passes[0])];
        Device device = context.Device;
        var one = PassCapacity.For(spans, 1, _answerOnly);
        var all = PassCapacity.For(spans, _pointsPerPass + 2, _answerOnly);
        _sums = Own(device.AllocateZeroArray<double>(context.ScoreCells));
        ReaderConstants constants = Own(new ReaderConstants(context.Weights));
        _activations = Own(new Activations(context.Config, device, all, keepWriters: true, keepRatios: rules.ActivationRatios));
        var gradients = PassCapacity.For(spans, _pointsPerPass, _answerOnly);
        _backward = Own(new BackwardPass(context.Weights, gradients, 1, rules));
        _readers = Own(new ReaderGradients(
            context.Weights, constants, one, _counted, _answerOnly, rules, spans: SpansOf(one, gradients)));
        _head = Own(new OutputHead(context.Weights, settings.Metric, spans.Length, all.Sequences, rules, all.FinalRows));
        _distance = settings.RecordPath ? Own(new OutputDistance(context.Weights, all, one.Rows)) : null;
        _prompts = Own(new PromptEmbeddings(context.Weights, one.Rows));
        _embeddings = Own(device.Allocate(all.Rows, context.Config.Width));
        _clean = Own(new WriterOutputs(context.Config, device, one));
        _corrupted = Own(new WriterOutputs(context.Config, device, one));
        _delta = Own(new WriterDifferences(context.Weights, one, _answerOnly));
        _ablation = Own(new AblationTargets(context, _answerOnly));
        if (spans.Any(s => s.Prefix > 0)) _activations.Prefix = _prefix = Own(new PrefixKeys(context.Weights, spans));
    }

    /// <inheritdoc />
    public override ScoreSums Finish() => ScoreSums.Of(Context, _sums.ToArray(), _metrics, _recorded);

    /// <inheritdoc />
    protected override void ScoreBatch(WeightedBatch batch)
    {
        _prompts.Load(batch);
        _head.SetItems(batch.Pairs, batch.Items);
        if (_prefix is not null && batch.PrefixSpans.Length > 0)
            _prefix.Run(Context.Forward, Context.Shapes.Get(batch.PrefixSpans, 1, false), batch.PrefixTokens);
        int recorded = _distance is null ? 0 : _shares.Length;
        double[][] metric = Recorded(), gradientNorm = Recorded(), distance = Recorded();
        PassShape one = Context.Shapes.Get(batch.Spans, 1, _answerOnly);
        _readers.Reset();
        for (int first = 0; first < _shares.Length; first += _pointsPerPass)
        {
            int points = Math.Min(_pointsPerPass, _shares.Length - first);
            RunPoints(batch, one, first, points, metric, gradientNorm, distance);
            Advance("gradients", 0.9 * (first + points) / _shares.Length);
        }
        _ablation.Difference(one, _clean, _corrupted, _corrupted);
        _corrupted.Weight(one, batch.RowWeights, batch.ItemWeights);
        _delta.Spread(one, _corrupted);
        _readers.Contract(one, _delta, _sums);
        if (_recorded is not null) Record(batch, one, metric, gradientNorm, distance);

        double[][] Recorded() => recorded == 0 ? [] : new double[recorded][];
    }

    private static int PointsPerPass(int most, int points, int rows) => Math.Clamp((most / Math.Max(1, rows)) - 2, 1, points);

    private void RunPoints(
        WeightedBatch batch, PassShape one, int first, int points, double[][] metric, double[][] gradientNorm, double[][] distance)
    {
        double[] shares = _passes[first / _pointsPerPass];
        int items = batch.Items.Length;
        int clean = Array.IndexOf(shares, 1), corrupted = Array.IndexOf(shares, 0);
        PassShape shape = Context.Shapes.Get(batch.Spans, shares.Length, _answerOnly);
        PassShape gradientShape = Context.Shapes.Get(batch.Spans, points, _answerOnly);
        for (int c = 0; c < shares.Length; c++) _prompts.Interpolate(shares[c], batch.Rows, _embeddings, c);
        Context.Forward.Embed(shape, _activations, _embeddings);
        Context.Forward.Run(shape, _activations);
        _head.Evaluate(shape, _activations, first == 0 ? clean : -1);
        if (first == 0)
        {
            _clean.Take(shape, _activations, _embeddings, clean);
            _corrupted.Take(shape, _activations, _embeddings, corrupted);
            _metrics.Note(batch, new PairMetrics(_head.Values.AsSpan(clean * items, items), _head.Values.AsSpan(corrupted * items, items)));
        }
        int counted = Math.Clamp(_counted - first, 0, points);
        if (_distance is not null)
        {
            if (first == 0) _distance.CaptureTarget(shape, _activations, corrupted);
            var all = new double[shape.Sequences];
            _distance.Compare(shape, _activations);
            _distance.Distances(shape, all);
            for (int p = 0; p < points; p++)
            {
                distance[first + p] = all[(p * items)..((p + 1) * items)];
                metric[first + p] = _head.Values[(p * items)..((p + 1) * items)];
            }
        }
        _head.LossGradient(gradientShape, _backward, _readers, counted);
        _backward.Run(gradientShape, _activations, 1, _readers, counted);
        _readers.Advance(counted);
        if (_distance is null) return;
        double[] norms = _prompts.Norms(gradientShape, _backward.Residual);
        for (int p = 0; p < points; p++) gradientNorm[first + p] = norms[(p * items)..((p + 1) * items)];
    }

    private void Record(WeightedBatch batch, PassShape one, double[][] metric, double[][] gradientNorm, double[][] distance)
    {
        double[] apart = _prompts.Distance(one, _prompts.Clean, _prompts.Corrupted, _prompts.Point);
        int[] order = [.. Enumerable.Range(0, _shares.Length).OrderBy(p => _shares[p])];
        EmbeddingPathStart start = _shares[order[0]] == 1 ? EmbeddingPathStart.Clean : EmbeddingPathStart.Corrupted;
        for (int i = 0; i < batch.Items.Length; i++)
        {
            for (int step = 0; step < order.Length; step++)
            {
                int p = order[step];
                _recorded!.Add(new EmbeddingPathPoint(
                    batch.Items[i], step, metric[p][i], gradientNorm[p][i], distance[p][i], (1 - _shares[p]) * apart[i],
                    _shares[p] * apart[i], start));
            }
        }
    }
}
