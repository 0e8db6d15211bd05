using System.Runtime.InteropServices;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Positions;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>
/// Scores every edge of a model on a set of prompt pairs. With a metric, scores are of its loss: positive means that corrupting the edge
/// hurts. What the scores of a method without one are, <see cref="AttributionMethod.Meaning"/> says.
/// </summary>
public static class EdgeAttribution
{
    /// <summary>Scores every edge.</summary>
    /// <param name="model">The model, on the device that computes.</param>
    /// <param name="prompts">The prompt pairs; within one both prompts have the same length.</param>
    /// <param name="options">Method and its settings.</param>
    /// <param name="progress">Told after each step of a batch; may be null.</param>
    /// <param name="cancellation">Stops the run between passes.</param>
    /// <returns>The scores with their provenance; <see cref="EdgeScores.Save"/> writes them.</returns>
    /// <exception cref="OptionException">An option does not apply to the method or cannot be used.</exception>
    /// <exception cref="GradpathException">An item cannot be used, or scores are not numbers.</exception>
    /// <exception cref="OperationCanceledException">The run was stopped.</exception>
    public static EdgeScores Score(
        Gpt2Weights model,
        PromptSet prompts,
        AttributionOptions options,
        IProgress<RunProgress>? progress = null,
        CancellationToken cancellation = default) => Run(model, prompts, options, progress, cancellation).Scores;

    /// <summary>Scores every edge and gives back everything else that the run has found.</summary>
    /// <param name="model">The model, on the device that computes.</param>
    /// <param name="prompts">The prompt pairs; within one both prompts have the same length.</param>
    /// <param name="options">Method and its settings.</param>
    /// <param name="progress">Told after each step of a batch; may be null.</param>
    /// <param name="cancellation">Stops the run between passes.</param>
    /// <returns>Scores, metrics, path, plan and memory.</returns>
    /// <exception cref="OptionException">An option does not apply to the method or cannot be used.</exception>
    /// <exception cref="GradpathException">An item cannot be used, or scores are not numbers.</exception>
    /// <exception cref="OperationCanceledException">The run was stopped.</exception>
    public static AttributionResult Run(
        Gpt2Weights model,
        PromptSet prompts,
        AttributionOptions options,
        IProgress<RunProgress>? progress = null,
        CancellationToken cancellation = default) => Run(model, prompts, options, ScoringHooks.None, null, progress, cancellation);

    /// <summary>Scores every edge, and keeps the work on the way.</summary>
    /// <param name="model">The model, on the device that computes.</param>
    /// <param name="prompts">The prompt pairs; within one both prompts have the same length.</param>
    /// <param name="options">Method and its settings.</param>
    /// <param name="checkpoint">Where the work is kept, and may be from; null where it is not. Methods that
    /// <see cref="AttributionMethod.Saves"/> does not name do not read it.</param>
    /// <param name="progress">Told after each step of a batch; may be null.</param>
    /// <param name="cancellation">Stops the run between passes; the checkpoint then has what was done.</param>
    /// <returns>Scores, metrics, path, plan and memory.</returns>
    /// <exception cref="OptionException">An option does not apply to the method or cannot be used.</exception>
    /// <exception cref="GradpathException">An item or the saved work cannot be used, or scores are not numbers.</exception>
    /// <exception cref="OperationCanceledException">The run was stopped.</exception>
    public static AttributionResult Run(
        Gpt2Weights model,
        PromptSet prompts,
        AttributionOptions options,
        RunCheckpoint? checkpoint,
        IProgress<RunProgress>? progress,
        CancellationToken cancellation) => Run(model, prompts, options, ScoringHooks.None, checkpoint, progress, cancellation);

