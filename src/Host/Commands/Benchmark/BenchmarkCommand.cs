using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Comparison;
using Gradpath.Host.Options;
using Gradpath.Host.Reports;
using Gradpath.Host.Sessions;

namespace Gradpath.Host.Commands;

/// <summary>
/// <c>gradpath benchmark</c>: a model and prompts in; a circuit per method and sparsity, and a table of how good they are, out.
/// </summary>
internal static class BenchmarkCommand
{
    /// <summary>Runs the command.</summary>
    /// <param name="o">The options.</param>
    /// <param name="terminal">Where to write.</param>
    /// <param name="cancellation">Stops the work; finished rows are kept.</param>
    /// <exception cref="StoppedException">The work was stopped on the way.</exception>
    public static CommandReport Run(BenchmarkOptions o, Terminal terminal, CancellationToken cancellation)
    {
        o.Check();
        Circuit? truth = o.GroundTruth is null ? null : GroundTruthOption.Read("ground-truth", o.GroundTruth);
        using var session = EvaluationSession.Open(
            o, GivenFile.All(truth is null ? null : GivenFile.Of(o.GroundTruth!, truth)), terminal, cancellation,
            request => request with { Limit = BenchmarkPrompts.Total(o), LimitOptions = BenchmarkPrompts.LimitOptions });
        SplitPrompts prompts = BenchmarkPrompts.Split(session.Prompts, o);
        prompts.WarnOfShared(terminal);
        EvaluationSession find = session.On(prompts.Find), judge = session.On(prompts.Judge);
        ComparisonSettings compared = o.Settings();
        CircuitFinder finder = new(find, compared, terminal, cancellation);
        finder.Check();
        // What cannot be run leaves no folder behind.
        using ComparisonFolder folder = ComparisonFolder.Open(o.Out, o.Resume);
        (truth, string? truthName) = truth is null ? KnownTruth(session) : (truth, o.GroundTruth);

        folder.Made = session.Provenance(0);
        folder.Begin(RunOf(o, find, judge, truth, truthName), o.Resume);
        (ComparedMethod Method, double Sparsity)[] wanted = [.. compared.Methods.SelectMany(m => compared.Sparsities.Select(s => (m, s)))];
        int kept = wanted.Count(w => folder.Has(w.Method.Name, w.Sparsity, compared.Describe(w.Method)));
        try
        {
            for (int i = 0; i < wanted.Length; i++)
            {
                (ComparedMethod method, double sparsity) = wanted[i];
                JsonObject settings = compared.Describe(method);
                if (folder.Has(method.Name, sparsity, settings)) continue;
                cancellation.ThrowIfCancellationRequested();
                string size = ComparisonTable.Percent(sparsity);
                terminal.Progress.Part = $"row {i + 1} of {wanted.Length}";
                if (terminal.ShowsProgress || terminal.Verbose)
                    terminal.Note($"{terminal.Progress.Part}: {method.Name}, sparsity {size}");
                session.Clock.Start("find");
                FoundCircuit found = Find(finder, method, sparsity);
                session.Clock.Start("judge");
                EvaluationResult result = CircuitEvaluation.Evaluate(
                    judge.Weights, judge.Prompts, [found.Circuit], judge.Options, null, cancellation);
                terminal.Detail($"found {found.Circuit.EdgeCount} edges in {Sizes.Seconds(found.SecondsWithSearch)}, "
                    + $"KL {Sizes.Number(result.Circuits[0].MeanKl)}");
                session.Clock.Start("write");
                ComparisonRow row = ComparisonRow.Of(method.Name, sparsity, settings, found, result, truth, session.Seed);
                EmptyCircuits.Warn(terminal, $"{method.Name} at sparsity {ComparisonTable.Percent(sparsity)}", found.Circuit);
                if (folder.Add(row, Stated(found.Circuit, prompts), found.Training) is { } obstacle)
                    terminal.Warn($"{obstacle}; the run goes on, and the row is written with the next one or at the end");
            }
        }
        catch (OperationCanceledException e) when (folder.Written > 0)
        {
            throw new StoppedException("; "
                + $"{(folder.Written == 1 ? "1 finished row is" : $"{folder.Written} finished rows are")} in {folder.Table}, and "
                + "the same command with --resume goes on from there.", e);
        }
        session.Clock.Start("write");
        folder.Sort([.. wanted.Select(w => (w.Method.Name, w.Sparsity))]);
        ComparisonReport report = Report(session, prompts, folder, truthName);
        folder.Write(report);
        session.Clock.Stop();

        CommandReport written = new() { Provenance = Provenance(session, prompts) };
        Describe(written, report, folder);
        if (o.Resume) written.Plain($"{kept} of {wanted.Length} rows were there already");
        written.Fact("rows_kept", kept);
        RunFacts.Time(written, session.Clock);
        written.File("table", folder.Table);
        written.File("report", folder.Report);
        written.File("circuits", folder.Circuits);
        return written;
    }

