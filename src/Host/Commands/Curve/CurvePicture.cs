using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Host.Reports.Csv;
using Gradpath.Host.Reports.Pictures;

namespace Gradpath.Host.Commands;

/// <summary>Faithfulness over circuit size as an SVG drawing, sizes on a logarithmic axis, with the intervals as bands.</summary>
internal static class CurvePicture
{
    /// <summary>The drawing.</summary>
    /// <param name="curves">All over the same fractions.</param>
    /// <param name="title">Its name for screen readers.</param>
    public static string Draw(IReadOnlyList<NamedCurve> curves, string title)
    {
        (double low, double high) = CurvePlot.Range(curves);
        double[] fractions = [.. curves[0].Curve.Points.Select(p => p.Fraction)];
        ChartAxis sizes = new(
            "edges before pruning, share of all", Math.Log10(fractions[0]), Math.Log10(fractions[^1]),
            [.. fractions.Select(f => (Math.Log10(f), CurvePlot.Percent(f)))]);
        return LineChart.Draw(title, sizes, ChartAxis.Linear("faithfulness", low, high),
            [.. curves.Select(c => new ChartLine(c.Name, [.. c.Curve.Points.Select(Point)]))]);
    }

    private static ChartPoint Point(SparsityPoint p) => new(Math.Log10(p.Fraction), p.Faithfulness, p.Low, p.High);
}
