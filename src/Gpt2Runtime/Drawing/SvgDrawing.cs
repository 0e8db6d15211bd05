using System.Globalization;
using System.Net;
using System.Text;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Drawing;

/// <summary>
/// A circuit as an SVG drawing on white, with a legend: for papers. Layout as in <see cref="DrawingLayout"/>; what an edge feeds shows in
/// colour and dashes, its score in the line's width, its sign in the line's end.
/// </summary>
internal static class SvgDrawing
{
    private const double LegendRow = 20;
    private const string Ink = "#1c1f23";

    // Colours and dashes by EdgeKind; the colours stay apart for colour-blind readers.
    private static readonly (string Name, string Colour, string Dash)[] s_kinds =
    [
        ("to query (left)", "#0072b2", "7 4"),
        ("to key (middle)", "#c85200", "2 3"),
        ("to value (right)", "#00805c", ""),
        ("to MLP", "#8a4f9e", "10 3 2 3"),
        ("to logits", "#4b535b", ""),
    ];

    /// <summary>The drawing.</summary>
    /// <param name="circuit">What to draw; without scores all lines are equally wide.</param>
    /// <param name="title">Its name for screen readers.</param>
    public static string Draw(Circuit circuit, string title)
    {
        DrawingLayout layout = new(circuit.Graph);
        double width = Math.Max(layout.Width, 420);
        int legendColumns = Math.Max(1, (int)(width / 140));
        int legendRows = (s_kinds.Length + 2 + legendColumns - 1) / legendColumns;
        StringBuilder svg = new();
        svg.Line($"""<svg xmlns="http://www.w3.org/2000/svg" width="{width:0.##}" """,
            $"""height="{layout.Height + (legendRows * LegendRow) + 8:0.##}" font-family="Helvetica, Arial, sans-serif" """,
            $"""font-size="11" role="img">""");
        svg.Line($"<title>{WebUtility.HtmlEncode(title)}</title>");
        svg.Line($"""<rect width="100%" height="100%" fill="#ffffff"/>""");
        DrawLayers(svg, circuit.Graph, layout);
        DrawEdges(svg, circuit, layout);
        for (int node = 0; node <= circuit.Graph.LogitsNode; node++) DrawNode(svg, circuit, layout, node);
        DrawLegend(svg, layout, legendColumns, width);
        return svg.Append("</svg>\n").ToString();
    }

    private static void DrawLayers(StringBuilder svg, ComputationGraph graph, DrawingLayout layout)
    {
        for (int layer = 0; layer < graph.Layers; layer++) Label(graph.HeadRow(layer, 0), 4, layer.ToString(CultureInfo.InvariantCulture));
        Label(graph.HeadRow(graph.Layers - 1, 0), -12, "layer");

        void Label(int node, double down, string text) =>
            svg.Line($"""<text x="8" y="{layout.Place(node).Y + down:0.##}" fill="#5a626b">{text}</text>""");
    }

    // Weak edges first, so that strong ones lie on top.
    private static void DrawEdges(StringBuilder svg, Circuit circuit, DrawingLayout layout)
    {
        EdgeScores? scores = circuit.Scores;
        (int Row, int Column, float Score)[] edges =
            [.. circuit.Edges.Select(e => (e.Row, e.Column, scores?[e.Row, e.Column] ?? 1f)).OrderBy(e => MathF.Abs(e.Item3))];
        float largest = edges.Length > 0 ? MathF.Abs(edges[^1].Score) : 0;
        double opacity = Math.Clamp(1.25 - (0.34 * Math.Log10(edges.Length + 1)), 0.25, 0.85);
        svg.Line($"""<g fill="none" opacity="1" stroke-opacity="{opacity:0.##}" fill-opacity="{opacity:0.##}">""");
        foreach ((int row, int column, float score) in edges)
        {
            EdgeCurve c = layout.Curve(row, column);
            (_, string colour, string dash) = s_kinds[(int)DrawingLayout.KindOf(circuit.Graph, column)];
            double width = 0.7 + (4.3 * Math.Sqrt(largest > 0 ? MathF.Abs(score) / largest : 0));
            double tip = 3 + width;
            string name = $"{circuit.Graph.EdgeName(row, column)}{(scores is null ? "" : $": {ScoreText.Of(score)}")}";
            svg.Line($"""<g><title>{WebUtility.HtmlEncode(name)}</title>""",
                $"""<path d="M{c.X0:0.##} {c.Y0:0.##}C{c.ControlX0:0.##} {c.ControlY0:0.##} {c.ControlX1:0.##} {c.ControlY1:0.##} """,
                $"""{c.X1:0.##} {c.Y1 + (score < 0 ? 2 : tip):0.##}" stroke="{colour}" """,
                $"""stroke-width="{width:0.##}"{(dash.Length > 0 ? $" stroke-dasharray=\"{dash}\"" : "")}/>""",
                $"""{End(c.X1, c.Y1, tip, score < 0, colour)}</g>""");
        }
        svg.Append("</g>\n");
    }

