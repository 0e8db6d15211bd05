using System.Globalization;
using System.Net;
using System.Text;
using Gradpath.Gpt2Runtime.Drawing;

namespace Gradpath.Host.Reports.Pictures;

/// <summary>
/// Lines with marks and bands as an SVG drawing on white, for papers. Lines differ in colour, dashes and marks, so that the drawing can be
/// read without colours.
/// </summary>
internal static class LineChart
{
    private const double Left = 56;
    private const double Top = 16;
    private const double PlotWidth = 480;
    private const double PlotHeight = 280;
    private const double LegendRow = 18;
    private const string Ink = "#1c1f23";

    // Their number and that of the marks, three, have no common factor, so that no two of 24 lines are alike.
    private static readonly (string Colour, string Dash)[] s_styles =
    [
        ("#0072b2", ""), ("#c85200", "7 4"), ("#00805c", "2 3"), ("#8a4f9e", "10 3 2 3"), ("#4b535b", "1 2"), ("#b3446c", "12 4"),
        ("#8c6d1f", "4 2 1 2"), ("#3b9dd9", "14 3 3 3"),
    ];

    /// <summary>The drawing.</summary>
    /// <param name="title">Its name for screen readers.</param>
    /// <param name="x">The horizontal axis; marks also where it has only one place.</param>
    /// <param name="y">The vertical axis.</param>
    /// <param name="lines">The lines; what reaches beyond the axes is cut off at the frame.</param>
    public static string Draw(string title, ChartAxis x, ChartAxis y, IReadOnlyList<ChartLine> lines)
    {
        double X(double value) =>
            Left + (x.Last != x.First ? Math.Clamp((value - x.First) / (x.Last - x.First), 0, 1) * PlotWidth : PlotWidth / 2);
        double Y(double value) => Top + ((y.Last - Math.Clamp(value, y.First, y.Last)) / (y.Last - y.First) * PlotHeight);

        StringBuilder svg = new();
        double bottom = Top + PlotHeight, height = bottom + 56 + (lines.Count * LegendRow);
        svg.Line($"""<svg xmlns="http://www.w3.org/2000/svg" width="{Left + PlotWidth + 24:0.##}" """,
            $"""height="{height:0.##}" viewBox="0 0 {Left + PlotWidth + 24:0.##} {height:0.##}" """,
            $"""font-family="Helvetica, Arial, sans-serif" """,
            $"""font-size="11" role="img">""");
        svg.Line($"<title>{WebUtility.HtmlEncode(title)}</title>");
        svg.Line($"""<rect width="100%" height="100%" fill="#ffffff"/>""");
        foreach ((double at, string label) in y.Marks)
        {
            svg.Line($"""<path d="M{Left:0.##} {Y(at):0.##}h{PlotWidth:0.##}" stroke="#d5d9dd"/><text x="{Left - 6:0.##}" y="{Y(at)
                + 4:0.##}" text-anchor="end" fill="{Ink}">{label}</text>""");
        }
        foreach ((double at, string label) in x.Marks)
        {
            svg.Line($"""<path d="M{X(at):0.##} {bottom:0.##}v4" stroke="{Ink}"/><text x="{X(at):0.##}" y="{bottom
                + 16:0.##}" text-anchor="middle" fill="{Ink}">{label}</text>""");
        }
        svg.Line($"""<path d="M{Left:0.##} {Top:0.##}V{bottom:0.##}H{Left + PlotWidth:0.##}" fill="none" stroke="{Ink}"/>""");
        svg.Line($"""<text x="{Left + (PlotWidth / 2):0.##}" y="{bottom
            + 34:0.##}" text-anchor="middle" fill="{Ink}">{WebUtility.HtmlEncode(x.Name)}</text>""");
        svg.Line($"""<text transform="translate(14 {Top
            + (PlotHeight / 2):0.##}) rotate(-90)" text-anchor="middle" fill="{Ink}">{WebUtility.HtmlEncode(y.Name)}</text>""");
        for (int c = 0; c < lines.Count; c++)
        {
            IReadOnlyList<ChartPoint> points = lines[c].Points;
            int look = lines[c].Look ?? c;
            (string colour, string dash) = s_styles[look % s_styles.Length];
            string dashes = dash.Length > 0 ? $" stroke-dasharray=\"{dash}\"" : "";
            if (points.All(p => double.IsFinite(p.Low) && double.IsFinite(p.High)))
            {
                string band = Path([.. points.Select(p => (X(p.X), Y(p.High))), .. points.Reverse().Select(p => (X(p.X), Y(p.Low)))]);
                svg.Line($"""<path d="{band}Z" fill="{colour}" fill-opacity="0.12"/>""");
            }
            svg.Line($"""<path d="{Path(points.Select(p =>
                (X(p.X), Y(p.Y))))}" fill="none" stroke="{colour}" stroke-width="1.8"{dashes}/>""");
            if (points.Count <= x.Marks.Count + 4)
            {
                foreach (ChartPoint p in points) Mark(svg, look, X(p.X), Y(p.Y), colour);
            }
            double row = bottom + 50 + (c * LegendRow);
            svg.Line($"""<path d="M{Left:0.##} {row:0.##}h36" stroke="{colour}" stroke-width="1.8"{dashes}/>""");
            Mark(svg, look, Left + 18, row, colour);
            svg.Line($"""<text x="{Left + 44:0.##}" y="{row + 4:0.##}" fill="{Ink}">{WebUtility.HtmlEncode(lines[c].Name)}</text>""");
        }
        return svg.Append("</svg>\n").ToString();

        static string Path(IEnumerable<(double X, double Y)> places) =>
            "M" + string.Join("L", places.Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.X:0.##} {p.Y:0.##}")));
    }

    private static void Mark(StringBuilder svg, int line, double x, double y, string colour)
    {
        FormattableString shape = (line % 3) switch
        {
            0 => $"""<circle cx="{x:0.##}" cy="{y:0.##}" r="3" fill="{colour}"/>""",
            1 => $"""<rect x="{x - 3:0.##}" y="{y - 3:0.##}" width="6" height="6" fill="{colour}"/>""",
            _ => $"""<path d="M{x:0.##} {y - 4:0.##}l4 7h-8Z" fill="{colour}"/>""",
        };
        svg.Line(shape);
    }
}
