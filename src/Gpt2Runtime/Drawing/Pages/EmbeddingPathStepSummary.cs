using Gradpath.Gpt2Runtime.Attribution;

namespace Gradpath.Gpt2Runtime.Drawing;

/// <summary>One step of an embedding path, over all items.</summary>
/// <param name="Step">Index of the point, 0 for the path's start.</param>
/// <param name="Items">Number of items that have this point.</param>
/// <param name="GradientNorm">Norm of the metric's gradient at the embedding.</param>
/// <param name="OutputDistance">Distance of the logits from the target run's.</param>
internal sealed record EmbeddingPathStepSummary(int Step, int Items, MeanWithBand GradientNorm, MeanWithBand OutputDistance)
{
    /// <summary>The steps of a recorded path, first to last.</summary>
    public static IReadOnlyList<EmbeddingPathStepSummary> Of(IEnumerable<EmbeddingPathPoint> points) =>
    [
        .. points.GroupBy(p => p.Step).OrderBy(g => g.Key).Select(step => new EmbeddingPathStepSummary(
            step.Key, step.Count(), MeanWithBand.Of([.. step.Select(p => p.GradientNorm)]), MeanWithBand.Of(
                [.. step.Select(p => p.OutputDistance)]))),
    ];
}
