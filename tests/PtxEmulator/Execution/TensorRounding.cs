namespace Gradpath.PtxEmulator.Execution;

/// <summary>
/// How a tensor core adds: the exact products of a group of k's and the sum so far are aligned to the largest of their exponents, cut off
/// so many fraction bits below it, added, and cut to f32 toward zero. An exponent of a product is that of its factors, one less than its
/// own where the product carries.
/// </summary>
/// <param name="FractionBits">Bits kept below the largest exponent; f32 has 23.</param>
/// <param name="Tf32Group">k's of a group of tf32.</param>
/// <param name="HalfGroup">k's of a group of bf16 and f16.</param>
internal sealed record TensorRounding(int FractionBits, int Tf32Group, int HalfGroup)
{
    /// <summary>Compute capability 8: one bit beyond f32's. The least of the GPUs that the kernels run on.</summary>
    public static TensorRounding Ampere { get; } = new(24, 4, 8);

    /// <summary>Compute capability 9 and 10: two bits beyond f32's, in groups twice as long.</summary>
    public static TensorRounding Hopper { get; } = new(25, 8, 16);

    /// <summary>Adds the products of a row of A and one column of B to a sum.</summary>
    /// <param name="a">The row.</param>
    /// <param name="b">The column's first element.</param>
    /// <param name="stride">Distance of its elements.</param>
    /// <param name="c">The sum so far.</param>
    /// <param name="depth">Number of k's.</param>
    /// <param name="group">k's of a group.</param>
    /// <param name="leastExponent">That of the factors' smallest normal number, which subnormal ones have too.</param>
    public unsafe double Add(double* a, double* b, int stride, double c, int depth, int group, int leastExponent)
    {
        for (int start = 0; start < depth; start += group)
        {
            int end = Math.Min(depth, start + group), largest = Exponent(c, -126);
            double plain = c;
            for (int k = start; k < end; k++)
            {
                double x = a[k], y = b[k * stride];
                plain += x * y;
                if (x != 0 && y != 0) largest = Math.Max(largest, Exponent(x, leastExponent) + Exponent(y, leastExponent));
            }
            if (!double.IsFinite(plain))
            {
                c = plain;
                continue;
            }
            double scale = Power(FractionBits - largest);
            long sum = (long)(c * scale);
            for (int k = start; k < end; k++) sum += (long)(a[k] * b[k * stride] * scale);
            c = Cut(sum * Power(largest - FractionBits));
        }
        return c;
    }

    private static int Exponent(double value, int least) =>
        value == 0 ? -300 : Math.Max(least, (int)(BitConverter.DoubleToInt64Bits(value) >> 52 & 0x7FF) - 1023);

    private static double Power(int exponent) => BitConverter.Int64BitsToDouble((long)(exponent + 1023) << 52);

    private static double Cut(double value) => Math.Abs(value) < 1.1754943508222875e-38
        ? Compile.Rounded.Zero(value, 0)
        : BitConverter.Int64BitsToDouble(BitConverter.DoubleToInt64Bits(value) & ~0x1FFFFFFFL);
}
