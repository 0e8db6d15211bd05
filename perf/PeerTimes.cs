using System.Globalization;
using CommandLine;
using Gradpath.Diagnostics.Bench;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;
using Gradpath.Programs;
using Gradpath.Programs.Reporting;

namespace Gradpath.Perf;

/// <summary>The options of <c>perf peers</c>.</summary>
[Verb("peers", HelpText = "W1 and W3 here and in PyTorch.")]
internal sealed class PeerTimesOptions : DeviceOptions
{
    [Option("shape", MetaValue = "NAME", Default = "small", HelpText = "GPT-2 shape: tiny, small, medium, large or xl.")]
    public string Shape { get; set; } = "small";

    [Option("python", MetaValue = "PROGRAM", Default = "python3", HelpText = "A Python that has torch.")]
    public string Python { get; set; } = "python3";
}

/// <summary>
/// W1 and W3 here and in PyTorch (peers/eap_ig_torch.py), on the same machine in the same run: ours, theirs, ours again. Both sides run 20
/// pairs of 16 tokens in batches of 10 on random weights; ours also states KL, accuracy and the full and empty circuit in W3.
/// </summary>
internal static class PeerTimes
{
    /// <summary>Runs the comparison.</summary>
    /// <param name="o">The options.</param>
    /// <param name="terminal">Told which device was chosen.</param>
    /// <param name="cancellation">Stops it.</param>
    public static CommandReport Run(PeerTimesOptions o, Terminal terminal, CancellationToken cancellation)
    {
        string shape = o.Shape;
        ShapeOption.Of(shape);
        using Device ours = ComputeDevice.Open(o, terminal);
        string device = ours is CpuDevice ? "cpu" : "cuda";
        using Gpt2Weights weights = RandomGpt2Weights.Create(Workloads.Shape(shape), 1, ours);
        Work[] works = [.. Peer.Works.Select(name => Works.Prepare(name, shape, weights, sample: false, cancellation))];
        var timer = new BenchTimer(ours, quick: true, cancellation);
        ours.ResetPeak();
        double[] before = [.. works.Select(w => timer.Work(w.Run))];
        if (Peer.Measure(o.Python, shape, device, (ours as CpuDevice)?.Workers, out string? obstacle) is not { } theirs)
            throw new GradpathException(obstacle!);
        double[] after = [.. works.Select(w => timer.Work(w.Run))];

        CommandReport report = new() { Markdown = true };
        report.Line($"GPT-2 {shape} shape, random weights; ours: {ours.Description}; {theirs.Title}",
            ("shape", shape), ("device", ours.Description), ("baseline", theirs.Title), ("upper_bound", theirs.UpperBound));
        if (theirs.UpperBound)
            report.Note("This PyTorch has no vendor BLAS and runs batched products in a plain loop: the ratios are upper bounds of "
                + "those against one that has.");
        var rows = works.Select((w, i) => (Work: w, Before: before[i], After: after[i], Other: theirs.Seconds[w.Name]));
        report.Table(ReportTable.Of("works", rows)
            .Column("work", "work", r => r.Work.Name, r => $"{r.Work.Name}: {r.Work.Shape}", right: false)
            .Column("ours, seconds (before and after)", "seconds", r => new[] { r.Before, r.After }, r => string.Create(
                CultureInfo.InvariantCulture, $"{(r.Before + r.After) / 2:F3} ({r.Before:F3}, {r.After:F3})"), right: false)
            .Column("PyTorch, seconds", "baseline_seconds", r => r.Other,
                r => r.Other.ToString("F2", CultureInfo.InvariantCulture), right: false)
            .Column(theirs.UpperBound ? "ratio, upper bound" : "ratio", "ratio_to_baseline", r => 2 * r.Other / (r.Before + r.After),
                r => (2 * r.Other / (r.Before + r.After)).ToString("F1", CultureInfo.InvariantCulture), right: false));
        report.Line(string.Create(
            CultureInfo.InvariantCulture,
            $"peak memory: ours {ours.PeakBytes / 1048576.0:F0} MiB of device memory, PyTorch {theirs.PeakBytes / 1048576.0:F0} MiB "
                + $"{(device == "cpu" ? "resident" : "of device memory")}"),
            ("peak_bytes", ours.PeakBytes), ("baseline_peak_bytes", theirs.PeakBytes));
        return report;
    }
}
