using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>
/// CEAP (Wu et al. 2026, arXiv 2606.16920): EAP-IG's line between the corrupted and the clean token embedding, cut into m segments. Each
/// gradient is paired with how far the writers move in its own segment, not with their whole difference. With u_k the writer's output at
/// the share k / m of the clean embedding:
///
///     score[u, v] = sum over k = 0..m-1 of (u_k - u_{k+1}) . dL/dv in segment k
///
/// The gradient is taken at the segment's start, end or middle, see <see cref="IgPoints"/>. In the limit of many segments the scores into
/// any set of readers that all paths pass through sum up to the change of the loss; EAP-IG's do so for the edges of the input alone.
/// </summary>
/// <remarks>
/// The line is walked from the end where the first gradient is taken. A run at the end of a segment serves the writers and, but for
/// midpoints, the next gradient.
/// </remarks>
internal sealed class SegmentedGradients : BatchScorer
{
    private const bool AnswerOnly = true;

    private readonly int _steps;
    private readonly bool _midpoint;
    private readonly bool _fromClean;
    private readonly ItemMetrics _metrics;
    private readonly DeviceArray<double> _sums;
    private readonly BackwardPass _backward;
    private readonly ReaderGradients _readers;
    private readonly OutputHead _head;
    private readonly PairRun _pair;
    private readonly WriterOutputs _now;
    private readonly WriterOutputs _next;
    private readonly WriterOutputs _last;
    private readonly WriterDifferences _delta;

    /// <summary>Allocates for the largest batch.</summary>
    /// <param name="context">The run.</param>
    /// <param name="settings">Metric, number of segments and where gradients are taken.</param>
    public SegmentedGradients(RunContext context, ScoringSettings settings)
        : base(context)
    {
        _steps = settings.Steps;
        (_midpoint, _fromClean) = (settings.IgPoints == IgPoints.Midpoint, settings.IgPoints == IgPoints.Right);
        _metrics = new ItemMetrics(context.Pairs.Count);
        PromptSpan[] spans = context.Largest;
        Device device = context.Device;
        var one = PassCapacity.For(spans, 1, AnswerOnly);
        var two = PassCapacity.For(spans, 2, AnswerOnly);
        _sums = Own(device.AllocateZeroArray<double>(context.ScoreCells));
        ReaderConstants constants = Own(new ReaderConstants(context.Weights));
        _backward = Own(new BackwardPass(context.Weights, one, 1));
        _readers = Own(new ReaderGradients(context.Weights, constants, one, 1, AnswerOnly, spans: SpansOf(one, one)));
        _head = Own(new OutputHead(context.Weights, settings.Metric, spans.Length, two.Sequences));
        _pair = Own(new PairRun(context, spans, AnswerOnly, _head));
        _now = Own(new WriterOutputs(context.Config, device, one));
        _next = Own(new WriterOutputs(context.Config, device, one));
        _last = Own(new WriterOutputs(context.Config, device, one));
        _delta = Own(new WriterDifferences(context.Weights, one, AnswerOnly));
    }

    /// <inheritdoc />
    public override ScoreSums Finish() => ScoreSums.Of(Context, _sums.ToArray(), _metrics);

    /// <inheritdoc />
    protected override void ScoreBatch(WeightedBatch batch)
    {
        PassShape both = Context.Shapes.Get(batch.Spans, 2, AnswerOnly);
        PassShape one = Context.Shapes.Get(batch.Spans, 1, AnswerOnly);
        _metrics.Note(batch, _pair.Run(batch, both, _fromClean ? 0 : 1));
        _pair.TakeWriters(both, 0, _now);
        _pair.TakeWriters(both, 1, _last);
        _readers.Reset();
        for (int k = 0; k < _steps; k++)
        {
            if (_midpoint) RunAt(k + 0.5, batch, one, evaluate: true);
            _head.LossGradient(one, _backward, _readers, 1);
            _backward.Run(one, _pair.Activations, 1, _readers, 1);
            _readers.Advance(1);
            WriterOutputs next = _last;
            if (k < _steps - 1)
            {
                RunAt(k + 1, batch, one, evaluate: !_midpoint);
                (next = _next).Take(one, _pair.Activations, _pair.Embeddings, 0);
            }
            ContractSegment(batch, one, next);
            Advance("segments", (k + 1.0) / _steps);
        }
    }

    // A run behind so many segments of the walk.
    private void RunAt(double segments, WeightedBatch batch, PassShape one, bool evaluate)
    {
        double share = segments / _steps;
        _pair.Prompts.Interpolate(_fromClean ? 1 - share : share, batch.Rows, _pair.Embeddings, 0);
        Context.Forward.Embed(one, _pair.Activations, _pair.Embeddings);
        Context.Forward.Run(one, _pair.Activations);
        if (evaluate) _head.Evaluate(one, _pair.Activations, -1);
    }

    // (writers at the segment's corrupted side - writers at its clean side) . gradients.
    private void ContractSegment(WeightedBatch batch, PassShape one, WriterOutputs next)
    {
        int sign = _fromClean ? 1 : -1;
        _now.Combine(one, sign, next, -sign, _now);
        _now.Weight(one, batch.RowWeights, batch.ItemWeights);
        _delta.Spread(one, _now);
        _readers.Contract(one, _delta, _sums);
        _readers.Reset();
        if (next == _next) _now.Combine(one, 1, next, 0, next);
    }
}
