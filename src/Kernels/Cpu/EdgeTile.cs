using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Gradpath.Kernels.Cpu;

/// <summary>The inner loops of the edge contraction.</summary>
internal static unsafe class EdgeTile
{
    /// <summary>Rows of delta in a tile.</summary>
    public const int Writers = 4;

    /// <summary>Rows of G in a tile.</summary>
    public const int Readers = 6;

    /// <summary>Adds the dot products of a full tile: 24 sums in registers, 10 loads for 24 multiply-adds.</summary>
    /// <param name="delta">First of four rows.</param>
    /// <param name="gradients">First of six rows.</param>
    /// <param name="length">Distance between rows, of both.</param>
    /// <param name="count">Elements of each row to take.</param>
    /// <param name="sums">Where the first sum is added.</param>
    /// <param name="stride">Distance between the sums of two rows of delta.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(float* delta, float* gradients, long length, int count, double* sums, int stride)
    {
        int whole = count & ~15;
        nint step = (nint)length;
        Vector512<float> a0 = default, a1 = default, a2 = default, a3 = default, a4 = default, a5 = default;
        Vector512<float> b0 = default, b1 = default, b2 = default, b3 = default, b4 = default, b5 = default;
        Vector512<float> c0 = default, c1 = default, c2 = default, c3 = default, c4 = default, c5 = default;
        Vector512<float> d0 = default, d1 = default, d2 = default, d3 = default, d4 = default, d5 = default;
        float* g3 = gradients + (3 * step);
        for (nint i = 0; i < whole; i += 16)
        {
            Vector512<float> a = Vector512.Load(delta + i);
            Vector512<float> b = Vector512.Load(delta + step + i);
            Vector512<float> c = Vector512.Load(delta + (2 * step) + i);
            Vector512<float> d = Vector512.Load(delta + (3 * step) + i);
            Vector512<float> g = Vector512.Load(gradients + i);
            a0 = Vector512.FusedMultiplyAdd(a, g, a0);
            b0 = Vector512.FusedMultiplyAdd(b, g, b0);
            c0 = Vector512.FusedMultiplyAdd(c, g, c0);
            d0 = Vector512.FusedMultiplyAdd(d, g, d0);
            g = Vector512.Load(gradients + step + i);
            a1 = Vector512.FusedMultiplyAdd(a, g, a1);
            b1 = Vector512.FusedMultiplyAdd(b, g, b1);
            c1 = Vector512.FusedMultiplyAdd(c, g, c1);
            d1 = Vector512.FusedMultiplyAdd(d, g, d1);
            g = Vector512.Load(gradients + (2 * step) + i);
            a2 = Vector512.FusedMultiplyAdd(a, g, a2);
            b2 = Vector512.FusedMultiplyAdd(b, g, b2);
            c2 = Vector512.FusedMultiplyAdd(c, g, c2);
            d2 = Vector512.FusedMultiplyAdd(d, g, d2);
            g = Vector512.Load(g3 + i);
            a3 = Vector512.FusedMultiplyAdd(a, g, a3);
            b3 = Vector512.FusedMultiplyAdd(b, g, b3);
            c3 = Vector512.FusedMultiplyAdd(c, g, c3);
            d3 = Vector512.FusedMultiplyAdd(d, g, d3);
            g = Vector512.Load(g3 + step + i);
            a4 = Vector512.FusedMultiplyAdd(a, g, a4);
            b4 = Vector512.FusedMultiplyAdd(b, g, b4);
            c4 = Vector512.FusedMultiplyAdd(c, g, c4);
            d4 = Vector512.FusedMultiplyAdd(d, g, d4);
            g = Vector512.Load(g3 + (2 * step) + i);
            a5 = Vector512.FusedMultiplyAdd(a, g, a5);
            b5 = Vector512.FusedMultiplyAdd(b, g, b5);
            c5 = Vector512.FusedMultiplyAdd(c, g, c5);
            d5 = Vector512.FusedMultiplyAdd(d, g, d5);
        }
        Store(sums, a0, a1, a2, a3, a4, a5);
        Store(sums + stride, b0, b1, b2, b3, b4, b5);
        Store(sums + (2 * stride), c0, c1, c2, c3, c4, c5);
        Store(sums + (3 * stride), d0, d1, d2, d3, d4, d5);
        if (whole < count) AddPlain(delta + whole, Writers, gradients + whole, Readers, length, count - whole, sums, stride);
    }

    /// <summary>Adds the dot products of a tile of any shape.</summary>
    /// <param name="delta">First row.</param>
    /// <param name="rows">Rows of delta.</param>
    /// <param name="gradients">First row.</param>
    /// <param name="columns">Rows of G.</param>
    /// <param name="length">Distance between rows, of both.</param>
    /// <param name="count">Elements of each row to take.</param>
    /// <param name="sums">Where the first sum is added.</param>
    /// <param name="stride">Distance between the sums of two rows of delta.</param>
    public static void AddPlain(float* delta, int rows, float* gradients, int columns, long length, int count, double* sums, int stride)
    {
        for (int u = 0; u < rows; u++)
        {
            for (int v = 0; v < columns; v++)
            {
                sums[((long)u * stride) + v] += TensorPrimitives.Dot(new ReadOnlySpan<float>(delta + (u * length), count), new ReadOnlySpan<float>(gradients + (v * length), count));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(
        double* sums, Vector512<float> v0, Vector512<float> v1, Vector512<float> v2, Vector512<float> v3, Vector512<float> v4, Vector512<float> v5)
    {
        sums[0] += Vector512.Sum(v0);
        sums[1] += Vector512.Sum(v1);
        sums[2] += Vector512.Sum(v2);
        sums[3] += Vector512.Sum(v3);
        sums[4] += Vector512.Sum(v4);
        sums[5] += Vector512.Sum(v5);
    }
}
