using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>
/// EAP-GP: gradients averaged along the embedding path, a path of the token embedding by which, step by step, the output comes nearer to
/// the corrupted run's.
///
///     gamma_0 = clean embedding;   g = d ||G(gamma_j) - G(x')||^2 / d gamma;   gamma_{j+1} = gamma_j - eta g / ||g||   (per item)
///     score[u, v] = (u' - u) . 1/k sum over j = 1..k of dL(gamma_j)/dv
///
/// With G the logits and eta = 1 it is arXiv 2502.06852 as two public re-implementations read it
/// (<see cref="EmbeddingPathOptions.Published"/>); <see cref="EmbeddingPathSteps"/> has the steps by distance, and the directions beside
/// the gradient's.
///
/// The forward pass at gamma_j serves both its score gradient and the next step's direction; the two backward passes share one doubled
/// batch. The first direction comes from the clean run, which is needed anyway.
/// </summary>
internal sealed class EmbeddingPathGradients : BatchScorer
{
    private readonly ItemMetrics _metrics;
    private readonly List<EmbeddingPathPoint>? _recorded;
    private readonly DeviceArray<double> _sums;
    private readonly ScoringSettings _settings;
    private readonly bool _answerOnly;
    private readonly PairRun _pair;
    private readonly Activations _activations;
    private readonly PromptEmbeddings _prompts;
    private readonly BackwardPass _backward;
    private readonly ReaderGradients _readers;
    private readonly OutputHead _head;
    private readonly OutputDistance? _distance;
    private readonly EmbeddingPathObjectiveGradient _objective;
    private readonly EmbeddingPathEnds _ends;
    private readonly EmbeddingPathSteps _steps;
    private readonly Tensor _gamma;
    private readonly Tensor _rowFactors;
    private readonly WriterOutputs _now;
    private readonly WriterOutputs _next;
    private readonly WriterDifferences _delta;
    private readonly double[] _target;
    private readonly float[] _factors;
    private Tensor? _objectiveResidual;
    private Tensor? _objectiveGradient;

    /// <summary>Allocates for the largest batch.</summary>
    /// <param name="context">The run.</param>
    /// <param name="settings">Method and settings.</param>
    public EmbeddingPathGradients(RunContext context, ScoringSettings settings)
        : base(context)
    {
        _settings = settings;
        _metrics = new ItemMetrics(context.Pairs.Count);
        _recorded = settings.RecordPath ? [] : null;
        PromptSpan[] spans = context.Largest;
        _answerOnly = RunsAnswerOnly(_settings);
        Device device = context.Device;
        int d = context.Config.Width;
        var one = PassCapacity.For(spans, 1, _answerOnly);
        var two = PassCapacity.For(spans, 2, _answerOnly);
        _sums = Own(device.AllocateZeroArray<double>(context.ScoreCells));
        ReaderConstants constants = Own(new ReaderConstants(context.Weights));
        _backward = Own(new BackwardPass(context.Weights, one, 2));
        _readers = Own(new ReaderGradients(
            context.Weights, constants, one, _settings.Path.Outer == EmbeddingPathOuter.Path ? 1 : _settings.Steps, _answerOnly,
            spans: SpansOf(one, one)));
        _head = Own(new OutputHead(context.Weights, _settings.Metric, spans.Length, two.Sequences));
        _pair = Own(new PairRun(context, spans, _answerOnly, _head));
        _activations = _pair.Activations;
        _prompts = _pair.Prompts;
        bool logits = _settings.Path.Objective is EmbeddingPathObjective.LogitsAll or EmbeddingPathObjective.LogitsLast;
        _distance = logits || _settings.RecordPath ? Own(new OutputDistance(context.Weights, two, one.FinalRows)) : null;
        _objective = Own(new EmbeddingPathObjectiveGradient(context.Weights, _settings.Path.Objective, two, _distance));
        _gamma = Own(device.Allocate(one.Rows, d));
        _rowFactors = Own(device.Allocate(one.Rows));
        _now = Own(new WriterOutputs(context.Config, device, one));
        _next = Own(new WriterOutputs(context.Config, device, one));
        _delta = Own(new WriterDifferences(context.Weights, one, _answerOnly));
        _ends = Own(new EmbeddingPathEnds(context, _settings.Path.Start, _pair, _head, _backward, one.Rows));
        _steps = Own(new EmbeddingPathSteps(context, settings, _prompts, _ends, _objective, one.Rows));
        (_target, _factors) = (new double[spans.Length], new float[one.Rows]);
    }

