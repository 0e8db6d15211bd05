using System.Globalization;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Diagnostics.SelfTest;

/// <summary>How far scores of one device are those of another.</summary>
/// <param name="Error">The largest difference, relative to the largest score; infinite where a score is no number.</param>
/// <param name="Correlation">Pearson's correlation; NaN where there is none.</param>
/// <param name="Top">How many of the strongest edges are compared.</param>
/// <param name="Shared">How many of those are among the strongest on both.</param>
/// <param name="Worst">The edge with the largest difference, in the graph's order; -1 where there is none.</param>
internal sealed record ScoreAgreement(double Error, double Correlation, int Top, int Shared, int Worst)
{
    private const int MostCompared = 1000, LeastShare = 4;

    /// <summary>The share of the strongest edges that are among the strongest on both.</summary>
    public double Overlap => Top == 0 ? double.NaN : (double)Shared / Top;

    /// <summary>Compares scores.</summary>
    /// <param name="expected">Those that are trusted.</param>
    /// <param name="actual">Those that are not yet.</param>
    public static ScoreAgreement Of(float[] expected, float[] actual)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(actual.Length, expected.Length);
        double largest = expected.Max(e => Math.Abs((double)e)), error = 0;
        int worst = -1;
        for (int i = 0; i < expected.Length; i++)
        {
            double difference = Math.Abs((double)expected[i] - actual[i]);
            if (difference == 0) continue;
            double relative = double.IsFinite(difference) && largest > 0 ? difference / largest : double.PositiveInfinity;
            if (relative <= error) continue;
            (error, worst) = (relative, i);
        }

        // Of a small graph a quarter, so that there is something to be left out.
        int top = Math.Min(MostCompared, expected.Length / LeastShare);
        int shared = Strongest(expected, top).Intersect(Strongest(actual, top)).Count();
        return new ScoreAgreement(error, Pearson(expected, actual), top, shared, worst);
    }

    /// <summary>What is too far off, in words.</summary>
    /// <param name="bounds">What is allowed.</param>
    /// <param name="graph">The graph.</param>
    /// <param name="expected">The scores that are trusted.</param>
    /// <param name="actual">The others.</param>
    /// <returns>Null where nothing is.</returns>
    public string? Fault(ScoreBounds bounds, ComputationGraph graph, float[] expected, float[] actual)
    {
        if (!(Error <= bounds.Error))
        {
            (int row, int column) = graph.Edges.ElementAt(Worst);
            return string.Create(
                CultureInfo.InvariantCulture,
                $"edge {graph.EdgeName(row, column)} is {actual[Worst]:g6} instead of {expected[Worst]:g6}: {Error:0.0e+00} of the largest "
                    + $"score, allowed {bounds.Error:0.0e+00}; correlation {Correlation:0.000000}, {Shared} of the {Top} strongest shared");
        }
        if (!(Correlation >= bounds.Correlation))
        {
            return string.Create(
                CultureInfo.InvariantCulture, $"a correlation of {Correlation:0.000000}, at least {bounds.Correlation:0.000000} is needed");
        }

        // One edge of a small graph is a large share.
        return Shared >= Math.Min(Top - 1, bounds.Overlap * Top)
            ? null
            : string.Create(
                CultureInfo.InvariantCulture,
                $"{Shared} of the {Top} strongest edges are the same, at least {bounds.Overlap:0.0 %} is needed");
    }

    private static IEnumerable<int> Strongest(float[] scores, int count) =>
        Enumerable.Range(0, scores.Length).OrderByDescending(i => Math.Abs(scores[i])).Take(count);

    private static double Pearson(float[] x, float[] y)
    {
        double meanX = x.Average(v => (double)v), meanY = y.Average(v => (double)v), xy = 0, xx = 0, yy = 0;
        for (int i = 0; i < x.Length; i++)
        {
            double dx = x[i] - meanX, dy = y[i] - meanY;
            xy += dx * dy;
            xx += dx * dx;
            yy += dy * dy;
        }
        return xy / Math.Sqrt(xx * yy);
    }
}
