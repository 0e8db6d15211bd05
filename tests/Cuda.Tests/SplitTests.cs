using Gradpath.Kernels.Cuda;
using Gradpath.Kernels.Tests;
using Gradpath.PtxEmulator;
using Gradpath.PtxEmulator.Execution;
using Xunit.Abstractions;

namespace Gradpath.Cuda.Tests;

/// <summary>
/// Three products of TF32 on the emulated GPU, whose tensor cores read 19 bits of a factor: how a float is cut in two, what of it gets
/// lost, and what becomes of numbers at the end of the range.
/// </summary>
public class SplitTests(ITestOutputHelper output)
{
    private const double Unit = 1.0 / (1 << 24);

    // Twelve ones behind those that the large part keeps: half of the last of them does not reach the tensor core.
    private static readonly float s_worst = BitConverter.UInt32BitsToSingle(0x3F800FFF);

    /// <summary>Beside a factor of one the parts are added without rounding, so what is missing is what was not read of the rest.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_factor_beside_one_loses_less_than_its_last_bit_and_has_no_bias(bool right)
    {
        const int side = 64;
        float[] one = new float[side * side];
        for (int i = 0; i < side; i++) one[i * (side + 1)] = 1;
        float[] values = Numbers.Draw(5, side * side, 0.5, 0.5);
        values[0] = s_worst;
        double mean = 0, largest = 0;
        float[] result = Multiply(Tile, right ? one : values, right ? values : one, side, side, side, transposedB: false);
        for (int i = 0; i < result.Length; i++)
        {
            double error = ((double)result[i] - values[i]) / values[i];
            Assert.InRange(error, -2 * Unit, 2 * Unit);
            mean += error / result.Length;
            largest = Math.Max(largest, Math.Abs(error));
        }
        output.WriteLine($"mean {mean / Unit:F4}, largest {largest / Unit:F4} of 2^-24");
        Assert.InRange(mean / Unit, -0.02, 0.02);
        Assert.True(result[0] != values[0], "the rest of the worst factor was read to its last bit");
    }

    /// <summary>Errors over sum |x y|, in units of 2^-24, as the page of the kernels states them.</summary>
    [Theory]
    [InlineData("normal", 0.3, 2)]
    [InlineData("positive", 3, 12)]
    [InlineData("exponents over 40 binary orders", 4, 16)]
    [InlineData("1e-12 times normal", 0.3, 2)]
    public void Products_of_768_terms_err_within_the_stated_bound(string kind, double mostRoot, double mostLargest)
    {
        const int m = 64, n = 64, k = 768;
        float[] a = Factors(kind, 7, m * k), b = Factors(kind, 8, k * n);
        double[] exact = GemmTests.Product(Numbers.Wide(a), Numbers.Wide(b), m, n, k);
        double[] sizes = GemmTests.Product(Magnitudes(a), Magnitudes(b), m, n, k);
        float[] result = Multiply(Tile, a, b, m, n, k, transposedB: true);
        double[] errors = [.. result.Select((v, i) => (v - exact[i]) / sizes[i] / Unit)];
        double root = Math.Sqrt(errors.Average(e => e * e)), largest = errors.Max(Math.Abs), mean = errors.Average();
        output.WriteLine($"{kind}: root mean square {root:F3}, largest {largest:F3}, mean {mean:F4} of 2^-24 sum |x y|");
        Assert.InRange(root, 0, mostRoot);
        Assert.InRange(largest, 0, mostLargest);
        if (kind != "positive") Assert.InRange(mean, -0.05 * mostRoot, 0.05 * mostRoot);
    }

    /// <summary>The bound of the header, 2^-21, is what the worst factor costs: everything left out has one sign.</summary>
    [Fact]
    public void The_worst_factor_errs_by_the_bound()
    {
        const int m = 16, n = 8, k = 4;
        float[] a = [.. Enumerable.Repeat(s_worst, m * k)], b = [.. Enumerable.Repeat(s_worst, k * n)];
        double exact = k * (double)s_worst * s_worst;
        float[] result = Multiply(Tile, a, b, m, n, k, transposedB: true);
        Assert.All(result, v => Assert.InRange((exact - v) / exact / Unit, 6, 8 + 1));
    }

    [Theory]
    [InlineData(0x7F800000u)] // infinity
    [InlineData(0xFF800000u)]
    [InlineData(0x7FFFFFFFu)] // the NaN that GPUs make, which rounds up to -0
    [InlineData(0xFFFFFFFFu)]
    [InlineData(0x7FC00000u)] // the NaN that processors make
    [InlineData(0x7F800001u)] // all that says NaN is in bits that tensor cores do not read
    [InlineData(0x7F7FF000u)] // rounds up to infinity
    [InlineData(0xFF7FFFFFu)]
    public void Numbers_beyond_the_range_make_NaN_of_their_row_and_of_nothing_else(uint bits)
    {
        const int m = 8, n = 12, k = 40, row = 3;
        float[] a = Numbers.Draw(1, m * k), b = Numbers.Draw(2, k * n);
        a[(row * k) + 17] = BitConverter.UInt32BitsToSingle(bits);
        foreach (bool swapped in (bool[])[false, true])
        {
            float[] result = swapped
                ? Multiply(Tile, Transposed(b, k, n), Transposed(a, m, k), n, m, k, transposedB: false)
                : Multiply(Tile, a, b, m, n, k, transposedB: true);
            for (int i = 0; i < result.Length; i++)
            {
                Assert.Equal((swapped ? i % m : i / n) == row, float.IsNaN(result[i]));
                Assert.False(float.IsInfinity(result[i]));
            }
        }
    }