    /// <summary>How many passes a prompt pair takes.</summary>
    /// <param name="settings">The settings.</param>
    public static PassCounts Passes(ScoringSettings settings)
    {
        (EmbeddingPathSettings path, int k) = (settings.Path, settings.Steps);
        int measured = path.Start == EmbeddingPathStart.Auto ? 2 : 0;
        int backward = !path.FollowsObjective ? k : path.Objective == EmbeddingPathObjective.Metric ? k + 1 : 2 * k;
        return new PassCounts(k + 2 + measured, backward + measured);
    }

    /// <inheritdoc />
    public override ScoreSums Finish() => ScoreSums.Of(Context, _sums.ToArray(), _metrics, _recorded);

    /// <inheritdoc />
    protected override void ScoreBatch(WeightedBatch batch)
    {
        PassShape both = Context.Shapes.Get(batch.Spans, 2, _answerOnly);
        PassShape one = Context.Shapes.Get(batch.Spans, 1, _answerOnly);
        RunBoth(batch, both, one);
        int k = _settings.Steps;
        bool alongPath = _settings.Path.Outer == EmbeddingPathOuter.Path;
        bool byMetric = _settings.Path.Objective == EmbeddingPathObjective.Metric;
        Tensor objectiveResidual = SecondCopy(ref _objectiveResidual, one.FinalRows);
        Tensor objectiveGradient = SecondCopy(ref _objectiveGradient, one.Rows);
        for (int j = 0; j <= k; j++)
        {
            bool counts = alongPath ? j < k : j > 0;
            bool needsMetric = counts || _settings.RecordPath || byMetric;
            Tensor direction = Backward(one, needsMetric, counts, j < k, objectiveResidual, objectiveGradient);
            if (_settings.RecordPath) Record(batch, one, j);
            if (j == k) break;
            if (byMetric) ScaleByMetric(batch, direction, one);
            _steps.Take(one, _activations, _gamma, direction, j);
            Context.Forward.Run(one, _activations);
            _head.Evaluate(one, _activations, -1, values: _settings.RecordPath || byMetric);
            if (alongPath) ContractSegment(one);
            Advance("path", 0.95 * (j + 1) / k);
        }
        if (!alongPath) _readers.Contract(one, _delta, _sums);
    }

    // Shares with the answer-only form only what never looks at another position's output.
    private static bool RunsAnswerOnly(ScoringSettings settings) =>
        EmbeddingPathObjectiveGradient.AnswerOnly(settings.Path.Objective) && !settings.RecordPath;

    // The run at the path's start (copy 0, whose activations serve the first step) and the run it heads for (copy 1).
    private void RunBoth(WeightedBatch batch, PassShape both, PassShape one)
    {
        int items = batch.Items.Length;
        _pair.Load(batch);
        _ends.Begin(batch, one);
        _metrics.Note(batch, _ends.Run(both));
        Context.Device.CopyBlock(_ends.Start, 0, _gamma, 0, (long)one.Rows * Context.Config.Width);
        _objective.CaptureTarget(both, _activations, 1);
        if (_settings.RecordPath && _settings.Path.Objective is not (EmbeddingPathObjective.LogitsAll or EmbeddingPathObjective.LogitsLast))
        {
            _distance!.CaptureTarget(both, _activations, 1);
        }
        if (_settings.Path.Outer == EmbeddingPathOuter.Delta)
        {
            _next.TakeDifference(both, _activations, _pair.Embeddings, _ends.RowWeights, _ends.ItemWeights);
            _delta.Spread(one, _next);
        }
        else
        {
            _pair.TakeWriters(both, 0, _now);
        }
        _readers.Reset();
        _steps.Begin(one);
        _head.Values.AsSpan(items, items).CopyTo(_target);
    }

