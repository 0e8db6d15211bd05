using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Host.Reports.Pictures;

namespace Gradpath.Host.Commands;

/// <summary>In how many data sets edges are among the strongest, the most frequent first, as an SVG drawing: a line per size.</summary>
internal static class StabilityPicture
{
    /// <summary>The drawing.</summary>
    /// <param name="stability">What to draw.</param>
    /// <param name="title">Its name for screen readers.</param>
    public static string Draw(Stability stability, string title)
    {
        ChartLine[] lines = [.. stability.Sizes.Select((size, s) => new ChartLine(
            $"{size.Edges} edges: {size.Core} core (0.9 and above), {size.Contingent} contingent, {size.Noise} noise (below 0.1)",
            [
                .. stability.Edges.Select(e => e.Inclusion[s]).Where(f => f > 0).OrderDescending()
                    .Select((f, i) => new ChartPoint(i + 1, f)),
            ]))];
        int edges = lines.Max(l => l.Points.Count);
        return LineChart.Draw(
            title, ChartAxis.Linear("edges, the most frequent first", 0, Math.Max(2, edges)),
            ChartAxis.Linear("share of data sets with the edge among the strongest", 0, 1), lines);
    }
}
