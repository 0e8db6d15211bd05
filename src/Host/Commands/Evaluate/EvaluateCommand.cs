using System.Globalization;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Positions;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Host.Reports;
using Gradpath.Host.Sessions;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath evaluate</c>: a circuit, a model and prompts in, the circuit's faithfulness out.</summary>
internal static class EvaluateCommand
{
    public static CommandReport Run(EvaluateOptions o, Terminal terminal, CancellationToken cancellation)
    {
        o.CheckShared();
        PositionalCircuit? positional = PositionalFile.HasPositions(o.Circuit) ? PositionalCircuit.Load(o.Circuit) : null;
        Circuit circuit = positional?.Flatten() ?? Circuit.Load(o.Circuit);
        GivenFile given = GivenFile.Of(o.Circuit, circuit);
        using var session = EvaluationSession.Open(o, [given], terminal, cancellation);
        EmptyCircuits.Warn(terminal, o.Circuit, circuit);

        session.Clock.Start("passes");
        EvaluationResult result = ScoringProgress.Run(
            terminal, "evaluate", progress => positional is null
                ? CircuitEvaluation.Evaluate(session.Weights, session.Prompts, [circuit], session.Options, progress, cancellation)
                : PositionalEvaluation.Evaluate(
                    session.Weights, session.Prompts, [positional], session.Options, progress, cancellation));
        cancellation.ThrowIfCancellationRequested();
        session.Clock.Start("write");
        CircuitMeasures measures = CircuitMeasures.Of(result, 0, session.Seed);
        JsonObject made = session.ProvenanceJson(result.Plan.Size, given);
        JsonObject json = Json(session, circuit, made, result, measures);
        if (positional is not null) json["n_positional_edges"] = positional.EdgeCount;
        if (o.Out is not null) ResultJson.Write(o.Out, json);
        session.Clock.Stop();

        CommandReport report = new();
        Describe(report, circuit, result, measures);
        if (positional is not null)
        {
            report.Line(
                $"between spans: {Sizes.Count(positional.EdgeCount)} of {Sizes.Of(positional.Graph.EdgeCount, "edge")}, of the spans "
                + string.Join(", ", positional.Graph.Spans),
                ("n_positional_edges", positional.EdgeCount), ("n_positional_edges_graph", positional.Graph.EdgeCount),
                ("spans", positional.Graph.Spans.ToArray()));
        }
        EvaluationSession.DescribeSmallEffects(report, result);
        report.Provenance = made;
        session.Describe(
            report, result.Plan.Size, result.PeakDeviceBytes, result.Plan, positional is null ? "at all positions" : "at their spans");
        report.File("evaluation", o.Out);
        return report;
    }

    private static void Describe(CommandReport report, Circuit circuit, EvaluationResult result, CircuitMeasures measures)
    {
        (string Name, CircuitOutcome Outcome)[] rows =
            [("full model", result.Full), ("circuit", result.Circuits[0]), ("empty circuit", result.Empty)];
        report.Table(ReportTable.Of("outcomes", rows)
            .Text("", "of", r => r.Name)
            .Number("metric", "metric", r => r.Outcome.MeanMetric)
            .Number("KL", "kl", r => r.Outcome.MeanKl)
            .Column("exact match", "exact_match", r => r.Outcome.ExactMatchRate, r => Share(r.Outcome.ExactMatchRate))
            .Column("accuracy", "accuracy", r => r.Outcome.Accuracy, r => Share(r.Outcome.Accuracy)));
        string before = circuit.EdgesBeforePrune > circuit.EdgeCount ? $" ({Sizes.Count(circuit.EdgesBeforePrune)} before pruning)" : "";
        report.Line($"circuit: {Sizes.Count(circuit.EdgeCount)} of {Sizes.Of(circuit.Graph.EdgeCount, "edge")}{before}, "
            + $"{Sizes.Count(circuit.NodeCount)} of {Sizes.Of(circuit.Graph.Writers, "node")}",
            ("n_edges", circuit.EdgeCount), ("n_edges_before_prune", circuit.EdgesBeforePrune), ("n_nodes", circuit.NodeCount),
            ("n_edges_graph", circuit.Graph.EdgeCount), ("n_nodes_graph", circuit.Graph.Writers));
        report.Line(double.IsNaN(measures.Faithfulness)
            ? "faithfulness: none, because the full model does exactly as well as the empty circuit"
            : $"faithfulness: {Sizes.Number(measures.Faithfulness)}, " + (double.IsNaN(measures.Low)
                ? "no interval from one prompt pair"
                : $"95 % interval {Sizes.Number(measures.Low)} to {Sizes.Number(measures.High)}"),
            ("faithfulness", measures.Faithfulness), ("faithfulness_ci", new[] { measures.Low, measures.High }));
        report.Line(double.IsFinite(measures.Ratio)
            ? $"circuit's metric over the full model's: {Sizes.Number(measures.Ratio)}"
            : "circuit's metric over the full model's: none, because the full model's is 0",
            ("metric_ratio", measures.Ratio));
    }

    private static JsonObject Json(
        EvaluationSession session, Circuit circuit, JsonObject made, EvaluationResult result, CircuitMeasures measures)
    {
        JsonObject json = EvaluationJson.Of(session.Prompts, circuit, result, 0, measures);
        json["gradpath"] = made;
        return json;
    }

    private static string Share(double value) => double.IsNaN(value) ? "none" : Sizes.Percent(value);
}
