using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>
/// Scores of every edge for every prompt pair, written as they are made: the file grows by one pair after the other, and no more than one
/// pair's scores are in memory. Every pair is a batch of its own. <see cref="ItemScoresFile"/> reads the file.
/// </summary>
public static class ItemScores
{
    /// <summary>Scores every edge for every prompt pair.</summary>
    /// <param name="path">The file, <c>.safetensors</c>; one that exists is replaced, and only by a whole one.</param>
    /// <param name="half">Whether scores are kept as float16; else as float32.</param>
    /// <param name="edges">The edges whose scores are kept, such as the strongest of an earlier run; null for all.</param>
    /// <param name="model">The model, on the device that computes.</param>
    /// <param name="prompts">The prompt pairs; within one both prompts have the same length.</param>
    /// <param name="options">Method and its settings; the method takes gradients, and items are weighted alike.</param>
    /// <param name="progress">Told after each step of a batch; may be null.</param>
    /// <param name="cancellation">Stops the run between passes; no file is left then.</param>
    /// <returns>The scores over all pairs, which are the mean of those in the file.</returns>
    /// <exception cref="OptionException">An option cannot be used, or there are no edges.</exception>
    /// <exception cref="GradpathException">The edges are of another graph, an item cannot be used, scores are not numbers, or the file
    /// cannot be written.</exception>
    /// <exception cref="OperationCanceledException">The run was stopped.</exception>
    public static AttributionResult Write(
        string path,
        bool half,
        Circuit? edges,
        Gpt2Weights model,
        PromptSet prompts,
        AttributionOptions options,
        IProgress<RunProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(prompts);
        ArgumentNullException.ThrowIfNull(options);
        Check(options);
        options = options with { BatchSize = 1 };
        AttributionChecks.Check(model.Config, prompts, options);
        edges?.RequireModel(model.Config, "the edges' circuit");
        if (edges is { EdgeCount: 0 }) throw new OptionException($"there are no edges to keep the scores of");
        ScoringSettings settings = ScoringSettings.Of(options, prompts.Metric);
        AttributionResult? result = null;
        ItemScoresFile.Write(
            path, half, prompts.Pairs.Count, new ComputationGraph(model.Config), model.Config.Width,
            ScoreProvenance.Of(model, prompts, settings, 1),
            prompts.Pairs.Any(p => p.Label is not null) ? [.. prompts.Pairs.Select(p => p.Label)] : null,
            edges, take => result = EdgeAttribution.RunPerItem(model, prompts, options, take, progress, cancellation));
        return result!;
    }

    /// <summary>Refuses options with which a prompt pair has no scores of its own.</summary>
    /// <param name="options">The options.</param>
    /// <exception cref="OptionException">The method takes no gradients, or scores depend on the batch.</exception>
    public static void Check(AttributionOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (!options.Method.ScoresItems)
        {
            string others = CanonicalNames.Choice(AttributionMethods.All.Where(m => m.ScoresItems).Select(m => m.Name));
            throw new OptionException($"{Terms.Method.With(options.Method.Name)}: only {others} have scores per prompt pair");
        }
        if (options.Normalization != ScoreNormalization.Item)
        {
            throw new OptionException(
                $"{Terms.Normalization.With(options.Normalization)}: scores per prompt pair are not weighted; leave it out");
        }
        if (options.BatchSize > 1)
            throw new OptionException($"{Terms.BatchSize.With(options.BatchSize)}: scores per prompt pair are made one at a time; use 1");
        if (options.EmbeddingPath?.Norm == EmbeddingPathNorm.Batch)
        {
            throw new OptionException(
                $"{Terms.EmbeddingPathNorm.With(EmbeddingPathNorm.Batch)}: scores per prompt pair know no batches; use item");
        }
    }
}
