using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Drawing;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Host.Options;
using Gradpath.Host.Reports.Csv;
using Gradpath.Host.Sessions;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath hap</c>: edge pruning among the edges that scores keep.</summary>
internal static class HapCommand
{
    public static CommandReport Run(HapOptions o, Terminal terminal, CancellationToken cancellation)
    {
        HybridPruningOptions options = Check(o, out AttributionMethod scorer);
        EdgeScores? given = o.Scores is null ? null : GivenFile.Scores(o.Scores, terminal);
        Circuit? truth = o.Recall is null ? null : GroundTruthOption.Read("recall", o.Recall);
        using var session = EvaluationSession.Open(
            o,
            GivenFile.All(
                given is null ? null : GivenFile.Of(o.Scores!, given), truth is null ? null : GivenFile.Of(o.Recall!, truth)),
            terminal,
            cancellation);
        options = options with
        {
            Scorer = given is null ? Scoring.Scorer(session, scorer) : new GivenScores(given, given.Provenance?.Method ?? o.Scores),
        };
        CircuitSearchOf<HybridPruningOptions, HybridPruningResult> search = CircuitSearches.HybridPruning;
        JsonObject run = SearchRun.Identity(session, o, options);
        if (given is not null)
            run["the scores (their hash)"] = Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(given.Values)));
        using ProgressFile file = SearchRun.Open(search.Name, o.Out, o.Resume, run, terminal);
        SearchRun.WriteOnTheWay(file, o.Log, (log, work) => TrainingCsv.Write(log, [(search.Name, ((ITrainingLog)work).Log)]));
        var watch = Stopwatch.StartNew();
        HybridPruningResult result = SearchRun.Run(
            session, search.Name, file, terminal, options,
            progress => search.Search(session.Weights, session.Prompts, options, file, progress, cancellation));
        TimeSpan time = watch.Elapsed;
        Circuit circuit = SearchRun.State(result, session);
        EmptyCircuits.Warn(terminal, search.Name, circuit);
        List<(string Name, Circuit Circuit, int? Steps, TimeSpan Time)> rows =
            [(search.Name, circuit, result.Options.Steps, time)];
        List<(string Method, IReadOnlyList<EdgePruningStep> Steps)> logs = [(search.Name, result.Log)];
        if (o.Compare)
        {
            // The comparison takes as long as the search, and does not touch its result.
            Write(o, circuit, logs, file);
            watch.Restart();
            EdgePruningResult plain = Plain(session, o, terminal, cancellation);
            rows.Add((CircuitSearches.EdgePruning.Name, plain.Circuit, plain.Options.Steps, watch.Elapsed));
            logs.Add((CircuitSearches.EdgePruning.Name, plain.Log));
        }
        EvaluationResult evaluation = SearchRun.Judge(
            session, [.. rows.Select(r => r.Circuit)], session.Options with { BatchSize = 0 }, o.Compare ? null : file, terminal,
            cancellation);
        session.Clock.Start("write");
        Write(o, circuit, logs, file);
        session.Clock.Stop();

        CommandReport report = new() { Provenance = circuit.Provenance!.ToJson() };
        FoundTable.Add(report, session, evaluation, rows, "the masks were trained on", o.Resume);
        FoundTable.AddDraws(report, result.DrawKl);
        Circuit kept = result.Candidates;
        report.Line(
            $"first stage ({options.Scorer.Name}): kept {Sizes.Count(kept.EdgeCount)} of {Sizes.Of(kept.Graph.EdgeCount, "edge")}",
            ("scorer", options.Scorer.Name), ("kept_edges", kept.EdgeCount), ("n_edges", kept.Graph.EdgeCount));
        List<(string Name, Circuit Circuit)> recalled = [];
        if (truth is not null) recalled.Add((o.Recall!, truth));
        if (o.Compare) recalled.Add(("plain edge pruning", rows[1].Circuit));
        AddRecall(report, result, recalled);
        session.Describe(report, result.BatchSize, result.PeakDeviceBytes);
        report.File("circuit", o.Out);
        report.File("training", o.Log);
        return report;
    }

    private static void Write(
        HapOptions o, Circuit circuit, List<(string Method, IReadOnlyList<EdgePruningStep> Steps)> logs, ProgressFile file)
    {
        circuit.Save(o.Out);
        if (o.Log is not null) TrainingCsv.Write(o.Log, logs);
        file.Delete();
    }

    private static HybridPruningOptions Check(HapOptions o, out AttributionMethod scorer)
    {
        HybridPruningOptions options = o.Training(o.Defaults);
        scorer = o.ScoringMethod();
        if (o.Scorer is not null && o.Scores is not null)
            throw new UsageException("--scorer does not apply to --scores: those are made already.");
        if (o.Compare && o.Resume)
        {
            throw new UsageException(
                "--compare measures time and needs a run that was not stopped; leave --compare or --resume out.");
        }
        return options;
    }

    private static EdgePruningResult Plain(EvaluationSession session, HapOptions o, Terminal terminal, CancellationToken cancellation)
    {
        CircuitSearchOf<EdgePruningOptions, EdgePruningResult> search = CircuitSearches.EdgePruning;
        EdgePruningOptions options = o.Training(new EdgePruningOptions());
        try
        {
            return SearchRun.Run(
                session, search.Name, null, terminal, options,
                progress => search.Search(session.Weights, session.Prompts, options, null, progress, cancellation));
        }
        catch (OperationCanceledException e)
        {
            throw new StoppedException($" during the comparison; the circuit is in {o.Out}.", e);
        }
    }

    private static void AddRecall(CommandReport report, HybridPruningResult result, List<(string Name, Circuit Circuit)> circuits)
    {
        foreach ((string name, Circuit circuit) in circuits)
        {
            report.Plain(circuit.EdgeCount == 0
                ? $"first stage: the circuit of {name} has no edges"
                : $"first stage: kept {Sizes.Percent(result.Recall(circuit))} of the {Sizes.Of(circuit.EdgeCount, "edge")} of {name}");
        }
        report.Data(ReportTable.Of("recall", circuits)
            .Hidden("of", c => c.Name)
            .Hidden("edges", c => c.Circuit.EdgeCount)
            .Hidden("kept", c => c.Circuit.EdgeCount == 0 ? null : result.Recall(c.Circuit)));
    }
}
