using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels;

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
        IProgress<AttributionProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        AttributionChecks.Check(model.Config, pairs, options);
        using RunLease lease = model.Device.EnterRun();
        using var scope = new AllocationScope(model.Device);
        model.Device.ResetPeak();
        bool fileOrder = options is { Method: AttributionMethod.EapGp, PathNorm: PathNorm.Batch };
        PromptSpan[] spans = PromptSpan.Of(pairs, SharesPrefixes(options));
        BatchPlan plan = BatchPlan.Make(spans, options.BatchSize, fileOrder, model.Device, batch => Bytes(model, options, batch));
        int itemsDone = 0;
        int itemsNow = 0;
        using var context = new ScoringContext(model, options, pairs.Count, plan, Report, cancellation);
        using var constants = new ReaderConstants(model);
        PromptSpan[] largest = PromptSpan.Largest(spans, plan.Size);
        double[] weights = ItemWeights.Of(options, pairs.Count);
        using (BatchScorer scorer = Create(context, pairs, largest, constants))
        {
            foreach (int[] items in plan.Batches)
            {
                using var batch = new ScoringBatch(model.Device, pairs, items, weights, spans);
                itemsNow = items.Length;
                context.Advance("scoring", 0);
                scorer.Score(batch);
                itemsDone += items.Length;
                itemsNow = 0;
                context.Advance("scoring", 0);
            }
        }
        return Collect(context, plan.Size, Divisor(model.Config, options), model.Device.PeakBytes);

        void Report(string stage, double share) => progress?.Report(new AttributionProgress(
            (itemsDone * 1000L) + (long)(share * itemsNow * 1000), pairs.Count * 1000L, stage));
    }

    private static BatchScorer Create(ScoringContext context, IReadOnlyList<PromptPair> pairs, PromptSpan[] largest, ReaderConstants constants) => context.Options.Method switch
    {
        AttributionMethod.EapGp => new GradPath(context, largest, constants),
        AttributionMethod.EapIgActivations => new ActivationInterpolation(context, pairs, largest, constants),
        AttributionMethod.Exact => new ExactPatching(context, pairs, largest),
        AttributionMethod.InformationFlowRoutes => new InformationFlowRoutes(context, largest),
        AttributionMethod.Magnitude => new WriterMagnitudes(context, largest),
        AttributionMethod.Random => new RandomScores(context),
        _ => new InterpolatedGradients(context, pairs, largest, constants),
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

    private static AttributionResult Collect(ScoringContext context, int batchSize, double divisor, long peak)
    {
        double[] sums = context.Scores.ToArray();
        if (context.HostScores is { } host)
        {
            for (int i = 0; i < sums.Length; i++) sums[i] += host[i];
        }
        int writers = context.Graph.Writers;
        int readers = context.Graph.Readers;
        var scores = new float[sums.Length];
        var nodes = new float[writers];
        for (int row = 0; row < writers; row++)
        {
            double node = 0;
            for (int column = 0; column < readers; column++)
            {
                if (!context.Graph.IsEdge(row, column)) continue;
                int at = (row * readers) + column;
                if (!double.IsFinite(sums[at]))
                {
                    throw new GradpathException(
                        $"the score of {context.Graph.EdgeName(row, column)} is not a number: the model or the metric overflowed on these prompts; check the checkpoint with 'gradpath info' and the prompts' answers");
                }
                scores[at] = (float)(sums[at] / divisor);
                node += sums[at];
            }

            // A writer's readers see the whole of its output, so the gradient there is the sum of theirs.
            nodes[row] = (float)((context.NodeScores?[row] ?? node) / divisor);
        }
        bool flow = context.Options.Method == AttributionMethod.InformationFlowRoutes;
        bool judged = context.Options.Method.HasMetric();
        return new AttributionResult(
            scores, flow ? null : nodes, judged ? context.CleanMetric : [], judged ? context.CorruptedMetric : [], Ordered(context.Path), batchSize, peak)
        { Plan = context.Plan.Summary };
    }

    private static List<PathPoint>? Ordered(List<PathPoint>? path) => path is null ? null : [.. path.OrderBy(p => p.Item).ThenBy(p => p.Step)];
}
