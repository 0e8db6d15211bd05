using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Host.Options;
using Gradpath.Host.Reports;
using Gradpath.Host.Reports.Csv;
using Gradpath.Host.Sessions;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath hap</c>: edge pruning among the edges that scores keep.</summary>
internal static class HapCommand
{
    /// <summary>What files call the method.</summary>
    public const string Method = "hap";

    public static int Run(HapOptions o, Terminal terminal, CancellationToken cancellation)
    {
        EdgePruningOptions options = Check(o, out AttributionMethod scorer);
        EdgeScores? given = o.Scores is null ? null : EdgeScores.Load(o.Scores);
        Circuit? truth = o.Recall is null ? null : GroundTruthOption.Read("recall", o.Recall);
        using var session = EvaluationSession.Open(
            o,
            config =>
            {
                given?.RequireModel(config, o.Scores!);
                truth?.RequireModel(config, o.Recall!);
            },
            terminal,
            cancellation);
        var watch = Stopwatch.StartNew();
        session.Clock.Start("scores");
        EdgeScores scores = given ?? Score(session, scorer, terminal, cancellation);
        bool[] kept = HybridPruning.Keep(scores, o.Keep);
        JsonObject firstStage = given is null
            ? FirstStage(o.Keep, scorer.Name, scorer.HasMetric ? session.Metric.Name : null)
            : FirstStage(o.Keep, given.Provenance?.Method ?? o.Scores, given.Provenance?.Metric);
        JsonObject run = MaskTraining.RunOf(o, session, options);
        run["--keep"] = o.Keep;
        run["the scores (their hash)"] = Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(scores.Values)));
        var file = new ProgressFile(o.Out, Method, run);
        session.Clock.Start("training");
        EdgePruningResult result = MaskTraining.Run(session, options, kept, Method, file, o.Resume, terminal, cancellation);
        TimeSpan time = watch.Elapsed;
        Circuit circuit = MaskTraining.WithProvenance(result, session, Method, firstStage);
        circuit.Save(o.Out);
        if (o.Resume) file.Delete();
        List<(string Name, Circuit Circuit, int? Steps, TimeSpan? Time)> rows = [(Method, circuit, result.Options.Steps, o.Resume ? null : time)];
        List<(string Method, IReadOnlyList<EdgePruningStep> Steps)> logs = [(Method, result.Log)];
        if (o.Compare)
        {
            session.Clock.Start("comparison");
            watch.Restart();
            EdgePruningResult plain = Plain(session, options, o, terminal, cancellation);
            rows.Add((EdgePruneCommand.Method, plain.Circuit, plain.Options.Steps, watch.Elapsed));
            logs.Add((EdgePruneCommand.Method, plain.Log));
        }
        session.Clock.Start("evaluate");
        EvaluationResult evaluation = CircuitEvaluation.Evaluate(
            session.Weights, session.Prompts, [.. rows.Select(r => r.Circuit)], session.Options with { BatchSize = 0 },
            cancellation: CancellationToken.None);
        session.Clock.Start("write");
        if (o.Log is not null) TrainingCsv.Write(o.Log, logs);
        session.Clock.Stop();

        MaskTraining.Print(terminal, session, evaluation, rows);
        terminal.Out.WriteLine($"first stage ({firstStage["scorer"]}): kept {Sizes.Count(kept.Count(k => k))} of {Sizes.Count(scores.Graph.EdgeCount)} edges");
        if (truth is not null) PrintRecall(terminal, kept, truth, o.Recall!);
        if (o.Compare) PrintRecall(terminal, kept, rows[1].Circuit, "plain edge pruning");
        session.PrintRun(terminal, result.BatchSize, result.PeakDeviceBytes);
        terminal.Out.WriteLine($"circuit: {o.Out}");
        if (o.Log is not null) terminal.Out.WriteLine($"training: {o.Log}");
        return ExitCode.Success;
    }

    private static EdgePruningOptions Check(HapOptions o, out AttributionMethod scorer)
    {
        EdgePruningOptions options = o.Training();
        scorer = MethodNames.Parse("scorer", o.Scorer ?? AttributionMethods.Eap.Name);
        CheckKeep(o.Keep, o.Sparsity);
        if (o.Scorer is not null && o.Scores is not null) throw new UsageException("--scorer does not apply to --scores: those are made already.");
        if (o.Compare && o.Resume) throw new UsageException("--compare measures time and needs a run that was not stopped; leave --compare or --resume out.");
        return options;
    }

    /// <summary>Refuses a first stage that cannot be used.</summary>
    public static void CheckKeep(double keep, double sparsity)
    {
        if (keep is not (> 0 and <= 1)) throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"--keep {keep}: must be above 0 and at most 1."));
        if (1 - keep > sparsity) throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"--keep {keep} leaves fewer edges than a circuit of --sparsity {sparsity} has."));
    }

    /// <summary>The first stage as a circuit's provenance states it.</summary>
    public static JsonObject FirstStage(double keep, string? scorer, string? metric) => new() { ["keep"] = keep, ["scorer"] = scorer, ["scorer-metric"] = metric };

    private static EdgeScores Score(EvaluationSession session, AttributionMethod scorer, Terminal terminal, CancellationToken cancellation)
    {
        if (scorer.VanishesFor(session.Metric))
        {
            throw new UsageException(
                $"{scorer.Title} has no scores for {session.Metric}, whose gradient is 0 at the clean prompts; "
                + "name --scores, another --scorer or another --metric.");
        }
        bool ablates = scorer.Takes(MethodSettings.Ablation);
        if (!ablates && session.Options.Ablation != Ablation.Patching)
        {
            string others = string.Join(", ", AttributionMethods.All.Where(m => m.Takes(MethodSettings.Ablation)).Select(m => m.Name));
            string ablation = EnumNames.Of(session.Options.Ablation);
            throw new UsageException($"--ablation {ablation} does not apply to the scorer {scorer.Name}; use {others} or --scores.");
        }
        AttributionOptions options = new()
        {
            Ablation = ablates ? session.Options.Ablation : null,
            Seed = scorer.Takes(MethodSettings.Seed) ? session.Seed : null,
        };
        return ScoringProgress.Run(
            terminal, scorer.Name, progress => scorer.Scorer(options).Score(session.Weights, session.Prompts, progress, cancellation));
    }

    private static EdgePruningResult Plain(EvaluationSession session, EdgePruningOptions options, HapOptions o, Terminal terminal, CancellationToken cancellation)
    {
        try
        {
            return MaskTraining.Run(session, options, null, EdgePruneCommand.Method, null, false, terminal, cancellation);
        }
        catch (OperationCanceledException e)
        {
            throw new StoppedException($"stopped during the comparison; the circuit is in {o.Out}.", e);
        }
    }

    private static void PrintRecall(Terminal terminal, bool[] kept, Circuit circuit, string name)
    {
        if (circuit.EdgeCount == 0)
        {
            terminal.Out.WriteLine($"first stage: the circuit of {name} has no edges");
            return;
        }
        terminal.Out.WriteLine($"first stage: kept {MaskTraining.Percent(HybridPruning.Recall(kept, circuit))} of the {Sizes.Count(circuit.EdgeCount)} edges of {name}");
    }
}
