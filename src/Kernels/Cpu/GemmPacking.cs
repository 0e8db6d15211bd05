using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Gradpath.Kernels.Cpu;

/// <summary>
/// Copies strips of an operand into the order in which the inner loops read them: packed[k, i] for i below the strip's width.
/// A strip is some rows of A (width = height of a tile) or some columns of B (width = width of a panel).
/// </summary>
internal static unsafe class GemmPacking
{
    /// <summary>How many elements beyond the end of a packed strip may be overwritten (with anything).</summary>
    public const int Overrun = 16;

    /// <summary>Packs a strip whose elements of one k lie side by side: packed[k, i] = source[k * stride + i].</summary>
    /// <param name="source">Element k = 0, i = 0.</param>
    /// <param name="stride">Distance between two k.</param>
    /// <param name="width">Number of elements for each k.</param>
    /// <param name="depth">Number of k.</param>
    /// <param name="packed">The target.</param>
    /// <param name="packedWidth">Distance between two k in the target; elements beyond <paramref name="width"/> become 0.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rows(float* source, nint stride, int width, int depth, float* packed, int packedWidth)
    {
        for (int k = 0; k < depth; k++, source += stride, packed += packedWidth)
        {
            int i = 0;
            if (width >= 4)
            {
                for (; i <= width - 4; i += 4) Vector128.Load(source + i).Store(packed + i);
                if (i < width)
                {
                    Vector128.Load(source + width - 4).Store(packed + width - 4);
                    i = width;
                }
            }
            for (; i < width; i++) packed[i] = source[i];
            for (; i < packedWidth; i++) packed[i] = 0;
        }
    }

    /// <summary>Packs a strip whose elements of one i lie side by side: packed[k, i] = source[i * stride + k].</summary>
    /// <param name="source">Element k = 0, i = 0.</param>
    /// <param name="stride">Distance between two i.</param>
    /// <param name="width">Number of elements for each k.</param>
    /// <param name="depth">Number of k.</param>
    /// <param name="packed">The target.</param>
    /// <param name="packedWidth">Distance between two k in the target; elements beyond <paramref name="width"/> become 0.</param>
    public static void Columns(float* source, nint stride, int width, int depth, float* packed, int packedWidth)
    {
        int i = 0;
        if (Avx512F.IsSupported)
        {
            for (; i <= width - 16; i += 16) SixteenColumns(source + (i * stride), stride, depth, packed + i, packedWidth);
        }
        if (Avx.IsSupported)
        {
            for (; i <= width - 8; i += 8) EightColumns(source + (i * stride), stride, depth, packed + i, packedWidth);
        }
        for (; i < width && width >= 4; i += 4)
        {
            i = Math.Min(i, width - 4);
            FourColumns(source + (i * stride), stride, depth, packed + i, packedWidth);
        }
        for (; i < width; i++)
        {
            float* from = source + (i * stride);
            for (int k = 0; k < depth; k++) packed[((nint)k * packedWidth) + i] = from[k];
        }
        for (; i < packedWidth; i++)
        {
            for (int k = 0; k < depth; k++) packed[((nint)k * packedWidth) + i] = 0;
        }
    }

    // Sixteen columns by sixteen steps of k at a time, in 64 shuffles: 4 x 4 transposes within 128 bits for each group of four columns,
    // then 4 x 4 transposes of 128-bit quarters across the groups.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SixteenColumns(float* source, nint stride, int depth, float* packed, nint packedWidth)
    {
        float* s0 = source, s4 = source + (4 * stride), s8 = source + (8 * stride), s12 = source + (12 * stride);
        int k = 0;
        for (; k <= depth - 16; k += 16)
        {
            FourByFour(s0 + k, stride, out Vector512<float> a0, out Vector512<float> a1, out Vector512<float> a2, out Vector512<float> a3);
            FourByFour(s4 + k, stride, out Vector512<float> b0, out Vector512<float> b1, out Vector512<float> b2, out Vector512<float> b3);
            FourByFour(s8 + k, stride, out Vector512<float> c0, out Vector512<float> c1, out Vector512<float> c2, out Vector512<float> c3);
            FourByFour(s12 + k, stride, out Vector512<float> d0, out Vector512<float> d1, out Vector512<float> d2, out Vector512<float> d3);
            StoreQuarters(a0, b0, c0, d0, packed, packedWidth);
            StoreQuarters(a1, b1, c1, d1, packed + packedWidth, packedWidth);
            StoreQuarters(a2, b2, c2, d2, packed + (2 * packedWidth), packedWidth);
            StoreQuarters(a3, b3, c3, d3, packed + (3 * packedWidth), packedWidth);
            packed += 16 * packedWidth;
        }
        for (; k < depth; k++, packed += packedWidth)
        {
            for (int i = 0; i < 16; i++) packed[i] = source[(i * stride) + k];
        }
    }

