using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Gradpath.Kernels.Cpu;

/// <summary>The inner loops of the edge contraction.</summary>
internal static unsafe class EdgeTile
{
    /// <summary>Rows of delta in a tile.</summary>
    public const int Writers = 8;

    /// <summary>Rows of G in a tile.</summary>
    public const int Readers = 3;

    /// <summary>Adds the dot products of a full tile: 24 sums in registers, 11 loads for 24 multiply-adds.</summary>
    /// <param name="delta">First of eight rows.</param>
    /// <param name="length">Distance between rows of delta.</param>
    /// <param name="gradients">First of three rows.</param>
    /// <param name="pitch">Distance between rows of G.</param>
    /// <param name="count">Elements of each row to take.</param>
    /// <param name="sums">Where the first sum is added.</param>
    /// <param name="stride">Distance between the sums of two rows of delta.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(float* delta, long length, float* gradients, int pitch, int count, double* sums, int stride)
    {
        int whole = count & ~15;
        nint step = (nint)length;
        Vector512<float> a0 = default, a1 = default, a2 = default;
        Vector512<float> b0 = default, b1 = default, b2 = default;
        Vector512<float> c0 = default, c1 = default, c2 = default;
        Vector512<float> d0 = default, d1 = default, d2 = default;
        Vector512<float> e0 = default, e1 = default, e2 = default;
        Vector512<float> f0 = default, f1 = default, f2 = default;
        Vector512<float> g0 = default, g1 = default, g2 = default;
        Vector512<float> h0 = default, h1 = default, h2 = default;
        for (nint i = 0; i < whole; i += 16)
        {
            Vector512<float> r0 = Vector512.Load(gradients + i);
            Vector512<float> r1 = Vector512.Load(gradients + pitch + i);
            Vector512<float> r2 = Vector512.Load(gradients + (2 * pitch) + i);
            Vector512<float> w;
            w = Vector512.Load(delta + i);
            a0 = Vector512.FusedMultiplyAdd(w, r0, a0);
            a1 = Vector512.FusedMultiplyAdd(w, r1, a1);
            a2 = Vector512.FusedMultiplyAdd(w, r2, a2);
            w = Vector512.Load(delta + step + i);
            b0 = Vector512.FusedMultiplyAdd(w, r0, b0);
            b1 = Vector512.FusedMultiplyAdd(w, r1, b1);
            b2 = Vector512.FusedMultiplyAdd(w, r2, b2);
            w = Vector512.Load(delta + (2 * step) + i);
            c0 = Vector512.FusedMultiplyAdd(w, r0, c0);
            c1 = Vector512.FusedMultiplyAdd(w, r1, c1);
            c2 = Vector512.FusedMultiplyAdd(w, r2, c2);
            w = Vector512.Load(delta + (3 * step) + i);
            d0 = Vector512.FusedMultiplyAdd(w, r0, d0);
            d1 = Vector512.FusedMultiplyAdd(w, r1, d1);
            d2 = Vector512.FusedMultiplyAdd(w, r2, d2);
            w = Vector512.Load(delta + (4 * step) + i);
            e0 = Vector512.FusedMultiplyAdd(w, r0, e0);
            e1 = Vector512.FusedMultiplyAdd(w, r1, e1);
            e2 = Vector512.FusedMultiplyAdd(w, r2, e2);
            w = Vector512.Load(delta + (5 * step) + i);
            f0 = Vector512.FusedMultiplyAdd(w, r0, f0);
            f1 = Vector512.FusedMultiplyAdd(w, r1, f1);
            f2 = Vector512.FusedMultiplyAdd(w, r2, f2);
            w = Vector512.Load(delta + (6 * step) + i);
            g0 = Vector512.FusedMultiplyAdd(w, r0, g0);
            g1 = Vector512.FusedMultiplyAdd(w, r1, g1);
            g2 = Vector512.FusedMultiplyAdd(w, r2, g2);
            w = Vector512.Load(delta + (7 * step) + i);
            h0 = Vector512.FusedMultiplyAdd(w, r0, h0);
            h1 = Vector512.FusedMultiplyAdd(w, r1, h1);
            h2 = Vector512.FusedMultiplyAdd(w, r2, h2);
        }
        Store(sums, a0, a1, a2);
        Store(sums + stride, b0, b1, b2);
        Store(sums + (2 * stride), c0, c1, c2);
        Store(sums + (3 * stride), d0, d1, d2);
        Store(sums + (4 * stride), e0, e1, e2);
        Store(sums + (5 * stride), f0, f1, f2);
        Store(sums + (6 * stride), g0, g1, g2);
        Store(sums + (7 * stride), h0, h1, h2);
        if (whole < count) AddPlain(delta + whole, Writers, length, gradients + whole, Readers, pitch, count - whole, sums, stride);
    }

    /// <summary>Adds the dot products of a tile of any shape.</summary>
    /// <param name="delta">First row.</param>
    /// <param name="rows">Rows of delta.</param>
    /// <param name="length">Distance between rows of delta.</param>
    /// <param name="gradients">First row.</param>
    /// <param name="columns">Rows of G.</param>
    /// <param name="pitch">Distance between rows of G.</param>
    /// <param name="count">Elements of each row to take.</param>
    /// <param name="sums">Where the first sum is added.</param>
    /// <param name="stride">Distance between the sums of two rows of delta.</param>
    public static void AddPlain(
        float* delta, int rows, long length, float* gradients, int columns, int pitch, int count, double* sums, int stride)
    {
        for (int u = 0; u < rows; u++)
        {
            var writer = new ReadOnlySpan<float>(delta + (u * length), count);
            for (int v = 0; v < columns; v++)
            {
                sums[((long)u * stride) + v] += TensorPrimitives.Dot(writer, new ReadOnlySpan<float>(gradients + (v * pitch), count));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(double* sums, Vector512<float> v0, Vector512<float> v1, Vector512<float> v2)
    {
        sums[0] += Sum(v0);
        sums[1] += Sum(v1);
        sums[2] += Sum(v2);
    }

    // In halves, which is a third of the instructions of a sum in order.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Sum(Vector512<float> v)
    {
        Vector256<float> eight = v.GetLower() + v.GetUpper();
        Vector128<float> four = eight.GetLower() + eight.GetUpper();
        return Vector128.Sum(four);
    }
}
