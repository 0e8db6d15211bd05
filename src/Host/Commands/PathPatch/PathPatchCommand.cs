using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Host.Reports;
using Gradpath.Host.Sessions;

namespace Gradpath.Host.Commands;

/// <summary>
/// <c>gradpath path-patch</c>: a model and prompts in; out the effects of direct paths, round by round, and the circuit that they make up.
/// </summary>
internal static class PathPatchCommand
{
    public static CommandReport Run(PathPatchOptions o, Terminal terminal, CancellationToken cancellation)
    {
        o.Check();
        PathTracingOptions options = o.Tracing();
        using var session = EvaluationSession.Open(
            o, [], terminal, cancellation, fits: config => options = o.Named(options, new ComputationGraph(config)));
        o.RequirePositions(session.Prompts);
        options = options with { BatchSize = session.Options.BatchSize };
        bool relative = !session.Metric.MeasuresDistance;
        if (!relative && o.TopN is null)
        {
            throw new UsageException(
                "--metric kl is 0 in the clean run, so that no effect is a share of it: say with --top-n how many senders to follow.");
        }
        CircuitSearchOf<PathTracingOptions, PathTracingResult> search = CircuitSearches.PathTracing;
        using ProgressFile? file = o.Out is null
            ? null
            : SearchRun.Open(search.Name, o.Out, o.Resume, SearchRun.Identity(session, o, options), terminal);
        PathTracingResult trace = SearchRun.Run(
            session, search.Name, file, terminal, options,
            progress => search.Search(session.Weights, session.Prompts, options, file, progress, cancellation));

        Circuit circuit = SearchRun.State(trace, session);
        if (o.Iterate) EmptyCircuits.Warn(terminal, search.Name, circuit);
        session.Clock.Start("write");
        PathPatchingReport report = new(trace, relative, $"Path patching: {session.Prompts.Task}");
        if (o.Effects is not null) PathPatchingEffectsCsv.Write(o.Effects, report);
        if (o.Picture is not null) PathPatchingPicture.Write(o.Picture, report);
        if (o.Out is not null)
        {
            o.NameAsGiven(circuit.Provenance!.Options);
            circuit.Save(o.Out);
            file!.Delete();
        }
        session.Clock.Stop();

        CommandReport found = new() { Provenance = circuit.Provenance!.ToJson() };
        PathPatchingTables.Add(found, report);
        Summarise(found, o, report, circuit);
        session.Describe(found, trace.BatchSize, trace.PeakDeviceBytes);
        found.File("circuit", o.Out);
        found.File("effects", o.Effects);
        found.File("picture", o.Picture);
        return found;
    }

    private static void Summarise(CommandReport found, PathPatchOptions o, PathPatchingReport report, Circuit circuit)
    {
        found.Line($"clean metric {Sizes.Number(report.Trace.CleanMetric)}; an effect is its "
            + $"change{(report.Relative ? " in percent" : "")} when only the paths from one sender to the receivers carry what the sender "
            + $"does {(o.Ablation == "patching" ? "on the corrupted prompt" : $"under ablation {o.Ablation}")}.",
            ("metric_clean", report.Trace.CleanMetric));
        int edges = report.Trace.Rounds.SelectMany(r => r.Edges).Select(e => (e.Row, e.Receiver.Column)).Distinct().Count();
        found.Fact("edges_followed", edges);
        found.Fact("n_edges", circuit.EdgeCount);
        if (edges == 0)
            found.Note(
                o.TopN is null ? "No sender reaches the threshold; give a lower --threshold or --top-n." : "No sender has an effect.");
        else if (!o.FreezeMlps && circuit.EdgeCount > edges)
            found.Plain($"{Sizes.Of(edges, "edge")} were followed; with those through the MLPs between, which reacted to the "
                + $"senders, the circuit has {Sizes.Count(circuit.EdgeCount)} (--freeze-mlps leaves them out).");
        else found.Plain($"{Sizes.Of(edges, "edge")} were followed.");
    }
}
