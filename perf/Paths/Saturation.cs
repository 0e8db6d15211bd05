using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Perf.Paths;

/// <summary>How flat the metric is at the clean prompts of a set.</summary>
/// <param name="Model">The model.</param>
/// <param name="Set">The task, or the name of the file.</param>
/// <param name="Metric">The metric.</param>
/// <param name="Ratios">Per pair: the norm of the metric's gradient at the token embedding halfway between the clean and the corrupted
/// prompt, over that at the clean one. Infinite where the gradient at the clean prompt is 0.</param>
internal sealed record Saturation(string Model, string Set, string Metric, IReadOnlyList<double> Ratios)
{
    /// <summary>A pair is saturated where the gradient is so many times smaller at the clean prompt than halfway.</summary>
    public const double Saturated = 30;

    /// <summary>The median of the ratios.</summary>
    public double Median
    {
        get
        {
            double[] sorted = [.. Ratios.Order()];
            return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
        }
    }

    /// <summary>The share of pairs that are saturated.</summary>
    public double Share => Ratios.Count(r => r >= Saturated) / (double)Ratios.Count;

    /// <summary>Measures the ratio of every pair.</summary>
    /// <param name="weights">The model.</param>
    /// <param name="prompts">The pairs.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <returns>The ratios, in the order of the pairs.</returns>
    public static double[] Measure(Gpt2Weights weights, PromptSet prompts, CancellationToken cancellation)
    {
        // One midpoint, and both ends are shown beside it: the corrupted prompt, halfway, the clean prompt.
        AttributionOptions options = new()
        {
            Method = AttributionMethods.EapIg,
            Steps = 1,
            IgPoints = IgPoints.Midpoint,
            RecordPath = true,
        };
        var path = EdgeAttribution.Run(weights, prompts, options, null, cancellation).EmbeddingPath!;
        return [.. path.GroupBy(p => p.Item).OrderBy(g => g.Key).Select(g =>
            g.Single(p => p.Step == 1).GradientNorm / g.Single(p => p.Step == 2).GradientNorm)];
    }
}
