using System.Globalization;
using Gradpath.Gpt2Runtime;
using Gradpath.Host.Sweeps.Store;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Commands;

/// <summary>Several processes of one sweep on this machine, one per device.</summary>
internal static class SweepTeam
{
    // What systems add to the number of a signal that has ended a process.
    private const int Signalled = 128;

    private static readonly Dictionary<int, string> s_signals = new()
    {
        [1] = "SIGHUP",
        [2] = "SIGINT",
        [3] = "SIGQUIT",
        [4] = "SIGILL",
        [6] = "SIGABRT",
        [7] = "SIGBUS",
        [8] = "SIGFPE",
        [9] = "SIGKILL (which a system also sends where memory runs out)",
        [11] = "SIGSEGV",
        [15] = "SIGTERM",
    };

    /// <summary>Runs them until all have ended.</summary>
    /// <param name="start">The sweep, with the devices.</param>
    /// <param name="folder">Its folder.</param>
    /// <param name="own">The units to compute.</param>
    /// <param name="terminal">Where their lines go.</param>
    /// <param name="cancellation">Stops them.</param>
    /// <exception cref="StoppedException">They were stopped.</exception>
    /// <exception cref="GradpathException">One ended without doing its work.</exception>
    public static SweepOutcome Run(
        SweepStart start, SweepFolder folder, IReadOnlyList<SweepUnit> own, Terminal terminal, CancellationToken cancellation)
    {
        int before = Settled(folder, own).Done;
        IReadOnlyList<WorkerEnd> ends = SweepProcesses.Run(
            [.. start.Workers.Select(w => new WorkerStart(Arguments(start, w, terminal), new Dictionary<string, string>()))],
            terminal, cancellation);
        (int done, IReadOnlyList<UnitFailure> failures) = Settled(folder, own);
        if (cancellation.IsCancellationRequested)
        {
            throw new StoppedException(
                $" after {done + failures.Count} of {Sizes.Of(own.Count, "unit")}, kept in {folder.Path}; the same command goes on from "
                + "there.", new OperationCanceledException(cancellation));
        }
        SweepOutcome outcome = new(own.Count, done, done - before, failures);
        Tell(ends, outcome, terminal);
        return outcome;
    }

    /// <summary>Says which workers ended in a way that they do not end in by themselves.</summary>
    /// <param name="ends">How all ended.</param>
    /// <param name="outcome">How that left the units.</param>
    /// <param name="terminal">Where it goes.</param>
    /// <exception cref="GradpathException">Units are left that such a worker should have done.</exception>
    internal static void Tell(IReadOnlyList<WorkerEnd> ends, SweepOutcome outcome, Terminal terminal)
    {
        WorkerEnd[] broken = [.. ends.Where(e => !IsExpected(e, outcome.Failures.Count > 0))];
        if (broken.Length > 0 && outcome.Waiting > 0)
        {
            throw new GradpathException(
                $"{string.Join("; ", broken.Select(Text))}; {Sizes.Of(outcome.Waiting, "unit")} left, and the same command goes on from "
                + "there");
        }
        foreach (WorkerEnd end in broken) terminal.Warn($"{Text(end)}; the others have done its work");
    }

    // A worker says with its exit code that units have failed.
    private static bool IsExpected(WorkerEnd end, bool isFailure) =>
        end.ExitCode == ExitCode.Success || (isFailure && end.ExitCode == ExitCode.Failure);

    private static string Text(WorkerEnd end)
    {
        string signal = s_signals.TryGetValue(end.ExitCode - Signalled, out string? name) ? $", as after {name}" : "";
        return $"worker {end.Number} ended with exit code {end.ExitCode}{signal}; "
            + (end.Errors.Count > 0 ? $"its last line: {WithoutName(end.Errors[^1])}" : "it said nothing");
    }

    // A worker's errors begin with the program's name, as this one's do.
    private static string WithoutName(string line)
    {
        const string Name = "gradpath: ";
        return line.StartsWith(Name, StringComparison.Ordinal) ? line[Name.Length..] : line;
    }

    private static (int Done, IReadOnlyList<UnitFailure> Failures) Settled(SweepFolder folder, IReadOnlyList<SweepUnit> own)
    {
        HashSet<string> done = folder.Done(), keys = [.. own.Select(u => u.Key)];
        return (own.Count(u => done.Contains(u.Key)), [.. folder.Failures().Where(f => keys.Contains(f.Key))]);
    }

    private static List<string> Arguments(SweepStart start, DeviceOptions device, Terminal terminal)
    {
        List<string> words =
        [
            "sweep", "--plan", start.Folder!, "--device", device.Device, "--precision", device.Precision, "--gemm", device.Gemm,
        ];
        if (device.Threads is { } threads) words.AddRange(["--threads", threads.ToString(CultureInfo.InvariantCulture)]);
        if (device.Memory is not null) words.AddRange(["--memory", device.Memory]);
        if (device.Plans is not null) words.AddRange(["--plans", device.Plans]);
        if (start.Shard is not null) words.AddRange(["--shard", start.Shard.ToString()]);
        if (terminal.Quiet) words.Add("--quiet");
        if (terminal.Verbose) words.Add("--verbose");
        if (terminal.Strict) words.Add("--strict");
        return words;
    }
}