    /// <summary>Scores every edge, one prompt pair after the other, and hands over the scores of each.</summary>
    /// <param name="model">The weights of the model, on the device that computes.</param>
    /// <param name="prompts">The prompt pairs.</param>
    /// <param name="options">Method and its settings, with batches of one.</param>
    /// <param name="take">Told the scores of each item, in order; what it is told is overwritten by the next.</param>
    /// <param name="progress">Told after each step of a batch; may be null.</param>
    /// <param name="cancellation">Stops the run between passes.</param>
    /// <returns>Scores, metrics, path, plan and memory.</returns>
    internal static AttributionResult RunPerItem(
        Gpt2Weights model,
        PromptSet prompts,
        AttributionOptions options,
        ItemScoresFile.Taker take,
        IProgress<RunProgress>? progress,
        CancellationToken cancellation) => Run(model, prompts, options, ScoringHooks.None, null, progress, cancellation, take);

    /// <summary>The same with changes for tests and measurements.</summary>
    /// <param name="model">The weights of the model, on the device that computes.</param>
    /// <param name="prompts">The prompt pairs.</param>
    /// <param name="options">Method and its settings.</param>
    /// <param name="hooks">The changes.</param>
    /// <param name="progress">Told after each step of a batch; may be null.</param>
    /// <param name="cancellation">Stops the run between passes.</param>
    /// <returns>Scores, metrics, path, plan and memory.</returns>
    internal static AttributionResult Run(
        Gpt2Weights model,
        PromptSet prompts,
        AttributionOptions options,
        ScoringHooks hooks,
        IProgress<RunProgress>? progress = null,
        CancellationToken cancellation = default) => Run(model, prompts, options, hooks, null, progress, cancellation);

    private static AttributionResult Run(
        Gpt2Weights model,
        PromptSet prompts,
        AttributionOptions options,
        ScoringHooks hooks,
        RunCheckpoint? checkpoint,
        IProgress<RunProgress>? progress,
        CancellationToken cancellation,
        ItemScoresFile.Taker? take = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(prompts);
        ArgumentNullException.ThrowIfNull(options);
        AttributionChecks.Check(model.Config, prompts, options);
        ScoringSettings settings = ScoringSettings.Of(options, prompts.Metric, hooks);
        MethodWork work = settings.Method.Work;
        using var run = new DeviceRun(model.Device);
        var parts = AnswerParts.Of(prompts.Pairs, settings.Method.HasMetric ? settings.Metric : null);
        SpanTable? positions = settings.Positions is { } mode
            ? SpanTable.Of(new ComputationGraph(model.Config), prompts, mode).For(parts)
            : null;
        PromptSpan[] spans = PairSpans.Of(parts.Pairs, work.SharesPrefixes(settings) && !hooks.WholePrompts);
        if (!settings.Method.Saves) checkpoint = null;

        // Batches decide the bits, so a run that goes on has those that it began with.
        int size = checkpoint?.Saved is { } saved ? checkpoint.Number<int>(saved, BatchScorer.SizeKey) : settings.BatchSize;
        if (checkpoint?.Saved is not null && (size < 1 || size > spans.Length)) throw checkpoint.Damaged();
        BatchPlan plan = BatchPlan.Make(
            spans, size, work.NeedsFileOrder(settings) || take is not null, model.Device,
            batch => PlannedBytes(model, parts.Pairs, settings, batch, positions));
        using var context = new RunContext(model, parts.Pairs, spans, plan, settings.Ablation, progress, positions, cancellation);
        using BatchScorer scorer = work.Scorer(context, settings);
        double[] weights = ItemWeights.Of(settings, parts);
        ItemSums? items = take is null ? null : new ItemSums(context.Graph, parts, work.Divisor(model.Config, settings), take);
        scorer.Checkpoint = checkpoint;
        if (checkpoint?.Saved is { } state) scorer.Restore(state, checkpoint);
        try
        {
            foreach (int[] members in plan.Batches)
            {
                using var batch = new WeightedBatch(context, members, weights);
                scorer.Score(batch);
                items?.Take(members[0], scorer.Finish().Edges);
            }
        }
        catch (OperationCanceledException)
        {
            checkpoint?.Keep(scorer);
            throw;
        }
        ScoreSums sums = scorer.Finish();
        double divisor = work.Divisor(model.Config, settings);
        Provenance provenance = ScoreProvenance.Of(model, prompts, settings, plan.Size);
        return new AttributionResult
        {
            Scores = Scores(context.Graph, sums, divisor, model.Config.Width, provenance),
            Positional = positions is null ? null : new PositionalScores(
                positions.Graph, sums.PositionalScores(positions.Graph, divisor))
            {
                ModelWidth = model.Config.Width,
                Provenance = provenance,
            },
            Sums = sums.Edges,
            Divisor = divisor,
            CleanMetric = ImmutableCollectionsMarshal.AsImmutableArray(parts.Sum(sums.Metrics?.Clean ?? [])),
            CorruptedMetric = ImmutableCollectionsMarshal.AsImmutableArray(parts.Sum(sums.Metrics?.Corrupted ?? [])),
            EmbeddingPath = sums.Path is null ? null : [.. sums.Path.OrderBy(p => p.Item).ThenBy(p => p.Step)],
            Plan = plan.Summary,
            PeakDeviceBytes = run.PeakBytes,
        };
    }

