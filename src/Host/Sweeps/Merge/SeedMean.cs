using MathNet.Numerics.Distributions;

namespace Gradpath.Host.Sweeps.Merge;

/// <summary>A mean over seeds with its 95 % interval.</summary>
/// <param name="Mean">The mean of the seeds whose value is a finite number; NaN where none is.</param>
/// <param name="Half">Half the width of the interval, which lies around the mean; null for less than two seeds.</param>
/// <param name="Count">How many seeds were averaged.</param>
/// <param name="Undefined">How many more have a value that is no finite number.</param>
internal readonly record struct SeedMean(double Mean, double? Half, int Count, int Undefined)
{
    private const double Level = 0.95;

    /// <summary>Lower end of the interval; NaN without one.</summary>
    public double Low => Mean - (Half ?? double.NaN);

    /// <summary>Upper end of the interval; NaN without one.</summary>
    public double High => Mean + (Half ?? double.NaN);

    /// <summary>The mean of some values: <c>mean +- t(0.975; n - 1) s / sqrt(n)</c>, s the sample's standard deviation.</summary>
    /// <param name="values">A value per seed, in the order of seeds.</param>
    public static SeedMean Of(IReadOnlyCollection<double> values)
    {
        double[] finite = [.. values.Where(double.IsFinite)];
        int undefined = values.Count - finite.Length;
        if (finite.Length == 0) return new SeedMean(double.NaN, null, 0, undefined);
        double mean = finite.Average();
        if (finite.Length == 1) return new SeedMean(mean, null, 1, undefined);
        double variance = finite.Sum(v => (v - mean) * (v - mean)) / (finite.Length - 1);
        double half = Quantile(finite.Length - 1) * Math.Sqrt(variance / finite.Length);
        return new SeedMean(mean, half, finite.Length, undefined);
    }

    private static double Quantile(int freedom) =>
        freedom < s_quantiles.Length ? s_quantiles[freedom].Value : StudentT.InvCDF(0, 1, freedom, (1 + Level) / 2);

    // They are asked for once per cell, and found by bisection.
    private static readonly Lazy<double>[] s_quantiles =
        [.. Enumerable.Range(0, 128).Select(f => new Lazy<double>(() => StudentT.InvCDF(0, 1, f, (1 + Level) / 2)))];
}
