using System.Globalization;
using Gradpath.Gpt2Runtime;
using Gradpath.Host.Sweeps.Store;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Commands;

/// <summary>Several processes of one sweep on this machine, one per device.</summary>
internal static class SweepTeam
{
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
        WorkerEnd? broken = ends.FirstOrDefault(
            e => e.ExitCode != ExitCode.Success && (failures.Count == 0 || e.ExitCode != ExitCode.Failure));
        if (broken is not null && outcome.Waiting > 0)
        {
            throw new GradpathException($"process {broken.Number} ended with {broken.ExitCode}, and {Sizes.Of(outcome.Waiting, "unit")} "
                + $"are left: {(broken.Errors.Count > 0 ? broken.Errors[^1] : "it said nothing")}");
        }
        return outcome;
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
        if (start.Shard is not null) words.AddRange(["--shard", start.Shard.ToString()]);
        if (terminal.Quiet) words.Add("--quiet");
        if (terminal.Verbose) words.Add("--verbose");
        if (terminal.Strict) words.Add("--strict");
        return words;
    }
}