    /// <summary>The scores of all items from those of parts of them, each part with its share of the items.</summary>
    /// <param name="model">The weights of the model.</param>
    /// <param name="prompts">All prompt pairs.</param>
    /// <param name="options">Method and its settings.</param>
    /// <param name="parts">Each part's share of the items, and its <see cref="AttributionResult.Means"/>.</param>
    /// <returns>The scores: those of a run of all items up to the order of additions.</returns>
    /// <exception cref="GradpathException">A score is not a number.</exception>
    internal static EdgeScores Join(
        Gpt2Weights model, PromptSet prompts, AttributionOptions options, IEnumerable<(double Share, double[] Means)> parts)
    {
        var graph = new ComputationGraph(model.Config);
        double[] sums = new double[graph.Writers * graph.Readers];
        foreach ((double share, double[] means) in parts)
        {
            for (int e = 0; e < sums.Length; e++) sums[e] += share * means[e];
        }
        ScoringSettings settings = ScoringSettings.Of(options, prompts.Metric);
        return Scores(
            graph, new ScoreSums(sums, ScoreSums.NodesOf(graph, sums)), 1, model.Config.Width,
            ScoreProvenance.Of(model, prompts, settings, options.BatchSize));
    }

    /// <summary>Bytes that a run takes beside the weights.</summary>
    /// <param name="model">The weights of the model, on the device that computes.</param>
    /// <param name="pairs">All items of the run.</param>
    /// <param name="settings">Method and settings.</param>
    /// <param name="batch">The spans of a batch that is at least as large as any of the run.</param>
    /// <param name="positions">The spans of the run's tokens; null where none are told apart.</param>
    /// <returns>The bytes.</returns>
    internal static long PlannedBytes(
        Gpt2Weights model, IReadOnlyList<PromptPair> pairs, ScoringSettings settings, IReadOnlyList<PromptSpan> batch,
        SpanTable? positions = null) =>
        Rehearsal.Bytes(model, pairs, batch, settings.Ablation, (context, items) =>
        {
            using BatchScorer scorer = settings.Method.Work.Scorer(context, settings);
            using var standIns = new WeightedBatch(context, items, new double[items.Length]);
            scorer.Rehearse(standIns);
        }, positions);

    private static EdgeScores Scores(ComputationGraph graph, ScoreSums sums, double divisor, int width, Provenance provenance)
    {
        float[] scores = sums.EdgeScores(graph, divisor);
        float[] nodes = sums.Nodes is null ? [] : Array.ConvertAll(sums.Nodes, sum => (float)(sum / divisor));
        int bad = Array.FindIndex(nodes, score => !float.IsFinite(score));
        if (bad >= 0) throw Overflow.Of($"the score of {graph.WriterName(bad)}");
        return new EdgeScores(graph, scores)
        {
            NodeScores = nodes,
            ModelWidth = width,
            Provenance = provenance,
        };
    }
}
