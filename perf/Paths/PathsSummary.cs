using MathNet.Numerics.Distributions;

namespace Gradpath.Perf.Paths;

/// <summary>A scorer on a model over all sets and seeds. Means of ratios are geometric.</summary>
/// <param name="Model">The model.</param>
/// <param name="Scorer">The scorer.</param>
/// <param name="Sets">CMD over the baseline's by set, mean over seeds.</param>
/// <param name="All">The mean over sets.</param>
/// <param name="Low">Lower end of its interval over seeds; NaN with one seed.</param>
/// <param name="High">Upper end.</param>
/// <param name="Time">Time of scoring over the baseline's, mean over sets and seeds.</param>
internal sealed record PathsSummary(
    string Model, PathsScorer Scorer, IReadOnlyDictionary<string, double> Sets, double All, double Low, double High, double Time)
{
    /// <summary>Share of intervals that hold the mean over all seeds, were means over sets normally distributed.</summary>
    public const double Confidence = 0.95;

    /// <summary>Sums up the runs of one scorer on one model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="scorer">The scorer.</param>
    /// <param name="runs">Its runs: every set with every seed.</param>
    public static PathsSummary Of(string model, PathsScorer scorer, IReadOnlyList<PathsRun> runs)
    {
        double[] seeds = [.. runs.GroupBy(r => r.Seed).Select(g => g.Average(r => Math.Log(r.Ratio)))];
        double mean = seeds.Average(), half = HalfWidth(seeds);
        return new PathsSummary(
            model,
            scorer,
            runs.GroupBy(r => r.Set).ToDictionary(g => g.Key, g => Math.Exp(g.Average(r => Math.Log(r.Ratio)))),
            Math.Exp(mean),
            Math.Exp(mean - half),
            Math.Exp(mean + half),
            Math.Exp(runs.Average(r => Math.Log(r.SecondsRatio))));
    }

    /// <summary>Half the width of Student's interval of a mean.</summary>
    /// <param name="values">What the mean is of.</param>
    /// <returns>The half width; NaN for one value.</returns>
    public static double HalfWidth(IReadOnlyList<double> values)
    {
        int n = values.Count;
        if (n < 2) return double.NaN;
        double mean = values.Average(), variance = values.Sum(v => (v - mean) * (v - mean)) / (n - 1);
        return StudentT.InvCDF(0, 1, n - 1, (1 + Confidence) / 2) * Math.Sqrt(variance / n);
    }
}
