using System.Globalization;
using Gradpath.Gpt2Runtime;
using Gradpath.Host.Sweeps.Plan;
using Gradpath.Kernels.Cuda;

namespace Gradpath.Host.Commands;

/// <summary>The devices that a sweep computes on: those of the command line, else those of the plan.</summary>
internal sealed class SweepDevices
{
    private const string Auto = "auto";
    private const string Precise = "fp32";
    private const string Own = "own";

    /// <summary>Decides the devices.</summary>
    /// <param name="o">The command line.</param>
    /// <param name="plan">The plan.</param>
    /// <exception cref="UsageException">An option cannot be used.</exception>
    public SweepDevices(SweepOptions o, SweepPlan plan)
    {
        SweepOptions shared = With(o, o.Device, o.Threads);
        if (o.Device == Auto && plan.Device.GetValueOrDefault("device") is { } device) shared.Device = device;
        if (o.Threads is null && plan.Device.GetValueOrDefault("threads") is { } threads)
            shared.Threads = int.Parse(threads, CultureInfo.InvariantCulture);
        shared.Memory ??= plan.Device.GetValueOrDefault("memory");
        if (o.Precision == Precise) shared.Precision = plan.Device.GetValueOrDefault("precision", Precise);
        if (o.Gemm == Own) shared.Gemm = plan.Device.GetValueOrDefault("gemm", Own);
        Workers = o.Devices is not null ? Gpus(o, shared) : o.Workers is > 1 ? Cpus(o, shared) : [shared];
        foreach (DeviceOptions worker in Workers) ComputeDevice.Check(worker);

        // What decides results belongs to the plan.
        Dictionary<string, string> decides = new(plan.Device);
        if (shared.Precision != Precise) decides["precision"] = shared.Precision;
        if (shared.Gemm != Own) decides["gemm"] = shared.Gemm;
        Plan = plan with { Device = decides };
    }

    /// <summary>The plan with what the command line changes of it.</summary>
    public SweepPlan Plan { get; }

    /// <summary>The device of each process.</summary>
    public IReadOnlyList<DeviceOptions> Workers { get; }

    private static List<SweepOptions> Gpus(SweepOptions o, SweepOptions shared)
    {
        if (o.Device != Auto) throw new UsageException($"--devices {o.Devices} and --device {o.Device}: give one of them.");
        CudaAvailability found = CudaDevice.Availability();
        if (!found.IsUsable) throw new UsageException($"--devices {o.Devices}: {found.Obstacle}; --workers N runs processes on the CPU.");
        int[] numbers = o.Devices == "all" ? [.. Enumerable.Range(0, found.Devices)] : [.. o.Devices!.Split(',').Select(Number)];
        if (numbers.Distinct().Count() < numbers.Length) throw new UsageException($"--devices {o.Devices}: a GPU appears twice.");
        return [.. numbers.Select(n => With(shared, $"cuda:{n}", null))];

        int Number(string text) =>
            int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int n) && n < found.Devices
                ? n
                : throw new UsageException($"--devices {o.Devices}: '{text}' is no GPU of this machine, which has {found.Devices}; "
                    + $"give all, or numbers from 0 to {found.Devices - 1} with commas.");
    }

    private static List<SweepOptions> Cpus(SweepOptions o, SweepOptions shared)
    {
        if (shared.Device is not (Auto or "cpu"))
            throw new UsageException($"--workers {o.Workers} is for the CPU; give --device cpu, or --devices for GPUs.");
        int threads = Math.Max(1, (shared.Threads ?? Environment.ProcessorCount) / o.Workers!.Value);
        return [.. Enumerable.Range(0, o.Workers.Value).Select(_ => With(shared, "cpu", threads))];
    }

    private static SweepOptions With(SweepOptions o, string device, int? threads) => new()
    {
        Device = device,
        Threads = threads,
        Memory = o.Memory,
        Precision = o.Precision,
        Gemm = o.Gemm,
        Plans = o.Plans,
    };
}
