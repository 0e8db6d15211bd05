using System.Globalization;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Reports;
using Gradpath.Host.Sessions;
using Spectre.Console;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath evaluate</c>: a circuit, a model and prompts in, the circuit's faithfulness out.</summary>
internal static class EvaluateCommand
{
    public static int Run(EvaluateOptions o, Terminal terminal, CancellationToken cancellation)
    {
        o.CheckShared();
        if (o.Out is not null) ResultJson.RequireWritable(o.Out);
        Circuit circuit = Circuit.Load(o.Circuit);
        using var session = EvaluationSession.Open(o, config => circuit.RequireModel(config, o.Circuit), terminal, cancellation);

        session.Clock.Start("passes");
        EvaluationResult result = ScoringProgress.Run(
            terminal, "evaluate", progress => CircuitEvaluation.Evaluate(
                session.Weights, session.Prompts, [circuit], session.Options, progress, cancellation));
        cancellation.ThrowIfCancellationRequested();
        session.Clock.Start("write");
        CircuitMeasures measures = new(result, session.Seed);
        if (o.Out is not null) ResultJson.Write(o.Out, Json(session, circuit, o.Circuit, result, measures));
        session.Clock.Stop();

        Print(terminal, circuit, result, measures);
        session.PrintRun(terminal, result.Plan.Size, result.PeakDeviceBytes, result.Plan);
        if (o.Out is not null) terminal.Out.WriteLine($"evaluation: {o.Out}");
        return ExitCode.Success;
    }

    private static void Print(Terminal terminal, Circuit circuit, EvaluationResult result, CircuitMeasures measures)
    {
        Table table = new Table { Border = TableBorder.Simple }.AddColumn("");
        foreach (string name in new[] { "metric", "KL", "exact match", "accuracy" }) table.AddColumn(new TableColumn(name).RightAligned());
        void Row(string name, CircuitOutcome outcome) => table.AddRow(
            new Text(name), new Text(ResultJson.Text(outcome.MeanMetric)), new Text(ResultJson.Text(outcome.MeanKl)),
            new Text(Share(outcome.ExactMatchRate)), new Text(Share(outcome.Accuracy)));
        Row("full model", result.Full);
        Row("circuit", result.Circuits[0]);
        Row("empty circuit", result.Empty);
        terminal.Console.Write(table);
        string before = circuit.EdgesBeforePrune > circuit.EdgeCount ? $" ({Sizes.Count(circuit.EdgesBeforePrune)} before pruning)" : "";
        terminal.Out.WriteLine($"circuit: {Sizes.Count(circuit.EdgeCount)} of {Sizes.Count(circuit.Graph.EdgeCount)} edges{before}, "
            + $"{Sizes.Count(circuit.NodeCount)} of {Sizes.Count(circuit.Graph.Writers)} nodes");
        terminal.Out.WriteLine(double.IsNaN(measures.Faithfulness)
            ? "faithfulness: none, because the full model does exactly as well as the empty circuit"
            : $"faithfulness: {ResultJson.Text(measures.Faithfulness)}, 95 % interval {ResultJson.Text(measures.Low)} to "
                + $"{ResultJson.Text(measures.High)}");
        terminal.Out.WriteLine(double.IsFinite(measures.Ratio)
            ? $"circuit's metric over the full model's: {ResultJson.Text(measures.Ratio)}"
            : "circuit's metric over the full model's: none, because the full model's is 0");
    }

    private static JsonObject Json(
        EvaluationSession session, Circuit circuit, string file, EvaluationResult result, CircuitMeasures measures)
    {
        CircuitOutcome outcome = result.Circuits[0];
        JsonArray items = [];
        for (int i = 0; i < session.Prompts.Pairs.Count; i++)
        {
            PromptPair pair = session.Prompts.Pairs[i];
            items.Add(new JsonObject
            {
                ["id"] = pair.Id ?? (i + 1).ToString(CultureInfo.InvariantCulture),
                ["label"] = pair.Label,
                ["full"] = ResultJson.Number(result.Full.Metric[i]),
                ["circuit"] = ResultJson.Number(outcome.Metric[i]),
                ["empty"] = ResultJson.Number(result.Empty.Metric[i]),
                ["kl"] = ResultJson.Number(outcome.Kl[i]),
                ["exact_match"] = outcome.ExactMatch[i],
                ["accurate"] = outcome.Accurate[i],
            });
        }
        return new JsonObject
        {
            ["full"] = ResultJson.Number(result.Full.MeanMetric),
            ["circuit"] = ResultJson.Number(outcome.MeanMetric),
            ["empty"] = ResultJson.Number(result.Empty.MeanMetric),
            ["faithfulness"] = ResultJson.Number(measures.Faithfulness),
            ["faithfulness_ci"] = new JsonArray(ResultJson.Number(measures.Low), ResultJson.Number(measures.High)),
            ["metric_ratio"] = ResultJson.Number(measures.Ratio),
            ["kl"] = ResultJson.Number(outcome.MeanKl),
            ["exact_match"] = ResultJson.Number(outcome.ExactMatchRate),
            ["accuracy"] = ResultJson.Number(outcome.Accuracy),
            ["n_edges"] = circuit.EdgeCount,
            ["n_edges_before_prune"] = circuit.EdgesBeforePrune,
            ["n_nodes"] = circuit.NodeCount,
            ["items"] = items,
            ["gradpath"] = session.ProvenanceJson(result.Plan.Size, "circuit", file, circuit.Provenance),
        };
    }

    private static string Share(double value) => double.IsNaN(value) ? "none" : value.ToString("0.0 %", CultureInfo.InvariantCulture);

    /// <summary>What is computed from the items of one circuit.</summary>
    private sealed class CircuitMeasures
    {
        public CircuitMeasures(EvaluationResult result, ulong seed)
        {
            CircuitOutcome circuit = result.Circuits[0];
            Faithfulness = Gpt2Runtime.Evaluation.Faithfulness.Of(result.Full, circuit, result.Empty);
            (Low, High) = Gpt2Runtime.Evaluation.Faithfulness.Interval(result.Full, circuit, result.Empty, seed: seed);
            Ratio = circuit.MeanMetric / result.Full.MeanMetric;
        }

        public double Faithfulness { get; }

        public double Low { get; }

        public double High { get; }

        public double Ratio { get; }
    }
}
