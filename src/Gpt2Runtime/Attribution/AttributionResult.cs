using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>One point of one item's path.</summary>
/// <param name="Item">Index of the item in the order given.</param>
/// <param name="Step">Index of the point, 0 for the path's start.</param>
/// <param name="Metric">The metric at the point (not negated).</param>
/// <param name="GradientNorm">Norm of the metric's gradient at the token embedding, over positions and D.</param>
/// <param name="OutputDistance">Distance of the logits at all real positions from the target run's (the corrupted run's, unless the path starts there).</param>
/// <param name="FromClean">Distance of the point from the clean token embedding.</param>
/// <param name="FromCorrupted">Distance of the point from the corrupted token embedding.</param>
public readonly record struct PathPoint(int Item, int Step, double Metric, double GradientNorm, double OutputDistance, double FromClean, double FromCorrupted);

/// <summary>What a scoring run gives.</summary>
/// <param name="Scores">Row-major [F, K] in the graph's numbering; pairs that are no edge are 0.</param>
/// <param name="NodeScores">[F]: the sum over positions and D of delta with the gradient at the writer's output, or null where the method has none.</param>
/// <param name="CleanMetric">The metric of the clean run per item (not negated; 0 for KL). Empty where the method runs none.</param>
/// <param name="CorruptedMetric">The metric of the corrupted run per item, judged by the clean answers. Empty where the method runs none.</param>
/// <param name="Path">The recorded path, items in the order given, or null.</param>
/// <param name="BatchSize">The number of pairs per batch that was used.</param>
/// <param name="PeakDeviceBytes">Largest amount of device memory in use during the run.</param>
public sealed record AttributionResult(
    float[] Scores,
    float[]? NodeScores,
    double[] CleanMetric,
    double[] CorruptedMetric,
    IReadOnlyList<PathPoint>? Path,
    int BatchSize,
    long PeakDeviceBytes)
{
    /// <summary>How the run was cut into batches.</summary>
    public BatchSummary? Plan { get; init; }
}
