using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Reports;
using Gradpath.Host.Sessions;
using Spectre.Console;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath completeness</c>: |F(C minus K) - F(M minus K)| over node sets K.</summary>
internal static class CompletenessCommand
{
    public static int Run(CompletenessOptions o, Terminal terminal, CancellationToken cancellation)
    {
        o.Check();
        Circuit circuit = Circuit.Load(o.Circuit);
        KnockoutOptions sets = o.Sets(circuit, random: 100, greedyRuns: 10);
        using var session = EvaluationSession.Open(o, config => circuit.RequireModel(config, o.Circuit), terminal, cancellation);
        sets = sets with { Evaluation = session.Options };
        session.Clock.Start("passes");
        Completeness result = ScoringProgress.Run(
            terminal, "completeness", progress => Completeness.Measure(
                session.Weights, session.Prompts, circuit, sets, progress, cancellation));
        cancellation.ThrowIfCancellationRequested();
        session.Clock.Start("write");
        if (o.Out is not null) ResultJson.Write(o.Out, Json(session, circuit, o.Circuit, result));
        session.Clock.Stop();

        Print(terminal, circuit, result);
        session.PrintRun(terminal, result.BatchSize, result.PeakDeviceBytes);
        if (o.Out is not null) terminal.Out.WriteLine($"completeness: {o.Out}");
        return ExitCode.Success;
    }

    // Classes one by one; of the drawn sets the mean, and the one that tells most against the circuit.
    private static void Print(Terminal terminal, Circuit circuit, Completeness result)
    {
        Table table = new Table { Border = TableBorder.Simple }.AddColumn("nodes knocked out (K)");
        foreach (string name in new[] { "sets", "F(C \\ K)", "F(M \\ K)", "difference" })
            table.AddColumn(new TableColumn(name).RightAligned());
        void Row(string name, string count, double inCircuit, double inModel, double difference) => table.AddRow(
            new Text(name), new Text(count), new Text(ResultJson.Text(inCircuit)), new Text(ResultJson.Text(inModel)),
            new Text(ResultJson.Text(difference)));
        foreach (CompletenessPoint p in result.Points.Where(p => p.Set.Kind is "empty" or "class"))
            Row(p.Set.Kind == "empty" ? "none" : p.Set.Name, "", p.Circuit, p.Model, p.Difference);
        foreach (IGrouping<string, CompletenessPoint> drawn in result.Points.Where(p => p.Set.Kind is "random" or "greedy").GroupBy(p =>
            p.Set.Kind))
        {
            CompletenessPoint worst = drawn.MaxBy(p => p.Difference)!;
            string name = drawn.Key == "random" ? "random halves" : "greedy searches, all steps";
            Row($"{name}: mean", Sizes.Count(drawn.Count()), drawn.Average(p => p.Circuit), drawn.Average(p => p.Model),
                drawn.Average(p => p.Difference));
            Row($"{name}: largest", "", worst.Circuit, worst.Model, worst.Difference);
        }
        terminal.Console.Write(table);
        terminal.Out.WriteLine("F: mean metric; C: the circuit; M: the full model. A complete circuit has differences near 0.");
        CompletenessPoint most = result.Points.MaxBy(p => p.Difference)!;
        terminal.Out.WriteLine($"largest difference: {ResultJson.Text(most.Difference)}, without "
            + $"{(most.Set.Nodes.Count == 0 ? "losing any node" : string.Join(' ', most.Set.Nodes.Select(circuit.Graph.WriterName)))}");
    }

    private static JsonObject Json(EvaluationSession session, Circuit circuit, string file, Completeness result) => new()
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
        ["gradpath"] = session.ProvenanceJson(result.BatchSize, "circuit", file, circuit.Provenance),
    };
}
