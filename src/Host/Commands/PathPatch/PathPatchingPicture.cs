using System.Globalization;
using System.Net;
using System.Text;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Drawing;
using Gradpath.Host.Reports.Pages;
using Gradpath.Host.Reports.Pictures;

namespace Gradpath.Host.Commands;

/// <summary>
/// The rounds of path patching as heat maps of layers by heads on white, all to one scale, each cell with its number: one SVG drawing, or a
/// page with the drawing and the edges that were followed.
/// </summary>
internal static class PathPatchingPicture
{
    private const double Cell = 34;
    private const double CellHeight = 20;
    private const double Left = 52;
    private const double Gap = 44;
    private const double LetterWidth = 6.1;
    private const int MapsPerRow = 2;
    private const string Ink = "#1c1f23";

    // Ends and middle of the scale: a fall of the metric is warm, a rise cool. They stay apart for colour-blind readers.
    private static readonly (int R, int G, int B) s_falls = (0xa3, 0x2a, 0x12);
    private static readonly (int R, int G, int B) s_zero = (0xf7, 0xf7, 0xf5);
    private static readonly (int R, int G, int B) s_rises = (0x16, 0x4f, 0x8c);

    /// <summary>Writes the drawing or the page; a file that exists is replaced, and only by a whole one.</summary>
    public static void Write(string path, PathPatchingReport report)
    {
        bool page = AtomicFile.Extension(path, ofStreams: ".svg") == ".html";
        AtomicFile.Write(path, page ? Page(report) : Draw(report));
    }

    /// <summary>The page.</summary>
    public static string Page(PathPatchingReport report)
    {
        string[] heads = ["round", "edge", report.Relative ? "effect in %" : "effect"];
        IEnumerable<string[]> rows = report.Trace.Rounds.SelectMany((round, r) => round.Edges.Select(
            edge => (string[])[(r + 1).ToString(CultureInfo.InvariantCulture), report.NameOf(edge), report.Cell(edge.Effect)]));
        return PlainPage.Of(report.Title, $"{Draw(report)}<h2>Edges that were followed</h2>\n{PlainPage.Table(heads, 2, rows)}");
    }

    /// <summary>The drawing.</summary>
    public static string Draw(PathPatchingReport report)
    {
        int heads = report.Trace.Circuit.Graph.Heads;
        int layers = report.Trace.Circuit.Graph.Layers;
        double titles = report.Trace.Rounds.SelectMany(r => r.Maps).Max(m => report.NameOf(m).Length + "round 1: ".Length) * LetterWidth;
        double mapWidth = Math.Max(Left + (report.Trace.Circuit.Graph.WritersPerLayer * Cell), titles) + Gap;
        double mapHeight = ((layers + 1) * CellHeight) + 64;
        (int Round, PathMap Map)[] maps = [.. report.Trace.Rounds.SelectMany((round, r) => round.Maps.Select(m => (r + 1, m)))];
        (double X, double Y)[] places = new (double, double)[maps.Length];
        double bottom = 12;
        int column = 0;
        for (int i = 0; i < maps.Length; i++)
        {
            if (i > 0 && (column == MapsPerRow || maps[i].Round != maps[i - 1].Round))
            {
                column = 0;
                bottom += mapHeight;
            }
            places[i] = (12 + (column++ * mapWidth), bottom);
        }
        double width = 12 + (Math.Min(MapsPerRow, report.Trace.Rounds.Max(r => r.Maps.Count)) * mapWidth);
        StringBuilder svg = new();
        svg.Line($"""<svg xmlns="http://www.w3.org/2000/svg" width="{Math.Max(width, 420):0.##}" """,
            $"""height="{bottom + mapHeight + 28:0.##}" font-family="Helvetica, Arial, sans-serif" """,
            $"""font-size="11" role="img">""");
        svg.Line($"<title>{WebUtility.HtmlEncode(report.Title)}</title>");
        svg.Line($"""<rect width="100%" height="100%" fill="#ffffff"/>""");
        double largest = report.Largest;
        for (int i = 0; i < maps.Length; i++) DrawMap(svg, report, maps[i].Round, maps[i].Map, largest, places[i].X, places[i].Y);
        DrawScale(svg, report, largest, bottom + mapHeight);
        return svg.Append("</svg>\n").ToString();
    }

