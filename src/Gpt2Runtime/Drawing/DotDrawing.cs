using System.Globalization;
using System.Text;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Drawing;

/// <summary>A circuit in Graphviz's language: each layer's heads are one rank, its MLP the next one, from the input up.</summary>
internal static class DotDrawing
{
    // By EdgeKind.
    private static readonly string[] s_styles =
    [
        "color=\"#0072b2\", style=dashed, label=q",
        "color=\"#c85200\", style=dotted, label=k",
        "color=\"#00805c\", label=v",
        "color=\"#8a4f9e\"",
        "color=\"#4b535b\"",
    ];

    /// <summary>The graph's text.</summary>
    public static string Draw(Circuit circuit, string title)
    {
        ComputationGraph graph = circuit.Graph;
        StringBuilder dot = new();
        dot.Append(CultureInfo.InvariantCulture, $"digraph {Quote(title)} {{\n");
        dot.Append("  rankdir=BT;\n  node [shape=box, style=rounded, fontname=Helvetica, fontsize=11];\n  edge [fontname=Helvetica, "
            + "fontsize=9];\n");
        Rank(dot, circuit, [ComputationGraph.InputRow]);
        for (int layer = 0; layer < graph.Layers; layer++)
        {
            Rank(dot, circuit, Enumerable.Range(graph.HeadRow(layer, 0), graph.Heads));
            Rank(dot, circuit, [graph.MlpRow(layer)]);
        }
        Rank(dot, circuit, [graph.LogitsNode]);
        float largest = circuit.Edges.Select(e => MathF.Abs(Score(circuit, e.Row, e.Column))).DefaultIfEmpty(0).Max();
        foreach ((int row, int column) in circuit.Edges)
        {
            float score = Score(circuit, row, column);
            double width = 0.7 + (4.3 * Math.Sqrt(largest > 0 ? MathF.Abs(score) / largest : 0));
            string tooltip = circuit.Scores is null
                ? graph.EdgeName(row, column)
                : $"{graph.EdgeName(row, column)}: {ScoreText.Of(score)}";
            dot.Append(
                CultureInfo.InvariantCulture,
                $"  {Quote(graph.WriterName(row))} -> {Quote(graph.WriterName(graph.NodeOfColumn(column)))} "
                    + $"[{s_styles[(int)DrawingLayout.KindOf(graph, column)]}, penwidth={width:0.00}, "
                    + $"arrowhead={(score < 0 ? "tee" : "normal")}, tooltip={Quote(tooltip)}];\n");
        }
        return dot.Append("}\n").ToString();
    }

    private static void Rank(StringBuilder dot, Circuit circuit, IEnumerable<int> nodes)
    {
        string[] names = [.. nodes.Where(circuit.ContainsNode).Select(n => Quote(circuit.Graph.WriterName(n)))];
        if (names.Length > 0) dot.Append(CultureInfo.InvariantCulture, $"  {{ rank=same; {string.Join("; ", names)}; }}\n");
    }

    private static float Score(Circuit circuit, int row, int column) => circuit.Scores?[row, column] ?? 1f;

    private static string Quote(string text) =>
        $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}
