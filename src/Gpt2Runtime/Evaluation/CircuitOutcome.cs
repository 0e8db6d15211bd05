using System.Collections.Immutable;

namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>What one circuit makes of the prompts, per item in the order of the prompt set.</summary>
/// <param name="Metric">The metric (not negated).</param>
/// <param name="Kl">KL(full model || circuit) at the answer position, summed over the vocabulary.</param>
/// <param name="ExactMatch">Whether the circuit's most probable token is the full model's.</param>
/// <param name="Accurate">Whether the answers win: the metric is above 0 where <see cref="Metrics.Metric.PositiveIsRight"/>, else the most
/// probable token is an answer, for an answer of several tokens behind each of them. Null for a pair that has no answers then.</param>
public sealed record CircuitOutcome(
    ImmutableArray<double> Metric, ImmutableArray<double> Kl, ImmutableArray<bool> ExactMatch, ImmutableArray<bool?> Accurate)
{
    /// <summary>Mean of the metric over items.</summary>
    public double MeanMetric => Metric.Average();

    /// <summary>Mean KL over items.</summary>
    public double MeanKl => Kl.Average();

    /// <summary>Share of items whose most probable token is the full model's.</summary>
    public double ExactMatchRate => ExactMatch.Count(m => m) / (double)ExactMatch.Length;

    /// <summary>Share of the items with answers where the answers win; NaN where no item has any.</summary>
    public double Accuracy => Accurate.Count(a => a == true) / (double)Accurate.Count(a => a is not null);
}
