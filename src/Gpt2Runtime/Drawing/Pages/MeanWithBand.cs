namespace Gradpath.Gpt2Runtime.Drawing;

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
