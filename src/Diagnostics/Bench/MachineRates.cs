using Gradpath.Diagnostics.Ops;
using Gradpath.Kernels;

namespace Gradpath.Diagnostics.Bench;

/// <summary>What the device reaches at best, measured in the same run as everything that is compared with it.</summary>
/// <param name="Copy">The copy between two blocks that no cache holds.</param>
/// <param name="Product">The fastest matrix product of those tried.</param>
internal sealed record MachineRates(BenchLine Copy, BenchLine Product)
{
    private const long CopyBytes = 256L << 20;

    private static readonly (int M, int N, int K)[] s_shapes =
    [
        (2048, 768, 3072), (2048, 3072, 768), (2048, 2048, 2048), (4096, 4096, 1024),
    ];

    /// <summary>Bytes per second, read and written.</summary>
    public double BytesPerSecond => Copy.Bytes / Copy.Seconds;

    /// <summary>Flops per second, float32.</summary>
    public double FlopsPerSecond => Product.Flops / Product.Seconds;

    /// <summary>Measures both.</summary>
    /// <param name="device">The device.</param>
    /// <param name="timer">How.</param>
    /// <param name="copyBytes">Bytes of the copy, where there is room.</param>
    /// <param name="products">Shapes of the products; null for those that fill a large device.</param>
    public static MachineRates Measure(
        Device device, BenchTimer timer, long copyBytes = CopyBytes, (int M, int N, int K)[]? products = null)
    {
        int elements = checked((int)(Math.Min(copyBytes, device.FreeMemory / 4) / sizeof(float)));
        BenchLine copy;
        using (WorkOperands x = new(device))
        {
            Tensor source = x.Tensor(elements), target = x.Tensor(elements);
            double bytes = 2.0 * sizeof(float) * elements;
            copy = new BenchLine(
                "copy rate",
                $"{elements >> 18} MiB",
                device.Name,
                timer.Op(() => device.CopyBlock(source, 0, target, 0, elements)),
                0,
                bytes,
                1);
        }
        return new MachineRates(
            copy,
            (products ?? s_shapes).Select(
                shape => Time(device, timer, shape.M, shape.N, shape.K)).MaxBy(line => line.Flops / line.Seconds)!);
    }

    /// <summary>A line with the share of what the device could do: of its bytes or its flops, whichever takes longer.</summary>
    public BenchLine Line(string name, string shape, string device, double seconds, double flops, double bytes) =>
        new(name, shape, device, seconds, flops, bytes, Math.Max(flops / FlopsPerSecond, bytes / BytesPerSecond) / seconds);

    private static BenchLine Time(Device device, BenchTimer timer, int m, int n, int k)
    {
        using WorkOperands x = new(device);
        Matrix a = x.Tensor(m, k).AsMatrix(), b = x.Tensor(k, n).AsMatrix(), c = x.Tensor(m, n).AsMatrix();
        double bytes = sizeof(float) * (((double)m * k) + ((double)k * n) + ((double)m * n));
        return new BenchLine("GEMM rate", $"{m} x {n} x {k}", device.Name, timer.Op(() => device.Gemm(a, b, c)), 2.0 * m * n * k, bytes, 1);
    }
}
