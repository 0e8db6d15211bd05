using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Host.Commands;

/// <summary>The rounds of path patching as text: a map of layers by heads per set of receivers, and the edges that were followed.</summary>
internal static class PathPatchingTables
{
    private const int CellWidth = 7;
    private const int EdgesShown = 20;

    /// <summary>Adds all rounds to a report: maps for people, a row per effect and per edge for programs.</summary>
    public static void Add(CommandReport found, PathPatchingReport report)
    {
        found.Draw(terminal => Print(terminal, report));
        ComputationGraph graph = report.Trace.Circuit.Graph;
        var maps = report.Trace.Rounds.SelectMany((round, r) => round.Maps.SelectMany(map =>
            Enumerable.Range(0, map.Effects.Length).Where(row => Has(map, row)).Select(row => (Round: r + 1, Map: map, Row: row))));
        found.Data(ReportTable.Of("effects", maps)
            .Hidden("round", e => e.Round)
            .Hidden("kind", e => e.Map.Kind)
            .Hidden("receivers", e => e.Map.Receivers.Select(x => graph.ReaderName(x.Column)))
            .Hidden("positions", e => e.Map.Receivers.Select(x => x.Positions.Text).Distinct())
            .Hidden("sender", e => graph.WriterName(e.Row))
            .Hidden("effect", e => e.Map.Effects[e.Row])
            .Hidden("percent", e => report.Percent(e.Map.Effects[e.Row])));
        var edges = report.Trace.Rounds.SelectMany((round, r) => round.Edges.Select(edge => (Round: r + 1, Edge: edge)));
        found.Data(ReportTable.Of("edges", edges)
            .Hidden("round", e => e.Round)
            .Hidden("edge", e => graph.EdgeName(e.Edge.Row, e.Edge.Receiver.Column))
            .Hidden("positions", e => e.Edge.Receiver.Positions.Text)
            .Hidden("effect", e => e.Edge.Effect)
            .Hidden("percent", e => report.Percent(e.Edge.Effect)));
    }

    private static void Print(Terminal terminal, PathPatchingReport report)
    {
        for (int r = 0; r < report.Trace.Rounds.Count; r++)
        {
            PathRound round = report.Trace.Rounds[r];
            foreach (PathMap map in round.Maps)
            {
                terminal.Out.WriteLine($"round {r + 1}: {report.NameOf(map)}{(report.Relative ? " (%)" : "")}");
                PrintMap(terminal, report, map);
                terminal.Out.WriteLine();
            }
            if (round.Edges.Count == 0) continue;
            terminal.Out.WriteLine($"round {r + 1}: followed");
            int width = round.Edges.Take(EdgesShown).Max(e => report.NameOf(e).Length);
            foreach (PathEdge edge in round.Edges.Take(EdgesShown))
                terminal.Out.WriteLine(
                    $"  {report.NameOf(edge).PadRight(width)} {report.Cell(edge.Effect),CellWidth}{(report.Relative ? " %" : "")}");
            if (round.Edges.Count > EdgesShown) terminal.Out.WriteLine($"  and {Sizes.Count(round.Edges.Count - EdgesShown)} more");
            terminal.Out.WriteLine();
        }
    }

    private static void PrintMap(Terminal terminal, PathPatchingReport report, PathMap map)
    {
        ComputationGraph graph = report.Trace.Circuit.Graph;
        int heads = graph.Heads;
        IEnumerable<int> places = Enumerable.Range(0, graph.WritersPerLayer);
        int[] layers = [.. Enumerable.Range(0, graph.Layers).Where(l => places.Any(c => Has(map, report.RowAt(l, c))))];
        int[] columns = [.. places.Where(c => layers.Any(l => Has(map, report.RowAt(l, c))))];
        if (columns.Length > 0)
        {
            terminal.Out.WriteLine($"{"layer",7}{string.Concat(columns.Select(c => (c == heads ? "mlp" : $"h{c}").PadLeft(CellWidth)))}");
            foreach (int layer in layers)
            {
                IEnumerable<string> cells = columns.Select(c => report.Cell(map.Effects[report.RowAt(layer, c)]).PadLeft(CellWidth));
                terminal.Out.WriteLine($"{layer,7}{string.Concat(cells)}".TrimEnd());
            }
        }
        if (Has(map, 0)) terminal.Out.WriteLine($"{"input",7}{report.Cell(map.Effects[0]),CellWidth}");
        if (map.Effects.All(double.IsNaN)) terminal.Out.WriteLine("  no sender feeds these receivers");
    }

    private static bool Has(PathMap map, int row) => !double.IsNaN(map.Effects[row]);
}
