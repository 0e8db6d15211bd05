using MathNet.Numerics.Distributions;

namespace Gradpath.Gpt2Runtime.Statistics;

/// <summary>What subsets say of one member's effect; see <see cref="SubsetScreen"/>.</summary>
/// <param name="Difference">Mean effect of the subsets with the member minus that of the others: an estimate of its own effect.</param>
/// <param name="StandardError">The estimate's standard error.</param>
/// <param name="Freedom">Its degrees of freedom; NaN where all effects on each side are the same.</param>
public readonly record struct SubsetEstimate(double Difference, double StandardError, double Freedom)
{
    /// <summary>An upper confidence limit of the size of the member's effect: <c>|d| + t(level; df) SE</c>, one-sided.</summary>
    /// <param name="level">The confidence level, above 1/2 and below 1.</param>
    /// <returns>The limit.</returns>
    public double Limit(double level) => StandardError == 0
        ? Math.Abs(Difference)
        : Math.Abs(Difference) + (StandardError * StudentT.InvCDF(0, 1, Freedom, level));

    /// <summary>
    /// The p-value of the hypothesis that the member's effect is at least so large: <c>P(T(df) >= (size - |d|) / SE)</c>, one-sided.
    /// </summary>
    /// <param name="size">The size, 0 or more.</param>
    /// <returns>The p-value.</returns>
    public double PValue(double size) => StandardError == 0
        ? (Math.Abs(Difference) >= size ? 1 : 0)
        : StudentT.CDF(0, 1, Freedom, (Math.Abs(Difference) - size) / StandardError);
}
