using System.Net;
using System.Text;
using Gradpath.Gpt2Runtime.Drawing;

namespace Gradpath.Host.Reports.Pictures;

/// <summary>Histograms one below the other as an SVG drawing on white, for papers, with places marked on the axis of each.</summary>
internal static class Histogram
{
    private const double Left = 56;
    private const double PlotWidth = 480;
    private const double PlotHeight = 140;
    private const double PanelHeight = 230;
    private const int Bins = 30;
    private const string Ink = "#1c1f23";
    private const string Bar = "#0072b2";
    private const string Mark = "#c85200";

    /// <summary>The drawing.</summary>
    /// <param name="title">Its name for screen readers.</param>
    /// <param name="panels">The histograms.</param>
    public static string Draw(string title, IReadOnlyList<HistogramPanel> panels)
    {
        StringBuilder svg = new();
        svg.Line($"""<svg xmlns="http://www.w3.org/2000/svg" width="{Left + PlotWidth + 24:0.##}" """,
            $"""height="{panels.Count * PanelHeight:0.##}" font-family="Helvetica, Arial, sans-serif" font-size="11" role="img">""");
        svg.Line($"<title>{WebUtility.HtmlEncode(title)}</title>");
        svg.Line($"""<rect width="100%" height="100%" fill="#ffffff"/>""");
        for (int i = 0; i < panels.Count; i++) DrawPanel(svg, panels[i], (i * PanelHeight) + 30);
        return svg.Append("</svg>\n").ToString();
    }

    private static void DrawPanel(StringBuilder svg, HistogramPanel panel, double top)
    {
        double[] all = [.. panel.Values, .. panel.Marks];
        double low = all.Min(), high = all.Max();
        double margin = high > low ? (high - low) * 0.04 : Math.Max(Math.Abs(high), 1) * 0.1;
        (low, high) = (low - margin, high + margin);
        double step = (high - low) / Bins, bottom = top + PlotHeight;
        int[] counts = new int[Bins];
        foreach (double value in panel.Values) counts[Math.Clamp((int)((value - low) / step), 0, Bins - 1)]++;
        ChartAxis x = ChartAxis.Linear(panel.Name, low, high);
        double X(double value) => Left + ((value - low) / (high - low) * PlotWidth);

        svg.Line($"""<text x="{Left:0.##}" y="{top - 12:0.##}" fill="{Ink}">{WebUtility.HtmlEncode(panel.Title)}</text>""");
        for (int bin = 0; bin < Bins; bin++)
        {
            if (counts[bin] == 0) continue;
            double height = counts[bin] * PlotHeight / counts.Max(), from = low + (bin * step);
            svg.Line($"""<rect class="bar" x="{X(from):0.##}" y="{bottom - height:0.##}" width="{PlotWidth / Bins:0.##}" """,
                $"""height="{height:0.##}" fill="{Bar}" fill-opacity="0.7" stroke="#ffffff">""",
                $"<title>{counts[bin]} from {from:0.####} to {from + step:0.####}</title></rect>");
        }
        foreach ((double at, string label) in x.Marks)
        {
            svg.Line($"""<path d="M{X(at):0.##} {bottom:0.##}v4" stroke="{Ink}"/><text x="{X(at):0.##}" y="{bottom
                + 16:0.##}" text-anchor="middle" fill="{Ink}">{label}</text>""");
        }
        svg.Line($"""<path d="M{Left:0.##} {top:0.##}V{bottom:0.##}H{Left + PlotWidth:0.##}" fill="none" stroke="{Ink}"/>""");
        svg.Line($"""<text x="{Left - 6:0.##}" y="{top + 4:0.##}" text-anchor="end" fill="{Ink}">{counts.Max()}</text>""");
        svg.Line($"""<text x="{Left - 6:0.##}" y="{bottom + 4:0.##}" text-anchor="end" fill="{Ink}">0</text>""");
        svg.Line($"""<text x="{Left + (PlotWidth / 2):0.##}" y="{bottom
            + 34:0.##}" text-anchor="middle" fill="{Ink}">{WebUtility.HtmlEncode(x.Name)}</text>""");

        // A single place is a line through the whole height, many are short ones that leave the bars to be seen.
        double length = panel.Marks.Count == 1 ? PlotHeight : 14;
        foreach (double mark in panel.Marks)
        {
            svg.Line($"""<path class="mark" d="M{X(mark):0.##} {bottom:0.##}v{-length:0.##}" stroke="{Mark}" stroke-width="2">""",
                $"<title>{mark:0.####}</title></path>");
        }
    }
}
