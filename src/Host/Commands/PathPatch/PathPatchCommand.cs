using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Host.Reports;
using Gradpath.Host.Sessions;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath path-patch</c>: a model and prompts in; out the effects of direct paths, round by round, and the circuit that they make up.</summary>
internal static class PathPatchCommand
{
    private const string Name = "path-patch";

    public static int Run(PathPatchOptions o, Terminal terminal, CancellationToken cancellation)
    {
        o.Check();
        IReadOnlyList<int> senders = [];
        IReadOnlyList<PathReceiver> receivers = [];
        ComputationGraph? graph = null;
        using var session = EvaluationSession.Open(
            o,
            config =>
            {
                graph = new ComputationGraph(config);
                senders = o.SenderRows(graph);
                receivers = o.FirstReceivers(graph);
            },
            terminal,
            cancellation);
        bool relative = !session.Metric.MeasuresDistance;
        if (!relative && o.TopN is null)
            throw new UsageException($"--metric {session.Metric} is 0 in the clean run, so that no effect is a share of it: say with --top-n how many senders to follow.");
        PathPatchingOptions patching = new()
        {
            Ablation = session.Options.Ablation,
            FreezeMlps = o.FreezeMlps,
            SenderPositions = PathPatchOptions.ParsePositions("sender-positions", o.SenderPositions),
            BatchSize = session.Options.BatchSize,
        };
        ProgressFile? file = o.Out is null ? null : new ProgressFile(o.Out, Name, RunOf(o, session, graph!, senders, receivers));
        IReadOnlyList<PathRound> done = o.Resume ? PathTraceState.FromJson(graph!, file!, file!.Load()) : [];

        session.Clock.Start("passes");
        PathTrace trace;
        try
        {
            trace = ScoringProgress.Run(terminal, Name, progress => PathTracing.Trace(
                session.Weights,
                session.Prompts,
                senders,
                receivers,
                patching,
                o.Tracing(),
                done,
                rounds =>
                {
                    done = rounds;
                    file?.Save(PathTraceState.ToJson(rounds));
                },
                progress,
                cancellation));
        }
        catch (OperationCanceledException e) when (cancellation.IsCancellationRequested && file is not null && done.Count > 0)
        {
            throw new StoppedException($"stopped after {Rounds(done.Count)}, kept in {file.Path}; the same command with --resume goes on from there.", e);
        }
        cancellation.ThrowIfCancellationRequested();

        session.Clock.Start("write");
        PathPatchingReport report = new(trace, relative, $"Path patching: {session.Prompts.Task}");
        if (o.Effects is not null) PathPatchingEffectsCsv.Write(o.Effects, report);
        if (o.Picture is not null) PathPatchingPicture.Write(o.Picture, report);
        Circuit circuit = trace.Circuit(!o.FreezeMlps, relative ? -1 : 1);
        if (o.Out is not null)
        {
            WithProvenance(circuit, session, o, trace).Save(o.Out);
            file!.Delete();
        }
        session.Clock.Stop();

        PathPatchingTables.Print(terminal, report);
        Summarise(terminal, o, report, circuit);
        session.PrintRun(terminal, trace.BatchSize, trace.PeakDeviceBytes);
        if (o.Out is not null) terminal.Out.WriteLine($"circuit: {o.Out}");
        if (o.Effects is not null) terminal.Out.WriteLine($"effects: {o.Effects}");
        if (o.Picture is not null) terminal.Out.WriteLine($"picture: {o.Picture}");
        return ExitCode.Success;
    }

    private static string Rounds(int count) => count == 1 ? "1 round" : $"{count} rounds";

    private static void Summarise(Terminal terminal, PathPatchOptions o, PathPatchingReport report, Circuit circuit)
    {
        terminal.Out.WriteLine($"clean metric {ResultJson.Text(report.Trace.CleanMetric)}; an effect is its change{(report.Relative ? " in percent" : "")} when only the paths from one sender to the receivers carry what the sender does {(o.Ablation == "patching" ? "on the corrupted prompt" : $"under ablation {o.Ablation}")}.");
        int edges = report.Trace.Rounds.SelectMany(r => r.Edges).Select(e => (e.Row, e.Receiver.Column)).Distinct().Count();
        if (edges == 0) terminal.Out.WriteLine(o.TopN is null ? "No sender reaches the threshold; give a lower --threshold or --top-n." : "No sender has an effect.");
        else if (!o.FreezeMlps && circuit.EdgeCount > edges) terminal.Out.WriteLine($"{Sizes.Count(edges)} edges were followed; with those through the MLPs between, which reacted to the senders, the circuit has {Sizes.Count(circuit.EdgeCount)} (--freeze-mlps leaves them out).");
        else terminal.Out.WriteLine($"{Sizes.Count(edges)} edges were followed.");
    }

    private static JsonObject OptionsOf(PathPatchOptions o)
    {
        JsonObject options = new()
        {
            ["senders"] = o.Senders.Any() ? string.Join(' ', o.Senders) : "heads mlps input",
            ["receivers"] = o.Receivers.Any() ? string.Join(' ', o.Receivers) : "logits",
            ["positions"] = PathPatchOptions.ParsePositions("positions", o.Positions).Text,
            ["sender-positions"] = PathPatchOptions.ParsePositions("sender-positions", o.SenderPositions).Text,
            ["freeze-mlps"] = o.FreezeMlps,
        };
        if (o.TopN is { } top) options["top-n"] = top;
        else options["threshold"] = o.Tracing().Threshold * 100;
        return options;
    }

    // What decides the rounds; how many there may be does not, so that a resumed run may ask for more.
    private static JsonObject RunOf(PathPatchOptions o, EvaluationSession session, ComputationGraph graph, IReadOnlyList<int> senders, IReadOnlyList<PathReceiver> receivers)
    {
        JsonObject run = session.RunIdentity(o);
        foreach ((string key, JsonNode? value) in OptionsOf(o)) run[$"--{key}"] = value?.DeepClone();
        run["--senders"] = string.Join(' ', senders.Select(graph.WriterName));
        run["--receivers"] = string.Join(' ', receivers.Select(r => graph.ReaderName(r.Column)));
        return run;
    }

    private static Circuit WithProvenance(Circuit circuit, EvaluationSession session, PathPatchOptions o, PathTrace trace)
    {
        JsonObject options = OptionsOf(o);
        options["rounds"] = trace.Rounds.Count;
        return new Circuit(circuit.Graph, circuit.Membership)
        {
            Scores = circuit.Scores,
            ModelWidth = session.Weights.Config.Width,
            Provenance = session.Provenance(trace.BatchSize) with { Method = Name, Options = options, Sign = Provenance.LossSign },
        };
    }
}
