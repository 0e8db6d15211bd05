using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Host.Options;
using Gradpath.Host.Reports;
using Gradpath.Host.Sessions;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath acdc</c>: a model and prompts in, a circuit per threshold out.</summary>
internal static class AcdcCommand
{
    /// <summary>Runs the command.</summary>
    /// <param name="o">The options.</param>
    /// <param name="terminal">Where to write.</param>
    /// <param name="cancellation">Stops the search; its work is saved.</param>
    /// <exception cref="StoppedException">The search was stopped on the way.</exception>
    public static CommandReport Run(AcdcCommandOptions o, Terminal terminal, CancellationToken cancellation)
    {
        double[] thresholds = o.Checked();
        ProgressFile.Check(o.Out, o.Resume);
        string[] files = [.. thresholds.Select(tau => o.FileOf(tau))];
        Circuit? truth = o.GroundTruth is null ? null : GroundTruthOption.Read("ground-truth", o.GroundTruth);
        EdgeScores? scores = o.Scores is null ? null : GivenFile.Scores(o.Scores, terminal);
        using var session = EvaluationSession.Open(
            o,
            GivenFile.All(
                scores is null ? null : GivenFile.Of(o.Scores!, scores), truth is null ? null : GivenFile.Of(o.GroundTruth!, truth)),
            terminal,
            cancellation);

        AcdcOptions options = Options(o, session, scores, terminal, cancellation);
        CircuitSearch search = CircuitSearches.Acdc;
        using ProgressFile file = SearchRun.Open(search.Name, o.Out, o.Resume, RunOf(o, session, options, thresholds), terminal);
        ComputationGraph graph = new(session.Weights.Config);
        SearchRun.WriteOnTheWay(file, o.Log, (log, work) => AcdcReport.WriteLog(log, graph, ((Acdc)work).Steps));
        IReadOnlyList<AcdcResult> searches = SearchRun.Run(
            session, search.Name, file, terminal, options,
            progress => AcdcSweep.Search(session.Weights, session.Prompts, thresholds, options, file, progress, cancellation));

        Circuit[] circuits = [.. searches.Select(s => Circuit(s, session, o))];
        EvaluationResult evaluation = SearchRun.Judge(session, circuits, session.Options, file, terminal, cancellation);
        AcdcRow[] rows = [.. searches.Select((s, i) => new AcdcRow(
            files[i], s, circuits[i], evaluation.Circuits[i], truth is null ? null : RocPoint.Of(circuits[i], truth)))];
        foreach (AcdcRow row in rows) EmptyCircuits.Warn(terminal, $"threshold {AcdcReport.Threshold(row.Search.Threshold)}", row.Circuit);
        session.Clock.Start("write");
        foreach (AcdcRow row in rows) row.Circuit.Save(row.File);
        if (o.Log is not null) AcdcReport.WriteLog(o.Log, graph, searches.Select(s => (s.Threshold, s.Steps)));
        if (o.Table is not null) AcdcReport.WriteTable(o.Table, rows);
        file.Delete();
        session.Clock.Stop();

        return Report(o, session, options, rows, evaluation);
    }

    private static AcdcOptions Options(
        AcdcCommandOptions o, EvaluationSession session, EdgeScores? scores, Terminal terminal, CancellationToken cancellation)
    {
        if (o.SenderOrder == SenderOrder.Score && scores is null)
        {
            Scoring.RequireScores(session.Metric, AttributionMethods.Eap, "with --order score name --scores or another --metric");
            session.Clock.Start("scores");
            AttributionOptions eap = Scoring.Options(session, AttributionMethods.Eap) with { BatchSize = session.Options.BatchSize };
            scores = Scoring.Run(session.Weights, session.Prompts, eap, terminal, cancellation).Scores;
        }
        return o.Settings(session.Metric) with
        {
            Scores = scores,
            Ablation = session.Options.Ablation,
            BatchSize = session.Options.BatchSize,
        };
    }

    // Everything that the decisions depend on, to the last bit.
    private static JsonObject RunOf(AcdcCommandOptions o, EvaluationSession session, AcdcOptions options, double[] thresholds)
    {
        JsonObject run = session.RunIdentity(o);
        run["--objective"] = o.Objective;
        run["--absolute"] = options.Absolute;
        run["--order"] = EnumNames.Of(options.Order);
        run["--scores (their hash)"] = options.Scores is null
            ? null
            : Convert.ToHexStringLower(SHA256.HashData(System.Runtime.InteropServices.MemoryMarshal.AsBytes(options.Scores.Values)));
        run["--batch-size"] = options.BatchSize;
        run[o.Thresholds.Any() ? "--thresholds" : "--tau"] = string.Join(',', thresholds.Select(AcdcReport.Threshold));
        return run;
    }

    // The circuit as its file has it. Scores of the user's are called by their file.
    private static Circuit Circuit(AcdcResult result, EvaluationSession session, AcdcCommandOptions o)
    {
        Circuit circuit = SearchRun.State(result, session);
        if (o.Scores is not null) circuit.Provenance!.Options["order_scores"] = Path.GetFileName(o.Scores);
        return o.NoPrune ? circuit : SelectedCircuit.Prune(circuit);
    }

    private static CommandReport Report(
        AcdcCommandOptions o, EvaluationSession session, AcdcOptions options, AcdcRow[] rows, EvaluationResult evaluation)
    {
        string metric = session.Metric.Name;
        string objective = options.Objective.MeasuresDistance ? $"{options.Objective.Title} from the full model" : $"minus {metric}";
        CommandReport report = new();
        report.Line($"acdc: {objective}{(options.Absolute ? ", absolute change" : "")}, order {EnumNames.Of(options.Order)}, "
            + $"{Sizes.Of(rows[0].Circuit.Graph.EdgeCount, "edge")}{(o.GroundTruth is null ? "" : $", judged by {o.GroundTruth}")}",
            ("objective", o.Objective), ("absolute", options.Absolute), ("order", EnumNames.Of(options.Order)),
            ("n_edges", rows[0].Circuit.Graph.EdgeCount), ("ground_truth", o.GroundTruth));
        AcdcReport.Add(report, rows, $"metric {metric}");
        report.Line($"{metric}: full model {Sizes.Number(evaluation.Full.MeanMetric)}, empty circuit "
            + $"{Sizes.Number(evaluation.Empty.MeanMetric)}; KL of the empty circuit {Sizes.Number(evaluation.Empty.MeanKl)}",
            ("metric_full", evaluation.Full.MeanMetric), ("metric_empty", evaluation.Empty.MeanMetric),
            ("kl_empty", evaluation.Empty.MeanKl));
        session.Describe(report, rows[0].Search.BatchSize, evaluation.PeakDeviceBytes);
        if (o.Thresholds.Any())
            report.Note($"--thresholds leaves a circuit per threshold, whose file has it in its name; there is no {o.Out} itself.");
        foreach (AcdcRow row in rows) report.File("circuit", row.File);
        report.File("steps", o.Log);
        report.File("table", o.Table);
        return report;
    }
}
