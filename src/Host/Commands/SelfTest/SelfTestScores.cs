using Gradpath.Diagnostics.SelfTest;
using Gradpath.Gpt2Runtime;
using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Host.Commands;

/// <summary>The CPU's scores for the stage gpt2 of <c>gradpath selftest</c>: read, computed or written to a file.</summary>
internal static class SelfTestScores
{
    /// <summary>The shape where none is given.</summary>
    public const string DefaultShape = "small";

    /// <summary>Reads a file.</summary>
    /// <param name="o">The options.</param>
    /// <param name="path">The file.</param>
    /// <exception cref="GradpathException">It cannot be used; the message says why.</exception>
    /// <exception cref="UsageException">It is of another shape than the one that is given.</exception>
    public static CpuScores Read(SelfTestOptions o, string path)
    {
        CpuScores scores;
        try
        {
            scores = CpuScoresFile.Read(path);
        }
        catch (GradpathException e)
        {
            throw new GradpathException($"--scores {e.Message}; selftest --write-scores FILE makes a file anew", e);
        }
        if (o.Shape is null || o.Shape == scores.Shape) return scores;
        throw new UsageException($"--shape {o.Shape}: {path} has scores of the shape {scores.Shape}; leave --shape out.");
    }

    /// <summary>Computes them where no file was given, and says that it does: that takes a minute where there are few cores.</summary>
    /// <param name="run">The run, which keeps them.</param>
    /// <param name="report">The report.</param>
    /// <param name="terminal">Where to say so.</param>
    public static void Compute(SelfTestRun run, CommandReport report, Terminal terminal)
    {
        if (run.GivenScores is not null) return;
        string title = $"{SelfTestStages.Full.Name} on the CPU";
        terminal.Detail($"{title}: up to a minute on few cores; --scores FILE saves it");
        try
        {
            CpuScores scores = ScoringProgress.Run(terminal, title, run.Compute);
            report.Line($"{title}: {Sizes.Seconds(scores.Seconds)}", ("scores_seconds", scores.Seconds));
        }
        catch (DeviceException)
        {
            // Where it cannot be done, each check of the stage says so.
        }
        report.WriteSoFar(terminal);
    }

    /// <summary>Writes them to a file.</summary>
    /// <param name="o">The options.</param>
    /// <param name="terminal">Where to say how far it is.</param>
    /// <param name="cancellation">Stops it.</param>
    public static CommandReport Write(SelfTestOptions o, Terminal terminal, CancellationToken cancellation)
    {
        foreach ((string option, bool given) in new[]
        {
            ("against", o.Against is not null), ("cases", o.Cases is not null), ("stages", o.Stages.Any()), ("only", o.Only.Any()),
            ("scores", o.Scores is not null), ("device", o.Device is not ("auto" or "cpu")), ("memory", o.Memory is not null),
        })
        {
            if (given) throw new UsageException($"--{option} and --write-scores do not go together: the CPU computes, and tests nothing.");
        }
        o.Device = "cpu";
        ComputeDevice.Check(o);
        using CpuDevice device = new(o.Threads ?? 0);
        CpuScores scores = ScoringProgress.Run(
            terminal, "scores", progress => CpuScores.Compute(o.Shape ?? DefaultShape, device, progress, cancellation));
        CpuScoresFile.Write(o.WriteScores!, scores);
        CommandReport report = new();
        report.Line($"device: {device.Description}", ("device", device.Description));
        report.Line(
            $"shape: {scores.Shape}, {string.Join(", ", scores.Edges.Keys)}, {scores.Edges.Values.First().Length} edges, "
                + Sizes.Seconds(scores.Seconds),
            ("shape", scores.Shape), ("edges", scores.Edges.Values.First().Length), ("scores_seconds", scores.Seconds));
        report.File("scores of the CPU", o.WriteScores!);
        return report;
    }
}
