using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Reports;
using Gradpath.Host.Sessions;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath minimality</c>: for every node v the largest |F(C minus (K + v)) - F(C minus K)| over node sets K.</summary>
internal static class MinimalityCommand
{
    public static CommandReport Run(MinimalityOptions o, Terminal terminal, CancellationToken cancellation)
    {
        o.Check();
        Circuit circuit = Circuit.Load(o.Circuit);
        KnockoutOptions sets = o.Sets(circuit, random: 10, greedyRuns: 0);
        GivenFile given = GivenFile.Of(o.Circuit, circuit);
        using var session = EvaluationSession.Open(o, [given], terminal, cancellation);
        EmptyCircuits.Warn(terminal, o.Circuit, circuit);
        sets = sets with { Evaluation = session.Options };
        session.Clock.Start("passes");
        Minimality result = ScoringProgress.Run(
            terminal, "minimality", progress => Minimality.Measure(
                session.Weights, session.Prompts, circuit, sets, progress, cancellation));
        cancellation.ThrowIfCancellationRequested();
        session.Clock.Start("write");
        MinimalityPoint[] points = [.. result.Points.OrderByDescending(p => p.Difference)];
        JsonObject made = session.ProvenanceJson(result.BatchSize, given);
        if (o.Out is not null) ResultJson.Write(o.Out, Json(circuit, made, result, points));
        session.Clock.Stop();

        CommandReport report = new();
        Describe(report, circuit, result, points);
        report.Provenance = made;
        session.Describe(report, result.BatchSize, result.PeakDeviceBytes);
        report.File("minimality", o.Out);
        return report;
    }

    private static void Describe(CommandReport report, Circuit circuit, Minimality result, MinimalityPoint[] points)
    {
        report.Table(ReportTable.Of("nodes", points)
            .Text("node v", "node", p => circuit.Graph.WriterName(p.Node))
            .Number("difference", "difference", p => p.Difference)
            .Number("F(C \\ K)", "without_set", p => p.Without)
            .Number("F(C \\ (K + v))", "without_set_and_node", p => p.WithoutBoth)
            .Hidden("kind", p => p.Set.Kind)
            .Hidden("name", p => p.Set.Name)
            .Hidden("set", p => p.Set.Nodes.Select(circuit.Graph.WriterName))
            .Shows("set K", SetOf, right: false));
        report.Line($"F: mean metric, {Sizes.Number(result.Circuit)} for the circuit C. The largest difference over "
            + $"{Sizes.Count(result.SetsTried)} sets K; a node near 0 is not needed.",
            ("circuit", result.Circuit), ("sets_tried", result.SetsTried),
            ("n_edges", circuit.EdgeCount), ("n_nodes", circuit.NodeCount));
    }

    private static string SetOf(MinimalityPoint p)
    {
        string set = p.Set.Kind switch { "empty" => "none", "class" => p.Set.Name, _ => $"{p.Set.Kind} {p.Set.Name}" };
        return p.Set.Nodes.Count == 0 ? set : $"{set}, {Sizes.Of(p.Set.Nodes.Count, "node")}";
    }

    private static JsonObject Json(Circuit circuit, JsonObject made, Minimality result, MinimalityPoint[] points) =>
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
            ["gradpath"] = made,
        };
}
