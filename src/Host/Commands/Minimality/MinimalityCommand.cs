using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Reports;
using Gradpath.Host.Sessions;
using Spectre.Console;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath minimality</c>: for every node v the largest |F(C minus (K + v)) - F(C minus K)| over node sets K.</summary>
internal static class MinimalityCommand
{
    public static int Run(MinimalityOptions o, Terminal terminal, CancellationToken cancellation)
    {
        o.Check();
        Circuit circuit = Circuit.Load(o.Circuit);
        KnockoutOptions sets = o.Sets(circuit, random: 10, greedyRuns: 0);
        using var session = EvaluationSession.Open(o, config => circuit.RequireModel(config, o.Circuit), terminal, cancellation);
        sets = sets with { Evaluation = session.Options };
        session.Clock.Start("passes");
        Minimality result = ScoringProgress.Run(
            terminal, "minimality", progress => Minimality.Measure(
                session.Weights, session.Prompts, circuit, sets, progress, cancellation));
        cancellation.ThrowIfCancellationRequested();
        session.Clock.Start("write");
        MinimalityPoint[] points = [.. result.Points.OrderByDescending(p => p.Difference)];
        if (o.Out is not null) ResultJson.Write(o.Out, Json(session, circuit, o.Circuit, result, points));
        session.Clock.Stop();

        Print(terminal, circuit, result, points);
        session.PrintRun(terminal, result.BatchSize, result.PeakDeviceBytes);
        if (o.Out is not null) terminal.Out.WriteLine($"minimality: {o.Out}");
        return ExitCode.Success;
    }

    private static void Print(Terminal terminal, Circuit circuit, Minimality result, MinimalityPoint[] points)
    {
        Table table = new Table { Border = TableBorder.Simple }.AddColumn("node v");
        foreach (string name in new[] { "difference", "F(C \\ K)", "F(C \\ (K + v))" })
            table.AddColumn(new TableColumn(name).RightAligned());
        table.AddColumn("set K");
        foreach (MinimalityPoint p in points)
        {
            string set = p.Set.Kind switch { "empty" => "none", "class" => p.Set.Name, _ => $"{p.Set.Kind} {p.Set.Name}" };
            table.AddRow(
                new Text(circuit.Graph.WriterName(p.Node)),
                new Text(ResultJson.Text(p.Difference)),
                new Text(ResultJson.Text(p.Without)),
                new Text(ResultJson.Text(p.WithoutBoth)),
                new Text(p.Set.Nodes.Count == 0 ? set : $"{set}, {Sizes.Count(p.Set.Nodes.Count)} nodes"));
        }
        terminal.Console.Write(table);
        terminal.Out.WriteLine($"F: mean metric, {ResultJson.Text(result.Circuit)} for the circuit C. The largest difference over "
            + $"{Sizes.Count(result.SetsTried)} sets K; a node near 0 is not needed.");
    }

    private static JsonObject Json(EvaluationSession session, Circuit circuit, string file, Minimality result, MinimalityPoint[] points) =>
        new()
        {
            ["circuit"] = ResultJson.Number(result.Circuit),
            ["sets_tried"] = result.SetsTried,
            ["n_edges"] = circuit.EdgeCount,
            ["n_nodes"] = circuit.NodeCount,
            ["nodes"] = new JsonArray([.. points.Select(p => new JsonObject
        {
            ["node"] = circuit.Graph.WriterName(p.Node),
            ["difference"] = ResultJson.Number(p.Difference),
            ["without_set"] = ResultJson.Number(p.Without),
            ["without_set_and_node"] = ResultJson.Number(p.WithoutBoth),
            ["kind"] = p.Set.Kind,
            ["name"] = p.Set.Name,
            ["set"] = new JsonArray([.. p.Set.Nodes.Select(n => JsonValue.Create(circuit.Graph.WriterName(n)))]),
        })]),
            ["gradpath"] = session.ProvenanceJson(result.BatchSize, "circuit", file, circuit.Provenance),
        };
}
