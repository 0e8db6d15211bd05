using System.Globalization;
using System.Net;
using System.Text;
using Gradpath.Gpt2Runtime.Evaluation;

namespace Gradpath.Host.Reports;

/// <summary>
/// Faithfulness over circuit size as an SVG drawing on white, sizes on a logarithmic axis, with the intervals as bands: for papers. Methods
/// differ in colour, dashes and marks, so that the drawing can be read without colours.
/// </summary>
internal static class CurvePicture
{
    private const double Left = 56;
    private const double Top = 16;
    private const double PlotWidth = 480;
    private const double PlotHeight = 280;
    private const double LegendRow = 18;
    private const string Ink = "#1c1f23";

    private static readonly (string Colour, string Dash)[] s_styles =
    [
        ("#0072b2", ""), ("#c85200", "7 4"), ("#00805c", "2 3"), ("#8a4f9e", "10 3 2 3"), ("#4b535b", "1 2"), ("#b3446c", "12 4"),
    ];

    /// <summary>The drawing.</summary>
    /// <param name="curves">All over the same fractions.</param>
    /// <param name="title">Its name for screen readers.</param>
    public static string Draw(IReadOnlyList<NamedCurve> curves, string title)
    {
        (double low, double high) = CurvePlot.Range(curves);
        double first = Math.Log10(curves[0].Curve.Points[0].Fraction);
        double last = Math.Log10(curves[0].Curve.Points[^1].Fraction);
        double X(double fraction) => Left + (last > first ? (Math.Log10(fraction) - first) / (last - first) * PlotWidth : PlotWidth / 2);

        // What an interval reaches beyond the curves is cut off at the frame.
        double Y(double f) => Top + ((high - Math.Clamp(f, low, high)) / (high - low) * PlotHeight);

        StringBuilder svg = new();
        double bottom = Top + PlotHeight;
        Line(svg, $"""<svg xmlns="http://www.w3.org/2000/svg" width="{Left + PlotWidth + 24:0.##}" height="{bottom + 56 + (curves.Count * LegendRow):0.##}" font-family="Helvetica, Arial, sans-serif" font-size="11" role="img">""");
        Line(svg, $"<title>{WebUtility.HtmlEncode(title)}</title>");
        Line(svg, $"""<rect width="100%" height="100%" fill="#ffffff"/>""");
        double step = Step(high - low);
        for (double level = Math.Ceiling(low / step) * step; level <= high + (step / 1000); level += step)
        {
            Line(svg, $"""<path d="M{Left:0.##} {Y(level):0.##}h{PlotWidth:0.##}" stroke="#d5d9dd"/><text x="{Left - 6:0.##}" y="{Y(level) + 4:0.##}" text-anchor="end" fill="{Ink}">{level + 0.0:0.##}</text>""");
        }
        foreach (SparsityPoint p in curves[0].Curve.Points)
        {
            Line(svg, $"""<path d="M{X(p.Fraction):0.##} {bottom:0.##}v4" stroke="{Ink}"/><text x="{X(p.Fraction):0.##}" y="{bottom + 16:0.##}" text-anchor="middle" fill="{Ink}">{CurvePlot.Percent(p.Fraction)}</text>""");
        }
        Line(svg, $"""<path d="M{Left:0.##} {Top:0.##}V{bottom:0.##}H{Left + PlotWidth:0.##}" fill="none" stroke="{Ink}"/>""");
        Line(svg, $"""<text x="{Left + (PlotWidth / 2):0.##}" y="{bottom + 34:0.##}" text-anchor="middle" fill="{Ink}">edges before pruning, share of all</text>""");
        Line(svg, $"""<text transform="translate(14 {Top + (PlotHeight / 2):0.##}) rotate(-90)" text-anchor="middle" fill="{Ink}">faithfulness</text>""");
        for (int c = 0; c < curves.Count; c++)
        {
            IReadOnlyList<SparsityPoint> points = curves[c].Curve.Points;
            (string colour, string dash) = s_styles[c % s_styles.Length];
            string dashes = dash.Length > 0 ? $" stroke-dasharray=\"{dash}\"" : "";
            string Path(IEnumerable<(double X, double Y)> places) =>
                "M" + string.Join("L", places.Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.X:0.##} {p.Y:0.##}")));
            string band = Path([.. points.Select(p => (X(p.Fraction), Y(p.High))), .. points.Reverse().Select(p => (X(p.Fraction), Y(p.Low)))]);
            Line(svg, $"""<path d="{band}Z" fill="{colour}" fill-opacity="0.12"/>""");
            Line(svg, $"""<path d="{Path(points.Select(p => (X(p.Fraction), Y(p.Faithfulness))))}" fill="none" stroke="{colour}" stroke-width="1.8"{dashes}/>""");
            foreach (SparsityPoint p in points) Mark(svg, c, X(p.Fraction), Y(p.Faithfulness), colour);
            double y = bottom + 50 + (c * LegendRow);
            Line(svg, $"""<path d="M{Left:0.##} {y:0.##}h36" stroke="{colour}" stroke-width="1.8"{dashes}/>""");
            Mark(svg, c, Left + 18, y, colour);
            Line(svg, $"""<text x="{Left + 44:0.##}" y="{y + 4:0.##}" fill="{Ink}">{WebUtility.HtmlEncode(curves[c].Name)}</text>""");
        }
        return svg.Append("</svg>\n").ToString();
    }

    private static void Mark(StringBuilder svg, int method, double x, double y, string colour)
    {
        FormattableString shape = (method % 3) switch
        {
            0 => $"""<circle cx="{x:0.##}" cy="{y:0.##}" r="3" fill="{colour}"/>""",
            1 => $"""<rect x="{x - 3:0.##}" y="{y - 3:0.##}" width="6" height="6" fill="{colour}"/>""",
            _ => $"""<path d="M{x:0.##} {y - 4:0.##}l4 7h-8Z" fill="{colour}"/>""",
        };
        Line(svg, shape);
    }

    // 1, 2 or 5 times a power of ten, so that there are four to ten lines.
    private static double Step(double range)
    {
        double power = Math.Pow(10, Math.Floor(Math.Log10(range / 4)));
        return (range / 4 / power) switch { >= 5 => 5 * power, >= 2 => 2 * power, _ => power };
    }

    private static void Line(StringBuilder svg, FormattableString text) => svg.Append(text.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