    private static void DrawMap(StringBuilder svg, PathPatchingReport report, int round, PathMap map, double largest, double x, double y)
    {
        int heads = report.Trace.Circuit.Graph.Heads;
        int layers = report.Trace.Circuit.Graph.Layers;
        svg.Line($"""<text x="{x:0.##}" y="{y + 12:0.##}" font-weight="bold" """,
            $"""fill="{Ink}">round {round}: {WebUtility.HtmlEncode(report.NameOf(map))}</text>""");
        double top = y + 36;
        for (int c = 0; c <= heads; c++)
            svg.Line($"""<text x="{x + Left + ((c + 0.5) * Cell):0.##}" y="{top - 6:0.##}" """,
                $"""text-anchor="middle" fill="{Ink}">{(c == heads ? "mlp" : $"h{c}")}</text>""");
        for (int layer = 0; layer < layers; layer++)
        {
            svg.Line($"""<text x="{x + Left - 8:0.##}" y="{top + (layer * CellHeight) + 14:0.##}" """,
                $"""text-anchor="end" fill="{Ink}">{layer}</text>""");
            for (int c = 0; c <= heads; c++)
                DrawCell(svg, report, map, report.RowAt(layer, c), largest, x + Left + (c * Cell), top + (layer * CellHeight));
        }
        double last = top + (layers * CellHeight);
        svg.Line($"""<text x="{x + Left - 8:0.##}" y="{last + 14:0.##}" text-anchor="end" fill="{Ink}">input</text>""");
        DrawCell(svg, report, map, 0, largest, x + Left, last);
    }

    // A sender that was not asked for, or that feeds none of the receivers, is an empty frame.
    private static void DrawCell(StringBuilder svg, PathPatchingReport report, PathMap map, int row, double largest, double x, double y)
    {
        double effect = map.Effects[row];
        double share = double.IsNaN(effect) || largest == 0 ? 0 : Math.Clamp(report.Shown(effect) / largest, -1, 1);
        string fill = double.IsNaN(effect) ? "none" : Colour(report, share);
        string ink = Math.Sqrt(Math.Abs(share)) > 0.6 ? "#ffffff" : Ink;
        svg.Line($"""<g><title>{report.Trace.Circuit.Graph.WriterName(row)}""",
            $"""{(double.IsNaN(effect) ? "" : $": {report.Cell(effect)}{(report.Relative ? " %" : "")}")}</title>""",
            $"""<rect x="{x:0.##}" y="{y:0.##}" width="{Cell:0.##}" height="{CellHeight:0.##}" """,
            $"""fill="{fill}" stroke="#d5d9dd"/>""",
            $"""<text x="{x + (Cell / 2):0.##}" y="{y + 14:0.##}" text-anchor="middle" """,
            $"""font-size="10" fill="{ink}">{report.Cell(effect)}</text></g>""");
    }

    private static void DrawScale(StringBuilder svg, PathPatchingReport report, double largest, double y)
    {
        const int steps = 9;
        for (int i = 0; i < steps; i++)
        {
            double share = ((2.0 * i) / (steps - 1)) - 1;
            svg.Line($"""<rect x="{Left + 12 + (i * 24):0.##}" y="{y:0.##}" width="24" height="12" """,
                $"""fill="{Colour(report, share * Math.Abs(share))}"/>""");
        }
        string unit = report.Relative ? " %" : "";
        svg.Line($"""<text x="{Left + 6:0.##}" y="{y + 10:0.##}" """,
            $"""text-anchor="end" fill="{Ink}">{(-largest).ToString("0.#", CultureInfo.InvariantCulture)}{unit}</text>""");
        svg.Line($"""<text x="{Left + 18 + (steps * 24):0.##}" y="{y + 10:0.##}" """,
            $"""fill="{Ink}">{largest.ToString("0.#", CultureInfo.InvariantCulture)}{unit}, change of the metric</text>""");
    }

    // The root makes weak effects visible. Of a divergence a rise hurts, so there it is warm.
    private static string Colour(PathPatchingReport report, double share)
    {
        (int R, int G, int B) end = share < 0 == report.Relative ? s_falls : s_rises;
        double t = Math.Sqrt(Math.Abs(share));
        int Mix(int from, int to) => (int)Math.Round(from + ((to - from) * t));
        return string.Create(CultureInfo.InvariantCulture, $"#{Mix(s_zero.R, end.R):x2}{Mix(s_zero.G, end.G):x2}{Mix(s_zero.B, end.B):x2}");
    }
}
