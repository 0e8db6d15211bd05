using System.Text.RegularExpressions;
using System.Xml.Linq;
using Gradpath.Gpt2Runtime.Drawing;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Commands;
using Gradpath.Host.Reports.Tables;

namespace Gradpath.Host.Tests;

public sealed class DrawingTests
{
    private const string Nasty = "a \"b\" \\ <c> & {d}";

    private static readonly Circuit s_circuit = CircuitPruning.Prune(CircuitSelection.TopEdges(ReportSamples.Scores(4, 4), 120));

    [Fact]
    public void Svg_is_well_formed_and_names_every_edge_with_its_score()
    {
        XDocument svg = XDocument.Parse(SvgDrawing.Draw(s_circuit, Nasty));
        XNamespace ns = "http://www.w3.org/2000/svg";
        string[] titles = [.. svg.Descendants(ns + "title").Select(t => t.Value)];
        Assert.Equal(Nasty, titles[0]);
        Assert.Equal(
            s_circuit.Edges.Select(e =>
                $"{s_circuit.Graph.EdgeName(e.Row, e.Column)}: {ScoreText.Of(s_circuit.Scores![e.Row, e.Column])}").Order(
                StringComparer.Ordinal),
            titles[1..].Order(StringComparer.Ordinal));
        string[] texts = [.. svg.Descendants(ns + "text").Select(t => t.Value)];
        foreach (int node in s_circuit.Nodes) Assert.Contains(s_circuit.Graph.WriterName(node), texts);
        string[] legend =
            ["to query (left)", "to key (middle)", "to value (right)", "to MLP", "to logits", "positive score", "negative score"];
        foreach (string entry in legend) Assert.Contains(entry, texts);
        Assert.Equal(s_circuit.Graph.Writers + 1 - s_circuit.NodeCount - 1, svg.Descendants(ns + "circle").Count());
    }

    [Fact]
    public void Svg_of_an_empty_circuit_has_no_edge() =>
        Assert.Single(
            XDocument.Parse(SvgDrawing.Draw(Circuit.Of(s_circuit.Graph, []), "empty")).Descendants(), e => e.Name.LocalName == "title");

    [Fact]
    public void Dot_has_an_edge_per_edge_and_a_rank_per_row()
    {
        string dot = DotDrawing.Draw(s_circuit, Nasty);
        Assert.StartsWith("digraph \"a \\\"b\\\" \\\\ <c> & {d}\" {\n  rankdir=BT;", dot, StringComparison.Ordinal);
        Assert.Equal(s_circuit.EdgeCount, Regex.Count(dot, "^  \"[^\"]+\" -> \"[^\"]+\" \\[", RegexOptions.Multiline));
        string[] ranked = [.. Regex.Matches(dot, "rank=same; (.*); }").SelectMany(m => m.Groups[1].Value.Split("; "))];
        Assert.Equal(s_circuit.Nodes.Append(s_circuit.Graph.LogitsNode).Select(n => $"\"{s_circuit.Graph.WriterName(n)}\""), ranked);
        (int row, int column) = s_circuit.Edges.First(e => s_circuit.Scores![e.Row, e.Column] < 0);
        Assert.Contains($"arrowhead=tee, tooltip=\"{s_circuit.Graph.EdgeName(row, column)}: -", dot, StringComparison.Ordinal);
    }

    [Fact]
    public void Edges_always_rise_and_nodes_do_not_overlap()
    {
        ComputationGraph graph = new(12, 12);
        DrawingLayout layout = new(graph);
        foreach ((int row, int column) in graph.Edges)
        {
            EdgeCurve c = layout.Curve(row, column);
            Assert.True(c.Y1 < c.Y0, graph.EdgeName(row, column));
        }
        (double X, double Y)[] places = [.. Enumerable.Range(0, graph.Writers + 1).Select(layout.Place)];
        for (int a = 0; a < places.Length; a++)
        {
            Assert.InRange(places[a].X, DrawingLayout.NodeWidth / 2, layout.Width - (DrawingLayout.NodeWidth / 2));
            Assert.InRange(places[a].Y, DrawingLayout.BarHeight / 2, layout.Height - (DrawingLayout.BarHeight / 2));
            for (int b = a + 1; b < places.Length; b++)
                Assert.True(Math.Abs(places[a].X - places[b].X) > DrawingLayout.NodeWidth
                    || Math.Abs(places[a].Y - places[b].Y) > DrawingLayout.BarHeight);
        }
    }
}