    // Four columns by sixteen k: quarter q of vector v gets the four columns of k = 4 q + v.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FourByFour(
        float* source, nint stride, out Vector512<float> v0, out Vector512<float> v1, out Vector512<float> v2, out Vector512<float> v3)
    {
        Vector512<float> r0 = Vector512.Load(source), r1 = Vector512.Load(source + stride);
        Vector512<float> r2 = Vector512.Load(source + (2 * stride)), r3 = Vector512.Load(source + (3 * stride));
        Vector512<float> even = Avx512F.UnpackLow(r0, r2), odd = Avx512F.UnpackLow(r1, r3);
        Vector512<float> evenHigh = Avx512F.UnpackHigh(r0, r2), oddHigh = Avx512F.UnpackHigh(r1, r3);
        v0 = Avx512F.UnpackLow(even, odd);
        v1 = Avx512F.UnpackHigh(even, odd);
        v2 = Avx512F.UnpackLow(evenHigh, oddHigh);
        v3 = Avx512F.UnpackHigh(evenHigh, oddHigh);
    }

    // Puts the quarters q of four groups of columns side by side, for k = 4 q.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreQuarters(
        Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d, float* packed, nint packedWidth)
    {
        Vector512<float> abLow = Avx512F.Shuffle4x128(a, b, 0x44), abHigh = Avx512F.Shuffle4x128(a, b, 0xEE);
        Vector512<float> cdLow = Avx512F.Shuffle4x128(c, d, 0x44), cdHigh = Avx512F.Shuffle4x128(c, d, 0xEE);
        Avx512F.Shuffle4x128(abLow, cdLow, 0x88).Store(packed);
        Avx512F.Shuffle4x128(abLow, cdLow, 0xDD).Store(packed + (4 * packedWidth));
        Avx512F.Shuffle4x128(abHigh, cdHigh, 0x88).Store(packed + (8 * packedWidth));
        Avx512F.Shuffle4x128(abHigh, cdHigh, 0xDD).Store(packed + (12 * packedWidth));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void EightColumns(float* source, nint stride, int depth, float* packed, nint packedWidth)
    {
        float* s0 = source, s1 = source + stride, s2 = source + (2 * stride), s3 = source + (3 * stride);
        nint four = 4 * stride;
        int k = 0;
        for (; k <= depth - 4; k += 4)
        {
            Vector256<float> r0 = Vector256.Create(Vector128.Load(s0), Vector128.Load(s0 + four));
            Vector256<float> r1 = Vector256.Create(Vector128.Load(s1), Vector128.Load(s1 + four));
            Vector256<float> r2 = Vector256.Create(Vector128.Load(s2), Vector128.Load(s2 + four));
            Vector256<float> r3 = Vector256.Create(Vector128.Load(s3), Vector128.Load(s3 + four));
            Vector256<float> even = Avx.UnpackLow(r0, r2), odd = Avx.UnpackLow(r1, r3);
            Vector256<float> evenHigh = Avx.UnpackHigh(r0, r2), oddHigh = Avx.UnpackHigh(r1, r3);
            Avx.UnpackLow(even, odd).Store(packed);
            Avx.UnpackHigh(even, odd).Store(packed + packedWidth);
            Avx.UnpackLow(evenHigh, oddHigh).Store(packed + (2 * packedWidth));
            Avx.UnpackHigh(evenHigh, oddHigh).Store(packed + (3 * packedWidth));
            packed += 4 * packedWidth;
            s0 += 4;
            s1 += 4;
            s2 += 4;
            s3 += 4;
        }
        for (; k < depth; k++, packed += packedWidth)
        {
            for (int i = 0; i < 8; i++) packed[i] = source[(i * stride) + k];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourColumns(float* source, nint stride, int depth, float* packed, nint packedWidth)
    {
        float* s0 = source, s1 = source + stride, s2 = source + (2 * stride), s3 = source + (3 * stride);
        int k = 0;
        for (; k <= depth - 4; k += 4)
        {
            Vector128<float> r0 = Vector128.Load(s0 + k);
            Vector128<float> r1 = Vector128.Load(s1 + k);
            Vector128<float> r2 = Vector128.Load(s2 + k);
            Vector128<float> r3 = Vector128.Load(s3 + k);
            Vector128<float> even = ZipLow(r0, r2), odd = ZipLow(r1, r3), evenHigh = ZipHigh(r0, r2), oddHigh = ZipHigh(r1, r3);
            ZipLow(even, odd).Store(packed);
            ZipHigh(even, odd).Store(packed + packedWidth);
            ZipLow(evenHigh, oddHigh).Store(packed + (2 * packedWidth));
            ZipHigh(evenHigh, oddHigh).Store(packed + (3 * packedWidth));
            packed += 4 * packedWidth;
        }
        for (; k < depth; k++, packed += packedWidth)
        {
            packed[0] = s0[k];
            packed[1] = s1[k];
            packed[2] = s2[k];
            packed[3] = s3[k];
        }
    }

    /// <summary>Interleaves the low halves of two vectors.</summary>
    /// <param name="x">Gives the even elements.</param>
    /// <param name="y">Gives the odd elements.</param>
    /// <returns>The interleaved elements.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> ZipLow(Vector128<float> x, Vector128<float> y)
    {
        if (Sse.IsSupported) return Sse.UnpackLow(x, y);
        if (AdvSimd.Arm64.IsSupported) return AdvSimd.Arm64.ZipLow(x, y);
        return Vector128.Create(x[0], y[0], x[1], y[1]);
    }

    /// <summary>Interleaves the high halves of two vectors.</summary>
    /// <param name="x">Gives the even elements.</param>
    /// <param name="y">Gives the odd elements.</param>
    /// <returns>The interleaved elements.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> ZipHigh(Vector128<float> x, Vector128<float> y)
    {
        if (Sse.IsSupported) return Sse.UnpackHigh(x, y);
        if (AdvSimd.Arm64.IsSupported) return AdvSimd.Arm64.ZipHigh(x, y);
        return Vector128.Create(x[2], y[2], x[3], y[3]);
    }
}
