using System.Runtime.Intrinsics;

namespace Gradpath.PtxEmulator.Execution;

/// <summary>mma.sync with f32 sums.</summary>
/// <remarks>
/// Of tf32 operands the low 13 bits are ignored. Products are exact. Per k group, four wide for tf32 and eight for bf16 and f16, the
/// products and the sum so far are added exactly (in double) and cut to f32 toward zero, as tensor cores do; k ascends. Tensor cores add
/// less exactly, each generation in a way of its own: that is what <see cref="TensorRounding"/> is for.
/// </remarks>
internal static unsafe class Matrices
{
    private const int Rows = 16, Columns = 8;

    public static void Multiply(string mode, Frame* frames, int frameBytes, TensorRounding? rounding)
    {
        bool tf32 = mode.EndsWith("tf32", StringComparison.Ordinal), half = mode.EndsWith(".f16", StringComparison.Ordinal);
        int depth = mode.StartsWith("m16n8k16", StringComparison.Ordinal)
            ? 16
            : mode.StartsWith("m16n8k8", StringComparison.Ordinal) ? 8 : 4;
        double* a = stackalloc double[Rows * 16], b = stackalloc double[16 * Columns];
        int aWords = tf32 ? depth / 2 : depth / 4, bWords = aWords / 2;
        for (int lane = 0; lane < 32; lane++)
        {
            uint* words = ((Frame*)((byte*)frames + ((long)lane * frameBytes)))->Exchange;
            int group = lane / 4, place = lane % 4;
            for (int w = 0; w < aWords; w++)
            {
                int row = group + (w % 2 * 8);
                if (tf32) a[(row * 16) + place + (w / 2 * 4)] = Tf32(words[w]);
                else Two(words[w], half, a + (row * 16) + (place * 2) + (w / 2 * 8), 1);
            }
            for (int w = 0; w < bWords; w++)
            {
                uint word = words[aWords + w];
                if (tf32) b[((place + (w * 4)) * Columns) + group] = Tf32(word);
                else Two(word, half, b + (((place * 2) + (w * 8)) * Columns) + group, Columns);
            }
        }
        int step = tf32 ? 4 : 8, sums = aWords + bWords;
        double* c = stackalloc double[Rows * Columns];
        for (int lane = 0; lane < 32; lane++)
        {
            float* words = (float*)((Frame*)((byte*)frames + ((long)lane * frameBytes)))->Exchange + sums;
            for (int w = 0; w < 4; w++) c[(((lane / 4) + (w / 2 * 8)) * Columns) + (lane % 4 * 2) + (w % 2)] = words[w];
        }
        int together = tf32 ? rounding?.Tf32Group ?? 0 : rounding?.HalfGroup ?? 0, least = half ? -14 : -126;
        for (int row = 0; row < Rows; row++)
        {
            double* factors = a + (row * 16), to = c + (row * Columns);
            if (rounding is null) Row(factors, b, to, depth, step);
            else for (int n = 0; n < Columns; n++) to[n] = rounding.Add(factors, b + n, Columns, to[n], depth, together, least);
        }
        for (int lane = 0; lane < 32; lane++)
        {
            float* words = (float*)((Frame*)((byte*)frames + ((long)lane * frameBytes)))->Exchange;
            for (int w = 0; w < 4; w++) words[w] = (float)c[(((lane / 4) + (w / 2 * 8)) * Columns) + (lane % 4 * 2) + (w % 2)];
        }
    }

    private static void Row(double* a, double* b, double* c, int depth, int step)
    {
        Vector256<double> low = Vector256.Load(c), high = Vector256.Load(c + 4);
        for (int start = 0; start < depth; start += step)
        {
            for (int k = start; k < start + step; k++)
            {
                Vector256<double> factor = Vector256.Create(a[k]);
                low += factor * Vector256.Load(b + (k * Columns));
                high += factor * Vector256.Load(b + (k * Columns) + 4);
            }
            low = Cut(low);
            high = Cut(high);
        }
        low.Store(c);
        high.Store(c + 4);
    }

    // The fraction bits that f32 has, for numbers in its normal range; NaN and infinity stay.
    private static Vector256<double> Cut(Vector256<double> value) => (value.AsUInt64() & Vector256.Create(~0x1FFFFFFFUL)).AsDouble();

    private static double Tf32(uint bits) => BitConverter.UInt32BitsToSingle(bits & 0xFFFFE000);

    private static void Two(uint word, bool half, double* target, int stride)
    {
        target[0] = half ? (double)BitConverter.UInt16BitsToHalf((ushort)word) : BitConverter.UInt32BitsToSingle(word << 16);
        target[stride] = half
            ? (double)BitConverter.UInt16BitsToHalf((ushort)(word >> 16))
            : BitConverter.UInt32BitsToSingle(word & 0xFFFF0000);
    }
}
