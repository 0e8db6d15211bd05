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

    // Each 512-bit vector holds four steps of k of the columns i, i + 4, i + 8 and i + 12; transposing 4 x 4 within its 128-bit quarters
    // then gives sixteen columns of one k in order.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SixteenColumns(float* source, nint stride, int depth, float* packed, nint packedWidth)
    {
        float* s0 = source, s1 = source + stride, s2 = source + (2 * stride), s3 = source + (3 * stride);
        nint four = 4 * stride, eight = 8 * stride, twelve = 12 * stride;
        int k = 0;
        for (; k <= depth - 4; k += 4)
        {
            Vector512<float> r0 = Four(s0, four, eight, twelve), r1 = Four(s1, four, eight, twelve);
            Vector512<float> r2 = Four(s2, four, eight, twelve), r3 = Four(s3, four, eight, twelve);
            Vector512<float> even = Avx512F.UnpackLow(r0, r2), odd = Avx512F.UnpackLow(r1, r3);
            Vector512<float> evenHigh = Avx512F.UnpackHigh(r0, r2), oddHigh = Avx512F.UnpackHigh(r1, r3);
            Avx512F.UnpackLow(even, odd).Store(packed);
            Avx512F.UnpackHigh(even, odd).Store(packed + packedWidth);
            Avx512F.UnpackLow(evenHigh, oddHigh).Store(packed + (2 * packedWidth));
            Avx512F.UnpackHigh(evenHigh, oddHigh).Store(packed + (3 * packedWidth));
            packed += 4 * packedWidth;
            s0 += 4;
            s1 += 4;
            s2 += 4;
            s3 += 4;
        }
        for (; k < depth; k++, packed += packedWidth)
        {
            for (int i = 0; i < 16; i++) packed[i] = source[(i * stride) + k];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Four(float* source, nint four, nint eight, nint twelve) => Vector512.Create(
        Vector256.Create(Vector128.Load(source), Vector128.Load(source + four)),
        Vector256.Create(Vector128.Load(source + eight), Vector128.Load(source + twelve)));

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
            Vector128<float> r0 = Vector128.Load(s0 + k), r1 = Vector128.Load(s1 + k), r2 = Vector128.Load(s2 + k), r3 = Vector128.Load(s3 + k);
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
