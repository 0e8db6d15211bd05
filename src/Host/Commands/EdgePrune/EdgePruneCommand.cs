using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Reports.Csv;
using Gradpath.Host.Sessions;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath edge-prune</c>: a model and prompts in, a circuit of a requested sparsity out.</summary>
internal static class EdgePruneCommand
{
    /// <summary>What files call the method.</summary>
    public const string Method = "edge-pruning";

    public static int Run(EdgePruneOptions o, Terminal terminal, CancellationToken cancellation)
    {
        EdgePruningOptions options = o.Training();
        using var session = EvaluationSession.Open(o, _ => { }, terminal, cancellation);
        var file = new ProgressFile(o.Out, "edge-prune", MaskTraining.RunOf(o, session, options));
        session.Clock.Start("training");
        EdgePruningResult result = MaskTraining.Run(session, options, null, "edge-prune", file, o.Resume, terminal, cancellation);
        session.Clock.Start("evaluate");
        Circuit circuit = MaskTraining.WithProvenance(result, session, Method, []);
        EvaluationResult evaluation = CircuitEvaluation.Evaluate(session.Weights, session.Prompts.Pairs, [circuit], session.Options with { BatchSize = 0 }, cancellation: CancellationToken.None);
        session.Clock.Start("write");
        CircuitFile.Write(o.Out, circuit);
        if (o.Log is not null) TrainingCsv.Write(o.Log, [(Method, result.Log)]);
        if (o.Resume) file.Delete();
        session.Clock.Stop();

        MaskTraining.Print(terminal, session, evaluation, [("circuit", circuit, result.Options.Steps, null)]);
        session.PrintRun(terminal, result.BatchSize, result.PeakDeviceBytes);
        terminal.Out.WriteLine($"circuit: {o.Out}");
        if (o.Log is not null) terminal.Out.WriteLine($"training: {o.Log}");
        return ExitCode.Success;
    }
}
