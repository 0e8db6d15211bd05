using System.Globalization;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Positions;
using Gradpath.Host.Reports;
using Gradpath.Host.Sessions;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath circuit</c>: scores in, a circuit and its size out.</summary>
internal static class CircuitCommand
{
    public static CommandReport Run(CircuitOptions o, Terminal terminal, CancellationToken cancellation)
    {
        Selection selection = Parse(o);
        if (!o.SumSpans && PositionalFile.HasPositions(o.Scores))
            return PositionalCircuitCommand.Run(o, terminal);
        EdgeScores scores = GivenFile.Scores(o.Scores, terminal);
        RequireFits(o, scores.Graph);
        (Circuit selected, Circuit circuit) = OptionChecks.TakeFrom(o.Scores, () => Select(o, selection, scores));
        Circuit stated = SelectedCircuit.State(circuit, selection.Name, selection.Value.DeepClone(), o.Signed, !o.NoPrune, o.Fill);
        cancellation.ThrowIfCancellationRequested();

        Provenance? p = scores.Provenance;
        string made = p?.Method is null
            ? ""
            : $" ({p.Method}{(p.Metric is null ? "" : $", metric {p.Metric}")}{(p.Task is null ? "" : $", {p.Task}")})";
        CommandReport report = new() { Provenance = stated.Provenance!.ToJson() };
        report.Line($"{selection.Name} {selection.Value} by {(o.Signed ? "score" : "|score|")} from {o.Scores}{made}",
            ("scores", o.Scores));
        List<(string Name, int Edges, int Nodes)> rows =
        [
            ("graph", scores.Graph.EdgeCount, scores.Graph.Writers), ("selected", selected.EdgeCount, selected.NodeCount),
        ];
        if (!o.NoPrune) rows.Add(("pruned", circuit.EdgeCount, circuit.NodeCount));
        report.Table(ReportTable.Of("sizes", rows)
            .Text("", "of", r => r.Name).Count("edges", "edges", r => r.Edges).Count("nodes", "nodes", r => r.Nodes));
        if (circuit.EdgeCount == 0 && selected.EdgeCount > 0)
            terminal.Warn("no path leads from the input to the logits: nothing is left; select more edges, or use --greedy");
        else
            EmptyCircuits.Warn(terminal, o.Scores, circuit);
        WarnOfZeros(terminal, o, scores, selected);
        if (o.Out is not null) stated.Save(o.Out);
        report.File("circuit", o.Out);
        return report;
    }

    // A ranking of zeros is by position. Files of circuits without scores have 1 and 0.
    private static void WarnOfZeros(Terminal terminal, CircuitOptions o, EdgeScores scores, Circuit selected)
    {
        if (o.Nodes is not null || o.Signed) return;
        int zeros = selected.Edges.Count(e => scores.Values[scores.IndexOf(e.Row, e.Column)] == 0);
        if (zeros == 0) return;
        terminal.Warn(zeros == selected.EdgeCount
            ? $"every edge that was selected has a score of 0 in {o.Scores}: which ones were taken is by position alone"
            : $"{Sizes.Count(zeros)} of the {Sizes.Count(selected.EdgeCount)} selected edges have a score of 0 and were taken by position");
    }

    private static void RequireFits(CircuitOptions o, ComputationGraph graph)
    {
        OptionChecks.AtMost("top-n", o.TopN, graph.EdgeCount, $"{o.Scores} scores {Sizes.Of(graph.EdgeCount, "edge")}");
        OptionChecks.AtMost("greedy", o.Greedy, graph.EdgeCount, $"{o.Scores} scores {Sizes.Of(graph.EdgeCount, "edge")}");
        OptionChecks.AtMost("nodes", o.Nodes, graph.Writers, $"{o.Scores} scores {Sizes.Of(graph.Writers, "node")}");
    }

    // What is selected, and what pruning leaves of it.
    private static (Circuit Selected, Circuit Circuit) Select(CircuitOptions o, Selection selection, EdgeScores scores)
    {
        if (o.Fill)
        {
            Circuit filled = selection.Fill!(scores);
            return (selection.Select(scores, filled.EdgesBeforePrune), filled);
        }
        Circuit selected = selection.Select(scores, null);
        return (selected, o.NoPrune ? selected : CircuitPruning.Prune(selected));
    }

    private static Selection Parse(CircuitOptions o)
    {
        List<Selection> chosen = [];
        void Add(string name, int? n, Func<EdgeScores, int, bool, Circuit> select)
        {
            if (n is not { } value) return;
            bool fills = name is "top-n" or "greedy";
            chosen.Add(new Selection(name, JsonValue.Create(value), (scores, other) => select(scores, other ?? value, o.Signed))
            {
                Fill = fills ? scores => CircuitPruning.Fill(m => select(scores, m, o.Signed), value, scores.Graph.EdgeCount) : null,
            });
        }
        Add("top-n", o.TopN, CircuitSelection.TopEdges);
        Add("greedy", o.Greedy, CircuitSelection.Greedy);
        Add("nodes", o.Nodes, CircuitSelection.Nodes);
        if (o.Threshold < 0 && !o.Signed)
        {
            string given = o.Threshold.Value.ToString(CultureInfo.InvariantCulture);
            throw new UsageException($"--threshold {given}: |score| is never below 0, so that every edge would be selected; add --signed "
                + "to go by the score itself.");
        }
        if (o.Threshold is { } t)
            chosen.Add(new Selection("threshold", JsonValue.Create(t), (scores, _) => CircuitSelection.Threshold(scores, t, o.Signed)));
        if (o.Fill && o.NoPrune) throw new UsageException("--fill counts what pruning leaves; it does not go with --no-prune.");
        if (o.Fill && chosen is [{ Fill: null } other])
            throw new UsageException($"--fill counts edges; it goes with --top-n and --greedy, not with --{other.Name}.");
        return chosen switch
        {
            [{ } one] => one,
            [] => throw new UsageException("say how to select: one of --top-n, --greedy, --threshold and --nodes."),
            _ => throw new UsageException($"--{chosen[1].Name} and --{chosen[0].Name} exclude each other: select in one way."),
        };
    }

    private sealed record Selection(string Name, JsonValue Value, Func<EdgeScores, int?, Circuit> Select)
    {
        public Func<EdgeScores, Circuit>? Fill { get; init; }
    }
}
