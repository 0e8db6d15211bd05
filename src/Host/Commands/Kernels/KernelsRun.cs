using System.Globalization;
using Gradpath.Diagnostics.KernelRuns;
using Gradpath.Diagnostics.Ops;
using Gradpath.Diagnostics.SelfTest;
using Gradpath.Gpt2Runtime;
using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;
using Gradpath.Kernels.Cuda;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath kernels run</c>: times an op or a kernel and compares it with the CPU.</summary>
internal static class KernelsRun
{
    private const int DefaultRepeats = 20;

    /// <summary>Runs it once or, where a folder is watched, whenever a file there changes.</summary>
    /// <param name="o">The options.</param>
    /// <param name="terminal">Where to read and write.</param>
    /// <param name="cancellation">Stops it.</param>
    public static CommandReport Run(KernelsOptions o, Terminal terminal, CancellationToken cancellation)
    {
        KernelChoice choice = KernelChoice.Of(o);
        CommandReport report = new();
        if (o.Watch is null)
        {
            using Device device = choice.NeedsGpu is { } option
                ? KernelsCommand.OpenGpu(o, option, terminal)
                : ComputeDevice.Open(o, terminal);
            Once(choice, device, o.Repeats ?? DefaultRepeats, report, terminal, cancellation);
            return report;
        }
        PtxFolder folder = PtxFolder.Open(o.Watch);
        while (!cancellation.IsCancellationRequested)
        {
            // What is written from here on is seen in the next round.
            string seen = folder.State();
            using (CudaDevice gpu = KernelsCommand.OpenGpu(o, "--watch", terminal))
            {
                gpu.PtxFolder = folder.Path;
                try
                {
                    Once(choice, gpu, o.Repeats ?? DefaultRepeats, report, terminal, cancellation);
                }
                catch (Exception e) when (e is DeviceException or IOException)
                {
                    report.Plain($"FAILED: {e.Message.ReplaceLineEndings(" ")}");
                }
                catch (OperationCanceledException)
                {
                    break;
                }
            }
            report.Plain($"watching {o.Watch}; Ctrl-C ends it");
            report.WriteSoFar(terminal);
            folder.WaitForChange(seen, cancellation);
        }
        return report;
    }

    private static void Once(
        KernelChoice choice, Device device, int repeats, CommandReport report, Terminal terminal, CancellationToken cancellation)
    {
        using CpuDevice reference = new();
        KernelRunner runner = new(device, reference, repeats, cancellation);
        List<KernelTiming> timings = [];
        List<ComparisonLine> checks = [];
        if (choice.Product is { } product)
        {
            (KernelTiming timing, ComparisonLine check) = runner.Product(product);
            timings.Add(timing);
            checks.Add(check);
        }
        else
        {
            OpRow op = choice.Op!;
            timings.AddRange(choice.Works.Select(work => runner.Time(work.Title(op), work)));
            checks.AddRange(op.Cases.Select(c => runner.Compare(c.Check(op.Family, op.Name))));
        }
        report.Table(KernelsTables.Timings(timings));
        report.Table(KernelsTables.Checks(checks));
        int failed = checks.Count(c => c.Fault is not null);
        foreach (ComparisonLine line in checks.Where(c => c.Fault is not null)) report.Plain($"FAILED: {line.Name}: {line.Fault}");
        report.Plain($"device: {device.Description}");
        report.ExitCode = failed == 0 ? ExitCode.Success : ExitCode.Failure;
        if (!terminal.Json) return;
        GpuFacts(report, device);
        report.Fact("kernel", choice.Kernel);
        report.Fact("repeats", repeats);
        report.Fact("failed", failed);
        report.Fact("date", terminal.Time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
    }

    // Where and on what a measurement was made.
    private static void GpuFacts(CommandReport report, Device device)
    {
        var gpu = device as CudaDevice;
        var state = gpu?.State;
        report.Fact("device", device.Description);
        report.Fact("machine", $"{Environment.MachineName}, {Environment.OSVersion}, {Environment.ProcessorCount} processors");
        report.Fact("cuda", gpu?.CudaVersion);
        report.Fact("driver", state?.DriverVersion);
        report.Fact("clock_mhz", state?.ClockMHz);
        report.Fact("memory_clock_mhz", state?.MemoryClockMHz);
    }
}
