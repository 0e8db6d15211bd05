using System.Globalization;
using System.Net;
using System.Text;
using Gradpath.Gpt2Runtime.Drawing;

namespace Gradpath.Host.Reports.Pictures;

/// <summary>
/// Square tables of ratios as heat maps on white, several to a line, all to one scale from 0 to 1, each cell with its number.
/// </summary>
internal static class HeatMap
{
    private const double Cell = 58;
    private const double CellHeight = 24;
    private const double LetterWidth = 6.1;
    private const double Gap = 36;
    private const double Head = 54;
    private const string Ink = "#1c1f23";

    private static readonly (int R, int G, int B) s_none = (0xf7, 0xf7, 0xf5);
    private static readonly (int R, int G, int B) s_all = (0x16, 0x4f, 0x8c);

    /// <summary>The drawing.</summary>
    /// <param name="title">Its name for screen readers.</param>
    /// <param name="names">What rows and columns stand for.</param>
    /// <param name="columns">What columns are, above each map.</param>
    /// <param name="lines">Per line its maps.</param>
    public static string Draw(
        string title, IReadOnlyList<string> names, string columns, IReadOnlyList<IReadOnlyList<HeatMapPanel>> lines)
    {
        double left = (names.Max(n => n.Length) * LetterWidth) + 12, cell = Math.Max(Cell, (names.Max(n => n.Length) * LetterWidth) + 8);
        double mapWidth = Math.Max(
            left + (names.Count * cell), lines.SelectMany(l => l).Max(m => m.Title.Length) * LetterWidth * 1.1) + Gap;
        double mapHeight = Head + (names.Count * CellHeight) + 22;
        StringBuilder svg = new();
        svg.Line($"""<svg xmlns="http://www.w3.org/2000/svg" width="{12 + (lines.Max(l => l.Count) * mapWidth):0.##}" """,
            $"""height="{12 + (lines.Count * mapHeight):0.##}" font-family="Helvetica, Arial, sans-serif" """,
            $"""font-size="11" role="img">""");
        svg.Line($"<title>{WebUtility.HtmlEncode(title)}</title>");
        svg.Line($"""<rect width="100%" height="100%" fill="#ffffff"/>""");
        for (int line = 0; line < lines.Count; line++)
        {
            for (int map = 0; map < lines[line].Count; map++)
                DrawMap(svg, lines[line][map], names, columns, left, cell, 12 + (map * mapWidth), 12 + (line * mapHeight));
        }
        return svg.Append("</svg>\n").ToString();
    }

    private static void DrawMap(
        StringBuilder svg, HeatMapPanel map, IReadOnlyList<string> names, string columns, double left, double cell, double x, double y)
    {
        svg.Line($"""<text x="{x:0.##}" y="{y + 12:0.##}" font-weight="bold" fill="{Ink}">{WebUtility.HtmlEncode(map.Title)}</text>""");
        svg.Line($"""<text x="{x + left:0.##}" y="{y + 28:0.##}" fill="{Ink}">{WebUtility.HtmlEncode(columns)}</text>""");
        double top = y + Head;
        for (int i = 0; i < names.Count; i++)
        {
            string name = WebUtility.HtmlEncode(names[i]);
            svg.Line($"""<text x="{x + left + ((i + 0.5) * cell):0.##}" y="{top - 8:0.##}" """,
                $"""text-anchor="middle" fill="{Ink}">{name}</text>""");
            svg.Line($"""<text x="{x + left - 6:0.##}" y="{top + (i * CellHeight) + 16:0.##}" """,
                $"""text-anchor="end" fill="{Ink}">{name}</text>""");
            for (int c = 0; c < names.Count; c++)
                DrawCell(svg, $"{names[i]}, {names[c]}", map.Value(i, c), x + left + (c * cell), top + (i * CellHeight), cell);
        }
    }

    // What is no number is an empty frame; what lies outside 0 to 1 has the colour of the nearer end.
    private static void DrawCell(StringBuilder svg, string name, double value, double x, double y, double width)
    {
        double share = double.IsNaN(value) ? 0 : Math.Clamp(value, 0, 1);
        svg.Line($"<g><title>{WebUtility.HtmlEncode(name)}: {Sizes.Ratio(value)}</title>",
            $"""<rect class="cell" x="{x:0.##}" y="{y:0.##}" width="{width:0.##}" height="{CellHeight:0.##}" """,
            $"""fill="{(double.IsNaN(value) ? "none" : Colour(share))}" stroke="#d5d9dd"/>""",
            $"""<text x="{x + (width / 2):0.##}" y="{y + 16:0.##}" text-anchor="middle" """,
            $"""fill="{(share > 0.5 ? "#ffffff" : Ink)}">{Sizes.Ratio(value)}</text></g>""");
    }

    private static string Colour(double share)
    {
        int Mix(int from, int to) => (int)Math.Round(from + ((to - from) * share));
        return string.Create(
            CultureInfo.InvariantCulture, $"#{Mix(s_none.R, s_all.R):x2}{Mix(s_none.G, s_all.G):x2}{Mix(s_none.B, s_all.B):x2}");
    }
}
