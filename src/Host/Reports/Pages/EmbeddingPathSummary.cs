using Gradpath.Gpt2Runtime.Attribution;

namespace Gradpath.Host.Reports.Pages;

/// <summary>A mean with its 95 % interval; without one where there is a single value.</summary>
internal readonly record struct MeanWithBand(double Mean, double? Low, double? High)
{
    // Two-sided 95 % of a normal distribution.
    private const double Deviations = 1.959963984540054;

    /// <summary>mean +- 1.96 s / sqrt(n), s the sample's standard deviation.</summary>
    public static MeanWithBand Of(IReadOnlyCollection<double> values)
    {
        double mean = values.Average();
        if (values.Count < 2) return new(mean, null, null);
        double variance = values.Sum(v => (v - mean) * (v - mean)) / (values.Count - 1);
        double half = Deviations * Math.Sqrt(variance / values.Count);
        return new(mean, mean - half, mean + half);
    }
}

/// <summary>One step of a path, over all items.</summary>
/// <param name="Step">Index of the point, 0 for the path's start.</param>
/// <param name="Items">Number of items that have this point.</param>
/// <param name="GradientNorm">Norm of the metric's gradient at the embedding.</param>
/// <param name="OutputDistance">Distance of the logits from the target run's.</param>
internal sealed record EmbeddingPathStepSummary(int Step, int Items, MeanWithBand GradientNorm, MeanWithBand OutputDistance)
{
    /// <summary>The steps of a recorded path, first to last.</summary>
    public static IReadOnlyList<EmbeddingPathStepSummary> Of(IEnumerable<PathPoint> points) =>
    [
        .. points.GroupBy(p => p.Step).OrderBy(g => g.Key).Select(step => new EmbeddingPathStepSummary(
            step.Key, step.Count(), MeanWithBand.Of([.. step.Select(p => p.GradientNorm)]), MeanWithBand.Of([.. step.Select(p => p.OutputDistance)]))),
    ];
}
