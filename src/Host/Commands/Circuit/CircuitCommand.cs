using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Reports;
using Spectre.Console;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath circuit</c>: scores in, a circuit and its size out.</summary>
internal static class CircuitCommand
{
    public static int Run(CircuitOptions o, Terminal terminal)
    {
        Selection selection = Parse(o);
        if (o.Out is not null) OutputFile.RequireWritable("out", o.Out, CircuitFile.RequireWritable);

        EdgeScores scores = ScoreFile.Read(o.Scores);
        Circuit selected, circuit;
        if (o.Fill)
        {
            circuit = selection.Fill!(scores);
            selected = selection.Select(scores, circuit.EdgesBeforePrune);
        }
        else
        {
            selected = selection.Select(scores, null);
            circuit = o.NoPrune ? selected : CircuitPruning.Prune(selected);
        }
        if (o.Out is not null) CircuitFile.Write(o.Out, WithSelection(circuit, selection.Name, selection.Value.DeepClone(), o.Signed, !o.NoPrune, o.Fill));

        Provenance? p = scores.Provenance;
        string made = p?.Method is null ? "" : $" ({p.Method}{(p.Metric is null ? "" : $", metric {p.Metric}")}{(p.Task is null ? "" : $", {p.Task}")})";
        terminal.Out.WriteLine($"{selection.Name} {selection.Value} by {(o.Signed ? "score" : "|score|")} from {o.Scores}{made}");
        Table table = new Table { Border = TableBorder.Simple }
            .AddColumn("").AddColumn(new TableColumn("edges").RightAligned()).AddColumn(new TableColumn("nodes").RightAligned());
        void Row(string name, int edges, int nodes) => table.AddRow(new Text(name), new Text(Sizes.Count(edges)), new Text(Sizes.Count(nodes)));
        Row("graph", scores.Graph.EdgeCount, scores.Graph.Writers);
        Row("selected", selected.EdgeCount, selected.NodeCount);
        if (!o.NoPrune) Row("pruned", circuit.EdgeCount, circuit.NodeCount);
        terminal.Console.Write(table);
        if (circuit.EdgeCount == 0 && selected.EdgeCount > 0)
            terminal.Out.WriteLine("No path leads from the input to the logits: nothing is left. Select more edges, or use --greedy.");
        if (o.Out is not null) terminal.Out.WriteLine($"circuit: {o.Out}");
        return ExitCode.Success;
    }

    private static Selection Parse(CircuitOptions o)
    {
        List<Selection> chosen = [];
        void Add(string name, int? n, Func<EdgeScores, int, bool, Circuit> select)
        {
            if (n < 0) throw new UsageException($"--{name} {n}: must be 0 or more.");
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
        if (o.Threshold is { } t)
        {
            if (!float.IsFinite(t)) throw new UsageException("--threshold: must be a finite number.");
            chosen.Add(new Selection("threshold", JsonValue.Create(t), (scores, _) => CircuitSelection.Threshold(scores, t, o.Signed)));
        }
        if (o.Fill && o.NoPrune) throw new UsageException("--fill counts what pruning leaves; it does not go with --no-prune.");
        if (o.Fill && chosen is [{ Fill: null } other]) throw new UsageException($"--fill counts edges; it goes with --top-n and --greedy, not with --{other.Name}.");
        return chosen.Count == 1 ? chosen[0] : throw new UsageException("say how to select: one of --top-n, --greedy, --threshold and --nodes.");
    }

    /// <summary>The circuit as its file has it: with the selection that made it.</summary>
    /// <param name="circuit">The circuit.</param>
    /// <param name="select">The option that selected it, without dashes.</param>
    /// <param name="value">The option's value.</param>
    /// <param name="signed">Whether edges were ranked by their score, not its absolute value.</param>
    /// <param name="pruned">Whether it was pruned.</param>
    /// <param name="filled">Whether the value counts edges after pruning.</param>
    public static Circuit WithSelection(Circuit circuit, string select, JsonNode value, bool signed, bool pruned, bool filled) => new(circuit.Graph, circuit.Membership)
    {
        EdgesBeforePrune = circuit.EdgesBeforePrune,
        Scores = circuit.Scores,
        Provenance = (circuit.Provenance ?? new Provenance()) with
        {
            Selection = new JsonObject { ["select"] = select, ["value"] = value, ["signed"] = signed, ["pruned"] = pruned, ["filled"] = filled },
        },
    };

    private sealed record Selection(string Name, JsonValue Value, Func<EdgeScores, int?, Circuit> Select)
    {
        public Func<EdgeScores, Circuit>? Fill { get; init; }
    }
}