    /// <summary>One product of TF32 keeps infinity, and every NaN but the one of all ones with its sign set.</summary>
    [Theory]
    [InlineData(0x7F800000u, float.PositiveInfinity)]
    [InlineData(0xFF800000u, float.NegativeInfinity)]
    [InlineData(0x7F7FF000u, float.PositiveInfinity)]
    [InlineData(0xFF7FFFFFu, float.NegativeInfinity)]
    [InlineData(0x7F7FEFFFu, 3.4011621E+38f)]
    [InlineData(0x7FFFFFFFu, float.NaN)]
    [InlineData(0x7FFFF000u, float.NaN)]
    [InlineData(0x7FC00000u, float.NaN)]
    [InlineData(0xFFC00000u, float.NaN)]
    [InlineData(0xFFFFEFFFu, float.NaN)]
    [InlineData(0xFFFFFFFFu, 0)]
    public void Numbers_beyond_the_range_in_one_product(uint bits, float expected)
    {
        float value = BitConverter.UInt32BitsToSingle(bits);
        foreach (GemmTile tile in GemmTile.Of(GemmArithmetic.Tf32).ToArray())
        {
            foreach (bool transposed in (bool[])[false, true])
            {
                Assert.Equal(expected, Multiply(tile, [value, 0], [1, 1], 1, 1, 2, transposed)[0]);
                Assert.Equal(expected, Multiply(tile, [1, 1], [value, 0], 1, 1, 2, transposed)[0]);
            }
        }
    }

    /// <summary>A tie goes away from zero, and the last bit that stays takes the carry.</summary>
    [Fact]
    public void One_product_rounds_to_nearest()
    {
        uint[] given = [0x3F800FFF, 0x3F801000, 0x3F803000, 0xBF801000, 0x3FFFF000, 0x00001000];
        uint[] rounded = [0x3F800000, 0x3F802000, 0x3F804000, 0xBF802000, 0x40000000, 0x00002000];
        float[] values = Array.ConvertAll(given, BitConverter.UInt32BitsToSingle);
        float[] result = Multiply(GemmTile.Of(GemmArithmetic.Tf32)[1], values, [1], values.Length, 1, 1, transposedB: false);
        Assert.Equal(Array.ConvertAll(rounded, BitConverter.UInt32BitsToSingle), result);
    }

    [Fact]
    public void The_largest_number_that_does_not_round_up_is_multiplied()
    {
        float largest = BitConverter.UInt32BitsToSingle(0x7F7FEFFF);
        float[] result = Multiply(Tile, [largest, 0.5f], [0.25f, 0.5f], 1, 1, 2, transposedB: true);
        Assert.Equal(largest * 0.25, result[0], largest * 0.25 * 2 * Unit);
    }

    /// <summary>
    /// What an inner loop of 16 k may have beside its mma: three instructions for each factor that it splits, an addition for each sum,
    /// reads of shared memory and a little addressing. The conversion to TF32, of which assemblers make four, is nowhere.
    /// </summary>
    [Theory]
    [InlineData("GemmTf32x3", "gemmTf32x3Nn128x128", 96, 48, 64)]
    [InlineData("GemmTf32x3", "gemmTf32x3Nt128x128", 96, 48, 64)]
    [InlineData("GemmTf32x3", "gemmTf32x3Nn64x64", 48, 32, 32)]
    [InlineData("GemmTf32x3", "gemmTf32x3Nt64x64", 48, 32, 32)]
    [InlineData("EdgeContraction", "contractEdges80", 60, 48, 40)]
    [InlineData("EdgeContraction", "contractEdges8", 6, 12, 4)]
    public void An_inner_loop_splits_a_factor_by_three_instructions(string file, string kernel, int mma, int factors, int sums)
    {
        string[] loop = InnerLoops.Of(file, kernel);
        int masks = loop.Count(i => i.StartsWith("and.b32", StringComparison.Ordinal));
        output.WriteLine($"{kernel}: {loop.Length} instructions for 16 k, {mma} mma");
        Assert.Equal(mma, loop.Count(i => i.StartsWith("mma.sync", StringComparison.Ordinal)));
        Assert.Equal(factors, masks);
        Assert.DoesNotContain(loop, i => i.StartsWith("cvt.", StringComparison.Ordinal));
        Assert.InRange(loop.Length, mma + (3 * factors) + sums, mma + (3 * factors) + sums + 45);
    }

    /// <summary>How the tensor cores add.</summary>
    private protected virtual TensorRounding? Rounding => null;

    private static GemmTile Tile => GemmTile.Of(GemmArithmetic.Tf32x3)[2];

    private float[] Multiply(GemmTile tile, float[] a, float[] b, int m, int n, int k, bool transposedB) =>
        GemmTests.Multiply(tile, a, b, m, n, k, transposedB, new EmulatorOptions { TensorCores = Rounding, Races = Rounding is null });

    private static double[] Magnitudes(float[] values) => Array.ConvertAll(values, v => (double)Math.Abs(v));

    private static float[] Factors(string kind, int seed, int count)
    {
        Random random = new(seed);
        return
        [
            .. Enumerable.Range(0, count).Select(_ =>
            {
                // The sum of twelve has the variance one.
                double normal = -6;
                for (int i = 0; i < 12; i++) normal += random.NextDouble();
                return (float)(kind switch
                {
                    "positive" => random.NextDouble(),
                    "exponents over 40 binary orders" => normal * Math.Pow(2, random.Next(-20, 20)),
                    "1e-12 times normal" => 1e-12 * normal,
                    _ => normal,
                });
            }),
        ];
    }

    private static float[] Transposed(float[] values, int rows, int columns) =>
        [.. Enumerable.Range(0, values.Length).Select(i => values[(i % rows * columns) + (i / rows)])];
}
