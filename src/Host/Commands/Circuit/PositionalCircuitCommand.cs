using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Positions;
using Gradpath.Host.Sessions;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath circuit</c> where scores are of edges between spans: circuits of such edges.</summary>
internal static class PositionalCircuitCommand
{
    /// <summary>Selects a circuit.</summary>
    /// <param name="o">The options, of which one selects.</param>
    /// <param name="terminal">Told where nothing is left.</param>
    public static CommandReport Run(CircuitOptions o, Terminal terminal)
    {
        if (o.Nodes is not null)
        {
            throw new UsageException($"--nodes: {o.Scores} scores edges between spans, and no nodes; use --top-n, --greedy or --threshold, "
                + "or add the spans up with --sum-spans.");
        }
        PositionalScores scores = OptionChecks.TakeFrom(o.Scores, () => PositionalScores.Load(o.Scores));
        PositionalGraph graph = scores.Graph;
        string has = $"{o.Scores} scores {Sizes.Of(graph.EdgeCount, "edge")} between spans";
        OptionChecks.AtMost("top-n", o.TopN, graph.EdgeCount, has);
        OptionChecks.AtMost("greedy", o.Greedy, graph.EdgeCount, has);
        (string name, JsonNode value, Func<int, PositionalCircuit> select, int asked) = o switch
        {
            { TopN: { } n } => ("top-n", n, m => PositionalSelection.TopEdges(scores, m, o.Signed), n),
            { Greedy: { } n } => ("greedy", n, m => PositionalSelection.Greedy(scores, m, o.Signed), n),
            _ => ("threshold", o.Threshold!.Value, (Func<int, PositionalCircuit>)(
                _ => PositionalSelection.Threshold(scores, o.Threshold.Value, o.Signed)), 0),
        };
        PositionalCircuit? filled = o.Fill ? PositionalSelection.Fill(select, asked, graph.EdgeCount) : null;
        PositionalCircuit selected = select(filled?.EdgesBeforePrune ?? asked);
        PositionalCircuit circuit = filled ?? (o.NoPrune ? selected : PositionalSelection.Prune(selected));
        PositionalCircuit stated = circuit.With((circuit.Provenance ?? new Provenance()) with
        {
            Selection = new JsonObject
            {
                ["select"] = name,
                ["value"] = value.DeepClone(),
                ["signed"] = o.Signed,
                ["pruned"] = !o.NoPrune,
                ["filled"] = o.Fill,
            },
        });
        CommandReport report = new() { Provenance = stated.Provenance!.ToJson() };
        report.Line($"{name} {value} by {(o.Signed ? "score" : "|score|")} of edges between spans from {o.Scores}", ("scores", o.Scores));
        List<(string Name, PositionalCircuit Circuit)> rows = [("selected", selected)];
        if (!o.NoPrune) rows.Add(("pruned", circuit));
        report.Table(ReportTable.Of("sizes", rows)
            .Text("", "of", r => r.Name)
            .Count("edges between spans", "positional_edges", r => r.Circuit.EdgeCount)
            .Count("edges", "edges", r => r.Circuit.Flatten().EdgeCount)
            .Count("nodes", "nodes", r => r.Circuit.Flatten().NodeCount));
        if (circuit.EdgeCount == 0 && selected.EdgeCount > 0)
            terminal.Warn("no path leads from the input to the logits: nothing is left; select more edges, or use --greedy");
        else
            EmptyCircuits.Warn(terminal, o.Scores, circuit.Flatten());
        if (o.Out is not null) stated.Save(o.Out);
        report.File("circuit", o.Out);
        return report;
    }
}