    // The rows of the second cotangent in the backward pass's residual gradients; made anew where a batch has another number of rows.
    private Tensor SecondCopy(ref Tensor? slice, int rows)
    {
        int d = Context.Config.Width;
        if (slice?.Length != (long)rows * d) slice = _backward.Residual.Slice((long)rows * d, rows, d);
        return slice;
    }

    // Metric first, objective second; returns the objective's gradient at the embedding (the metric's own where that is the objective).
    private Tensor Backward(PassShape one, bool metric, bool counts, bool objective, Tensor objectiveResidual, Tensor objectiveGradient)
    {
        bool second = objective && _settings.Path.Objective != EmbeddingPathObjective.Metric && _settings.Path.FollowsObjective;
        if (metric) _head.LossGradient(one, _backward, counts ? _readers : null, counts ? 1 : 0);
        if (second) _objective.Gradient(one, _activations, metric ? objectiveResidual : _backward.Residual);
        _backward.Run(one, _activations, metric && second ? 2 : 1, counts ? _readers : null, counts ? 1 : 0);
        if (counts) _readers.Advance(1);
        return metric && second ? objectiveGradient : _backward.Residual;
    }

    // d (L - L')^2 = 2 (L - L') dL, with L the metric; the pass gave the gradient of its loss.
    private void ScaleByMetric(WeightedBatch batch, Tensor gradient, PassShape one)
    {
        int sign = _settings.Metric.LossSign;
        Span<float> factors = _factors.AsSpan(0, one.Rows);
        for (int i = 0, row = 0; i < batch.Items.Length; i++)
        {
            for (int p = 0; p < batch.Spans[i].Length; p++) factors[row++] = (float)(2 * sign * (_head.Values[i] - _target[i]));
        }
        _rowFactors.Upload(factors);
        Context.Device.ScaleRows(gradient, _rowFactors, one.Rows, one.Rows, Context.Config.Width, gradient);
    }

    // (writers at gamma_{j+1} - writers at gamma_j) . gradients at gamma_j.
    private void ContractSegment(PassShape one)
    {
        _next.Take(one, _activations, _gamma, 0);
        _now.Combine(one, 1, _next, -1, _now);
        _ends.Weight(one, _now);
        _delta.Spread(one, _now);
        _readers.Contract(one, _delta, _sums);
        _readers.Reset();
        _now.Combine(one, 1, _next, 0, _next);
    }

    private void Record(WeightedBatch batch, PassShape one, int step)
    {
        // The metric is the first cotangent; the norm of its loss is its own.
        double[] gradientNorms = _prompts.Norms(one, _backward.Residual);
        var distances = new double[batch.Items.Length];
        _distance!.Compare(one, _activations);
        _distance.Distances(one, distances);
        double[] fromClean = _prompts.Distance(one, _gamma, _prompts.Clean, _prompts.Point);
        double[] fromCorrupted = _prompts.Distance(one, _gamma, _prompts.Corrupted, _prompts.Point);
        for (int i = 0; i < batch.Items.Length; i++)
        {
            _recorded!.Add(new EmbeddingPathPoint(
                batch.Items[i], step, _head.Values[i], gradientNorms[i], distances[i], fromClean[i], fromCorrupted[i],
                _ends.FromClean(i) ? EmbeddingPathStart.Clean : EmbeddingPathStart.Corrupted));
        }
    }
}