    private static JsonObject Provenance(EvaluationSession session, SplitPrompts prompts)
    {
        JsonObject made = session.Provenance(0).ToJson();
        made["found_on"] = prompts.Find.Source;
        made["judged_on"] = prompts.Judge.Source;
        return made;
    }

    // Finished rows stay, so that the command can be repeated without this method or with other settings.
    private static FoundCircuit Find(CircuitFinder finder, ComparedMethod method, double sparsity)
    {
        try
        {
            return finder.Find(method, sparsity);
        }
        catch (Exception e) when (e is GradpathException or OptionException)
        {
            string reason = (e as OptionException)?.Describe(OptionNames.Of) ?? ((GradpathException)e).Describe(OptionNames.Of);
            throw new GradpathException($"{method.Name}, sparsity {ComparisonTable.Percent(sparsity)}: {reason}", e);
        }
    }

    // The circuit that lies beside the model, or that people found by hand, where this is the model and the task that they found it in.
    private static (Circuit? Circuit, string? Name) KnownTruth(EvaluationSession session) =>
        session.Known() is { } known ? (known.Circuit, known.Name) : (null, null);

    // Everything that all rows depend on.
    private static JsonObject RunOf(BenchmarkOptions o, EvaluationSession find, EvaluationSession judge, Circuit? truth, string? truthName)
    {
        JsonObject run = find.RunIdentity(o);
        run["the prompts to judge on"] = judge.Prompts.Source;
        run["--batch-size"] = o.BatchSize;
        run["--ground-truth"] = truth is null ? null : $"{truthName}, {truth}";
        return run;
    }

    private static Circuit Stated(Circuit circuit, SplitPrompts prompts)
    {
        Provenance p = circuit.Provenance!;
        JsonObject options = (JsonObject)p.Options.DeepClone();
        options["judged-on"] = prompts.Judge.Source;
        return circuit.With(p with { Options = options });
    }

    private static ComparisonReport Report(EvaluationSession session, SplitPrompts prompts, ComparisonFolder folder, string? truthName)
    {
        Provenance p = session.Provenance(0);
        ComputationGraph graph = new(session.Weights.Config);
        List<(string, string)> facts =
        [
            ("model", $"{p.Model}: {graph}, {Sizes.Of(graph.EdgeCount, "edge")}"),
            ("found on", $"{Sizes.Of(prompts.Find.Pairs.Count, "prompt pair")} ({prompts.Find.Source})"),
            ("judged on", $"{Sizes.Of(prompts.Judge.Pairs.Count, "other prompt pair")} ({prompts.Judge.Source})"),
            ("metric, ablation, seed", $"{p.Metric}, {p.Ablation}, {p.Seed}"),
            ("full model's metric", Sizes.Number(folder.Rows[0]["metric_full"])),
            ("device", $"{p.Device}, {p.Precision}"),
        ];
        if (truthName is not null) facts.Add(("edges judged by", truthName));
        return new ComparisonReport($"Methods compared on {p.Task} in {p.Model}", facts, p.Metric!, truthName is not null, folder.Rows,
            folder.Training, HeadChoice.Of(folder.ReadCircuits(graph)));
    }

    private static void Describe(CommandReport written, ComparisonReport report, ComparisonFolder folder)
    {
        foreach ((string name, string value) in report.Facts) written.Plain($"{name}: {value}");
        written.Fact("metric_full", folder.Rows[0]["metric_full"]);
        written.Fact("ground_truth", report.Facts.FirstOrDefault(f => f.Name == "edges judged by").Value);
        ComparisonTable.Add(written, folder.Rows, report.Metric, report.Judged);
        foreach (HeadChoice h in report.Heads)
            written.Plain($"heads at {ComparisonTable.Percent(h.Asked)}: {h.Method} keeps and eap drops "
                + $"{ComparisonPage.Names(h.Kept)}; eap keeps and {h.Method} drops {ComparisonPage.Names(h.Dropped)}");
        written.Data(ReportTable.Of("heads", report.Heads)
            .Hidden("sparsity_asked", h => h.Asked).Hidden("method", h => h.Method)
            .Hidden("kept", h => h.Kept).Hidden("dropped", h => h.Dropped));
    }
}
