using System.Runtime.Intrinsics;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Diagnostics.Bench;

/// <summary>Multiply-adds in registers alone, on as many threads as a device has and as wide as the processor's.</summary>
/// <param name="device">The device.</param>
internal sealed class CpuFmaLoop(CpuDevice device)
{
    // Twelve chains cover a latency of six at two a clock, and leave four of sixteen registers.
    private const int Chains = 12;
    private const int Steps = 200_000;

    private readonly float[] _results = new float[device.Workers];
    private readonly ParallelOptions _options = new() { MaxDegreeOfParallelism = device.Workers };

    /// <summary>Elements of a vector.</summary>
    public static int Width => Vector512.IsHardwareAccelerated ? 16 : Vector256.IsHardwareAccelerated ? 8 : 4;

    /// <summary>Flops of one <see cref="Run"/>.</summary>
    public double Flops => 2.0 * Chains * Width * Steps * device.Workers;

    /// <summary>What every thread has left.</summary>
    public IReadOnlyList<float> Results => _results;

    /// <summary>Runs the loop on every thread.</summary>
    public void Run() => Parallel.For(0, _results.Length, _options, i => _results[i] = Width switch
    {
        16 => Wide512(Steps),
        8 => Wide256(Steps),
        _ => Wide128(Steps),
    });

    // v = v / 2 + 1 ends at 2, so that the sums of all chains are known.
    private static float Wide512(int steps)
    {
        Vector512<float> half = Vector512.Create(0.5f), one = Vector512.Create(1f);
        Vector512<float> a = one, b = one, c = one, d = one, e = one, f = one, g = one, h = one, i = one, j = one, k = one, l = one;
        for (int s = 0; s < steps; s++)
        {
            a = Vector512.FusedMultiplyAdd(a, half, one);
            b = Vector512.FusedMultiplyAdd(b, half, one);
            c = Vector512.FusedMultiplyAdd(c, half, one);
            d = Vector512.FusedMultiplyAdd(d, half, one);
            e = Vector512.FusedMultiplyAdd(e, half, one);
            f = Vector512.FusedMultiplyAdd(f, half, one);
            g = Vector512.FusedMultiplyAdd(g, half, one);
            h = Vector512.FusedMultiplyAdd(h, half, one);
            i = Vector512.FusedMultiplyAdd(i, half, one);
            j = Vector512.FusedMultiplyAdd(j, half, one);
            k = Vector512.FusedMultiplyAdd(k, half, one);
            l = Vector512.FusedMultiplyAdd(l, half, one);
        }
        return Vector512.Sum(a + b + c + d + e + f + g + h + i + j + k + l);
    }

    private static float Wide256(int steps)
    {
        Vector256<float> half = Vector256.Create(0.5f), one = Vector256.Create(1f);
        Vector256<float> a = one, b = one, c = one, d = one, e = one, f = one, g = one, h = one, i = one, j = one, k = one, l = one;
        for (int s = 0; s < steps; s++)
        {
            a = Vector256.FusedMultiplyAdd(a, half, one);
            b = Vector256.FusedMultiplyAdd(b, half, one);
            c = Vector256.FusedMultiplyAdd(c, half, one);
            d = Vector256.FusedMultiplyAdd(d, half, one);
            e = Vector256.FusedMultiplyAdd(e, half, one);
            f = Vector256.FusedMultiplyAdd(f, half, one);
            g = Vector256.FusedMultiplyAdd(g, half, one);
            h = Vector256.FusedMultiplyAdd(h, half, one);
            i = Vector256.FusedMultiplyAdd(i, half, one);
            j = Vector256.FusedMultiplyAdd(j, half, one);
            k = Vector256.FusedMultiplyAdd(k, half, one);
            l = Vector256.FusedMultiplyAdd(l, half, one);
        }
        return Vector256.Sum(a + b + c + d + e + f + g + h + i + j + k + l);
    }

    private static float Wide128(int steps)
    {
        Vector128<float> half = Vector128.Create(0.5f), one = Vector128.Create(1f);
        Vector128<float> a = one, b = one, c = one, d = one, e = one, f = one, g = one, h = one, i = one, j = one, k = one, l = one;
        for (int s = 0; s < steps; s++)
        {
            a = Vector128.FusedMultiplyAdd(a, half, one);
            b = Vector128.FusedMultiplyAdd(b, half, one);
            c = Vector128.FusedMultiplyAdd(c, half, one);
            d = Vector128.FusedMultiplyAdd(d, half, one);
            e = Vector128.FusedMultiplyAdd(e, half, one);
            f = Vector128.FusedMultiplyAdd(f, half, one);
            g = Vector128.FusedMultiplyAdd(g, half, one);
            h = Vector128.FusedMultiplyAdd(h, half, one);
            i = Vector128.FusedMultiplyAdd(i, half, one);
            j = Vector128.FusedMultiplyAdd(j, half, one);
            k = Vector128.FusedMultiplyAdd(k, half, one);
            l = Vector128.FusedMultiplyAdd(l, half, one);
        }
        return Vector128.Sum(a + b + c + d + e + f + g + h + i + j + k + l);
    }
}
