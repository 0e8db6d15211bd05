using Gradpath.Diagnostics.Ops;
using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;
using Gradpath.Kernels.Cuda;

namespace Gradpath.Diagnostics.Bench;

/// <summary>
/// What the machine reaches at best, by loops of nothing else, measured in the same run as everything that is compared with it. No op of
/// the project is among them, so that a share of it says what is left to gain.
/// </summary>
/// <param name="Lines">All that was measured.</param>
/// <param name="Memory">The fastest stream of memory.</param>
/// <param name="Arithmetic">The units that the device's products run on.</param>
/// <param name="Products">Of their multiply-adds, how many make one of a product's: 3 where each product is three of TF32.</param>
internal sealed record MachineRates(IReadOnlyList<BenchLine> Lines, BenchLine Memory, BenchLine Arithmetic, int Products)
{
    private const long CpuCopyBytes = 256L << 20;

    /// <summary>Bytes per second, read and written.</summary>
    public double BytesPerSecond => Memory.Bytes / Memory.Seconds;

    /// <summary>Flops per second of a matrix product, at the accuracy that the device computes with.</summary>
    public double FlopsPerSecond => Arithmetic.Flops / Arithmetic.Seconds / Products;

    /// <summary>The ceiling of flops in words.</summary>
    public string FlopSource => Products == 1 ? Arithmetic.Name : $"a third of the {Arithmetic.Name}";

    /// <summary>Measures all of them.</summary>
    /// <param name="device">The device.</param>
    /// <param name="timer">How.</param>
    /// <param name="copyBytes">On a CPU: bytes of the copy, where there is room.</param>
    public static MachineRates Measure(Device device, BenchTimer timer, long copyBytes = CpuCopyBytes)
    {
        if (device is CudaDevice gpu) return new GpuRateMeter(gpu, timer).Measure();
        BenchLine copy = Copy(device, timer, copyBytes);
        CpuFmaLoop loop = new((CpuDevice)device);
        BenchLine fma = new(
            "FMA rate", $"{CpuFmaLoop.Width} floats at once", device.Name, timer.Op(loop.Run), loop.Flops, 0, 1);
        return new MachineRates([copy, fma], copy, fma, 1);
    }

    /// <summary>A line with the share of what the device could do: of its bytes or its flops, whichever takes longer.</summary>
    public BenchLine Line(string name, string shape, string device, double seconds, double flops, double bytes) =>
        new(name, shape, device, seconds, flops, bytes, Math.Max(flops / FlopsPerSecond, bytes / BytesPerSecond) / seconds);

    private static BenchLine Copy(Device device, BenchTimer timer, long copyBytes)
    {
        int elements = checked((int)(Math.Min(copyBytes, device.FreeMemory / 4) / sizeof(float)));
        using WorkOperands x = new(device);
        Tensor source = x.Tensor(elements), target = x.Tensor(elements);
        double seconds = timer.Op(() => device.CopyBlock(source, 0, target, 0, elements));
        return new BenchLine("copy rate", $"{elements >> 18} MiB", device.Name, seconds, 0, 2.0 * sizeof(float) * elements, 1);
    }
}