    // A positive score ends in an arrow, a negative one in a bar across.
    private static string End(double x, double y, double tip, bool negative, string colour) => negative
        ? string.Create(CultureInfo.InvariantCulture,
            $"""<path d="M{x - (tip * 0.8):0.##} {y + 2:0.##}H{x + (tip * 0.8):0.##}" stroke="{colour}" stroke-width="2"/>""")
        : string.Create(CultureInfo.InvariantCulture,
            $"""<path d="M{x:0.##} {y:0.##}L{x - (tip * 0.6):0.##} {y + tip + 1:0.##}H{x + (tip * 0.6):0.##}Z" fill="{colour}"/>""");

    private static void DrawNode(StringBuilder svg, Circuit circuit, DrawingLayout layout, int node)
    {
        (double x, double y) = layout.Place(node);
        bool isBar = layout.IsBar(node);
        if (!circuit.ContainsNode(node))
        {
            svg.Line($"""<circle cx="{x:0.##}" cy="{y:0.##}" r="2" fill="#dddfe2"/>""");
            return;
        }
        double width = isBar ? layout.BarWidth : DrawingLayout.NodeWidth;
        double height = isBar ? DrawingLayout.BarHeight : DrawingLayout.NodeHeight;
        string fill = isBar ? "#e8e9eb" : layout.IsMlp(node) ? "#f6efe2" : "#eef3f9";
        double corner = isBar || layout.IsMlp(node) ? 3 : height / 2;
        svg.Line($"""<rect x="{x - (width / 2):0.##}" y="{y - (height / 2):0.##}" width="{width:0.##}" height="{height:0.##}" """,
            $"""rx="{corner:0.##}" fill="{fill}" stroke="#5a626b"/>""",
            $"""<text x="{x:0.##}" y="{y + 4:0.##}" text-anchor="middle" fill="{Ink}">{circuit.Graph.WriterName(node)}</text>""");
    }

    private static void DrawLegend(StringBuilder svg, DrawingLayout layout, int columns, double width)
    {
        (string Name, string Colour, string Dash, bool Negative)[] entries =
        [
            .. s_kinds.Select(k => (k.Name, k.Colour, k.Dash, false)),
            ("positive score", Ink, "", false),
            ("negative score", Ink, "", true),
        ];
        double pitch = (width - 20) / columns;
        for (int i = 0; i < entries.Length; i++)
        {
            (string name, string colour, string dash, bool negative) = entries[i];
            double x = 10 + (i % columns * pitch);
            double y = layout.Height + (i / columns * LegendRow) + 6;
            string end = negative
                ? string.Create(CultureInfo.InvariantCulture,
                    $"""<path d="M{x + 29:0.##} {y - 5:0.##}V{y + 5:0.##}" stroke="{colour}" stroke-width="2"/>""")
                : string.Create(CultureInfo.InvariantCulture,
                    $"""<path d="M{x + 35:0.##} {y:0.##}L{x + 28:0.##} {y - 4:0.##}V{y + 4:0.##}Z" fill="{colour}"/>""");
            svg.Line($"""<path d="M{x:0.##} {y:0.##}H{x + 28:0.##}" stroke="{colour}" """,
                $"""stroke-width="2"{(dash.Length > 0 ? $" stroke-dasharray=\"{dash}\"" : "")}/>""",
                $"""{end}<text x="{x + 40:0.##}" y="{y + 4:0.##}" fill="{Ink}">{name}</text>""");
        }
    }
}
