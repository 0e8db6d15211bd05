using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Reports;
using Gradpath.Host.Sessions;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath completeness</c>: |F(C minus K) - F(M minus K)| over node sets K.</summary>
internal static class CompletenessCommand
{
    public static CommandReport Run(CompletenessOptions o, Terminal terminal, CancellationToken cancellation)
    {
        o.Check();
        Circuit circuit = Circuit.Load(o.Circuit);
        KnockoutOptions sets = o.Sets(circuit, random: 100, greedyRuns: 10);
        GivenFile given = GivenFile.Of(o.Circuit, circuit);
        using var session = EvaluationSession.Open(o, [given], terminal, cancellation);
        EmptyCircuits.Warn(terminal, o.Circuit, circuit);
        sets = sets with { Evaluation = session.Options };
        session.Clock.Start("passes");
        Completeness result = ScoringProgress.Run(
            terminal, "completeness", progress => Completeness.Measure(
                session.Weights, session.Prompts, circuit, sets, progress, cancellation));
        cancellation.ThrowIfCancellationRequested();
        session.Clock.Start("write");
        JsonObject made = session.ProvenanceJson(result.BatchSize, given);
        if (o.Out is not null) ResultJson.Write(o.Out, Json(circuit, made, result));
        session.Clock.Stop();

        CommandReport report = new();
        Describe(report, circuit, result);
        report.Provenance = made;
        session.Describe(report, result.BatchSize, result.PeakDeviceBytes);
        report.File("completeness", o.Out);
        return report;
    }

    // Classes one by one; of the drawn sets the mean, and the one that tells most against the circuit.
    private static void Describe(CommandReport report, Circuit circuit, Completeness result)
    {
        List<(string Name, int? Sets, double Circuit, double Model, double Difference)> rows = [];
        foreach (CompletenessPoint p in result.Points.Where(p => p.Set.Kind is "empty" or "class"))
            rows.Add((p.Set.Kind == "empty" ? "none" : p.Set.Name, null, p.Circuit, p.Model, p.Difference));
        foreach (IGrouping<string, CompletenessPoint> drawn in result.Points.Where(p => p.Set.Kind is "random" or "greedy").GroupBy(p =>
            p.Set.Kind))
        {
            CompletenessPoint worst = drawn.MaxBy(p => p.Difference)!;
            string name = drawn.Key == "random" ? "random halves" : "greedy searches, all steps";
            rows.Add(($"{name}: mean", drawn.Count(), drawn.Average(p => p.Circuit), drawn.Average(p => p.Model),
                drawn.Average(p => p.Difference)));
            rows.Add(($"{name}: largest", null, worst.Circuit, worst.Model, worst.Difference));
        }
        report.Table(ReportTable.Of("sets", rows)
            .Text("nodes knocked out (K)", "knocked_out", r => r.Name)
            .Count("sets", "sets", r => r.Sets)
            .Number("F(C \\ K)", "circuit", r => r.Circuit)
            .Number("F(M \\ K)", "model", r => r.Model)
            .Number("difference", "difference", r => r.Difference));
        report.Note("F: mean metric; C: the circuit; M: the full model. A complete circuit has differences near 0.");
        CompletenessPoint most = result.Points.MaxBy(p => p.Difference)!;
        string[] nodes = [.. most.Set.Nodes.Select(circuit.Graph.WriterName)];
        report.Line($"largest difference: {Sizes.Number(most.Difference)}, without "
            + $"{(nodes.Length == 0 ? "losing any node" : string.Join(' ', nodes))}",
            ("largest_difference", most.Difference), ("largest_difference_nodes", nodes),
            ("n_edges", circuit.EdgeCount), ("n_nodes", circuit.NodeCount));
    }

    private static JsonObject Json(Circuit circuit, JsonObject made, Completeness result) => new()
    {
        ["largest_difference"] = ResultJson.Number(result.Points.Max(p => p.Difference)),
        ["n_edges"] = circuit.EdgeCount,
        ["n_nodes"] = circuit.NodeCount,
        ["sets"] = new JsonArray([.. result.Points.Select(p => new JsonObject
        {
            ["kind"] = p.Set.Kind,
            ["name"] = p.Set.Name,
            ["nodes"] = new JsonArray([.. p.Set.Nodes.Select(n => JsonValue.Create(circuit.Graph.WriterName(n)))]),
            ["circuit"] = ResultJson.Number(p.Circuit),
            ["model"] = ResultJson.Number(p.Model),
            ["difference"] = ResultJson.Number(p.Difference),
        })]),
        ["gradpath"] = made,
    };
}
