using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Drawing;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Host.Reports.Csv;
using Gradpath.Host.Sessions;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath edge-prune</c>: a model and prompts in, a circuit of a requested sparsity out.</summary>
internal static class EdgePruneCommand
{
    public static CommandReport Run(EdgePruneOptions o, Terminal terminal, CancellationToken cancellation)
    {
        EdgePruningOptions options = o.Training(new EdgePruningOptions());
        EdgeScores? init = o.Init is null ? null : GivenFile.Scores(o.Init, terminal);
        options = options with { Init = init };
        using var session = EvaluationSession.Open(
            o, GivenFile.All(init is null ? null : GivenFile.Of(o.Init!, init)), terminal, cancellation);
        CircuitSearchOf<EdgePruningOptions, EdgePruningResult> search = CircuitSearches.EdgePruning;
        if (init is not null && init.Graph.Edges.Select(e => Math.Abs(init[e.Row, e.Column])).Where(s => s > 0).Distinct().Count() < 2)
            terminal.Warn($"--init {o.Init}: no two scores but 0 differ, so that no mask starts before another");
        using ProgressFile file = SearchRun.Open(search.Name, o.Out, o.Resume, SearchRun.Identity(session, o, options), terminal);
        SearchRun.WriteOnTheWay(file, o.Log, (log, work) => TrainingCsv.Write(log, [(search.Name, ((ITrainingLog)work).Log)]));
        EdgePruningResult result = SearchRun.Run(
            session, search.Name, file, terminal, options,
            progress => search.Search(session.Weights, session.Prompts, options, file, progress, cancellation));
        Circuit circuit = SearchRun.State(result, session);
        if (o.Init is not null) circuit.Provenance!.Options["init-file"] = Path.GetFileName(o.Init);
        EvaluationResult evaluation = SearchRun.Judge(
            session, [circuit], session.Options with { BatchSize = 0 }, file, terminal, cancellation);
        EmptyCircuits.Warn(terminal, search.Name, circuit);
        session.Clock.Start("write");
        circuit.Save(o.Out);
        if (o.Log is not null) TrainingCsv.Write(o.Log, [(search.Name, result.Log)]);
        file.Delete();
        session.Clock.Stop();

        CommandReport report = new() { Provenance = circuit.Provenance!.ToJson() };
        FoundTable.Add(
            report, session, evaluation, [(search.Name, circuit, result.Options.Steps, session.Clock.Of("search"))],
            "the masks were trained on", o.Resume);
        FoundTable.AddDraws(report, result.DrawKl);
        session.Describe(report, result.BatchSize, result.PeakDeviceBytes);
        report.File("circuit", o.Out);
        report.File("training", o.Log);
        return report;
    }
}
