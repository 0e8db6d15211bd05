using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Host.Sessions;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath search</c>: a model and prompts in, the circuit of any search out. It asks the table for everything.</summary>
internal static class SearchCommand
{
    private const string Verb = "search";

    public static CommandReport Run(SearchCommandOptions o, Terminal terminal, CancellationToken cancellation)
    {
        SearchOptions options = o.Checked();
        CircuitSearch search = o.Search();
        using var session = EvaluationSession.Open(o, [], terminal, cancellation);
        if (search.NeedsScorer) options = options with { Scorer = Scoring.Scorer(session, o.ScoringMethod()) };
        JsonObject run = SearchRun.Identity(session, o, options);
        run["--method"] = search.Name;
        run["--batch-size"] = options.BatchSize;
        using ProgressFile file = SearchRun.Open(Verb, o.Out, o.Resume, run, terminal);
        SearchResult result = SearchRun.Run(
            session, search.Name, file, terminal, options,
            progress => search.Search(session.Weights, session.Prompts, options, file, progress, cancellation));
        Circuit circuit = SelectedCircuit.Prune(SearchRun.State(result, session));
        EvaluationResult evaluation = SearchRun.Judge(
            session, [circuit], session.Options with { BatchSize = 0 }, file, terminal, cancellation);
        EmptyCircuits.Warn(terminal, search.Name, circuit);
        session.Clock.Start("write");
        circuit.Save(o.Out);
        file.Delete();
        session.Clock.Stop();

        CommandReport report = new();
        FoundTable.Add(
            report, session, evaluation, [(search.Name, circuit, (result as EdgePruningResult)?.Options.Steps, session.Clock.Of("search"))],
            "the circuit was searched on", o.Resume);
        report.Provenance = circuit.Provenance!.ToJson();
        session.Describe(report, result.BatchSize, result.PeakDeviceBytes);
        report.File("circuit", o.Out);
        return report;
    }
}
