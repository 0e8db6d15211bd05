using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>
/// Scores every edge of a model on a set of prompt pairs. Scores are of a loss: positive means that corrupting the edge hurts (but see <see cref="AttributionMethods.HasMetric"/>).
/// </summary>
public static class EdgeAttribution
{
    /// <summary>Scores every edge.</summary>
    /// <param name="model">The model, on the device that computes.</param>
    /// <param name="pairs">Items; within one both prompts have the same length.</param>
    /// <param name="options">Method and its settings.</param>
    /// <param name="progress">Told after each step of a batch; may be null.</param>
    /// <param name="cancellation">Stops the run between passes.</param>
    /// <returns>The scores.</returns>
    /// <exception cref="GradpathException">An item or option cannot be used.</exception>
    /// <exception cref="OperationCanceledException">The run was stopped.</exception>
    public static AttributionResult Score(
        Gpt2Weights model,
        IReadOnlyList<PromptPair> pairs,
        AttributionOptions options,
        IProgress<RunProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        AttributionChecks.Check(model.Config, pairs, options);
        using var run = new DeviceRun(model.Device);
        bool fileOrder = options is { Method: AttributionMethod.EapGp, PathNorm: PathNorm.Batch };
        PromptSpan[] spans = PairSpans.Of(pairs, SharesPrefixes(options));
        BatchPlan plan = BatchPlan.Make(spans, options.BatchSize, fileOrder, model.Device, batch => Bytes(model, options, batch));
        using var context = new RunContext(model, pairs, spans, plan, options.Ablation, progress, cancellation);
        using BatchScorer scorer = Create(context, options);
        double[] weights = ItemWeights.Of(options, pairs.Count);
        foreach (int[] items in plan.Batches)
        {
            using var batch = new WeightedBatch(context, items, weights);
            scorer.Score(batch);
        }
        return Collect(context, scorer.Finish(), Divisor(model.Config, options), run.PeakBytes);
    }

    private static BatchScorer Create(RunContext context, AttributionOptions options) => options.Method switch
    {
        AttributionMethod.EapGp => new GradPath(context, options),
        AttributionMethod.EapIgActivations => new ActivationInterpolation(context, options),
        AttributionMethod.Exact => new ExactPatching(context, options),
        AttributionMethod.InformationFlowRoutes => new InformationFlowRoutes(context),
        AttributionMethod.Magnitude => new WriterMagnitudes(context),
        AttributionMethod.Random => new RandomScores(context, options),
        _ => new InterpolatedGradients(context, options),
    };

    // The runs of these methods lie between the clean and the corrupted one at every node, so they agree up to the first difference. A
    // path of EAP-GP moves every position; other ablations differ everywhere; a recorded path states norms over whole prompts.
    private static bool SharesPrefixes(AttributionOptions options) => options is { Ablation: Ablation.Patching, RecordPath: false, WholePrompts: false } && options.Method
        is AttributionMethod.Eap or AttributionMethod.EapIg or AttributionMethod.CleanCorrupted or AttributionMethod.EapIgActivations or AttributionMethod.Exact;

    private static long Bytes(Gpt2Weights model, AttributionOptions options, IReadOnlyList<PromptSpan> spans) => options.Method switch
    {
        AttributionMethod.EapGp => GradPath.Bytes(model, options, spans),
        AttributionMethod.EapIgActivations => ActivationInterpolation.Bytes(model, options, spans),
        AttributionMethod.Exact => ExactPatching.Bytes(model, options, spans),
        AttributionMethod.InformationFlowRoutes => InformationFlowRoutes.Bytes(model, spans),
        AttributionMethod.Magnitude => WriterMagnitudes.Bytes(model, spans),
        AttributionMethod.Random => 0,
        _ => InterpolatedGradients.Bytes(model, options, spans),
    };

    private static double Divisor(Gpt2Config config, AttributionOptions options) => options.Method switch
    {
        AttributionMethod.EapGp => options.PathOuter == PathOuter.Path ? 1 : options.Steps,
        AttributionMethod.EapIgActivations => options.Steps * ((2.0 * config.Layers) + 1),
        AttributionMethod.Exact or AttributionMethod.InformationFlowRoutes or AttributionMethod.Magnitude or AttributionMethod.Random => 1,
        _ => InterpolatedGradients.Points(options),
    };

    private static AttributionResult Collect(RunContext context, ScoreSums sums, double divisor, long peak)
    {
        ComputationGraph graph = context.Graph;
        var scores = new float[sums.Edges.Length];
        for (int row = 0; row < graph.Writers; row++)
        {
            for (int column = 0; column < graph.Readers; column++)
            {
                if (!graph.IsEdge(row, column)) continue;
                int at = (row * graph.Readers) + column;
                if (!double.IsFinite(sums.Edges[at]))
                {
                    throw new GradpathException(
                        $"the score of {graph.EdgeName(row, column)} is not a number: the model or the metric overflowed on these prompts; check the checkpoint with 'gradpath info' and the prompts' answers");
                }
                scores[at] = (float)(sums.Edges[at] / divisor);
            }
        }
        float[]? nodes = sums.Nodes is null ? null : Array.ConvertAll(sums.Nodes, sum => (float)(sum / divisor));
        IReadOnlyList<PathPoint>? path = sums.Path is null ? null : [.. sums.Path.OrderBy(p => p.Item).ThenBy(p => p.Step)];
        return new AttributionResult(scores, nodes, sums.Metrics?.Clean ?? [], sums.Metrics?.Corrupted ?? [], path, context.Plan.Size, peak) { Plan = context.Plan.Summary };
    }
}
