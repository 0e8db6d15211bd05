using System.Globalization;
using Gradpath.Kernels.Cuda;
using Gradpath.Kernels.Tests;
using Gradpath.PtxEmulator;
using Gradpath.PtxEmulator.Execution;
using Xunit.Abstractions;

namespace Gradpath.Cuda.Tests;

/// <summary>
/// Three products of halves on the emulated GPU, by mma.sync and with a packed factor by wgmma: how much they err on factors that are hard
/// for them, beside three products of TF32 and one float32 multiply-add per k, and what becomes of numbers at the ends of the range.
/// </summary>
public sealed class HalfSplitTests(ITestOutputHelper output)
{
    private const double Unit = 1.0 / (1 << 24);
    private const int M = 64, N = 64, K = 768, Step = 32;

    private static readonly Lazy<string[]> s_page = new(
        () => File.ReadAllLines(Path.Combine(RepositoryFiles.Root, "perf/KERNELS.md")));

    // Beside the half 1 its rest lies half way between two halves and loses 2^-23; the product of two rests is 2^-22.
    private static readonly float s_worst = 1 + (1f / (1 << 11)) - (3f / (1 << 23));

    /// <summary>How tensor cores add: by the emulator's own rule, or as real ones do.</summary>
    public static TheoryData<string> Generations => ["plain", "Ampere", "Hopper"];

    /// <summary>
    /// Every kind of factors, within the bound that the kernels' header states and that adding in float32 gives: of sum |x y| 2^-21 by the
    /// split and a bit for each cut of a step's sums and for each step, and 2^-37 of what the largest factors would make.
    /// </summary>
    [Theory]
    [MemberData(nameof(Generations))]
    public void Errors_stay_within_the_stated_bound(string generation)
    {
        foreach ((string kind, _) in s_kinds)
        {
            (float[] a, float[] b) = Factors(kind);
            double[] exact = GemmTests.Product(Numbers.Wide(a), Numbers.Wide(b), M, N, K);
            double[] sizes = GemmTests.Product(Magnitudes(a), Magnitudes(b), M, N, K);
            double[] floors = Floors(a, b);
            foreach (GemmTile tile in (GemmTile[])[Tile(GemmArithmetic.Fp16x3), GemmTile.Packed])
            {
                float[] result = Multiply(tile, a, b, generation);
                double worst = 0;
                for (int i = 0; i < result.Length; i++)
                {
                    // A step's sum is cut at most twelve times, and then added once. A result has float32's own last bit.
                    double bound = ((8 + 24 + (K / Step)) * Unit * sizes[i]) + (floors[i] * Math.Pow(2, -37)) + (float.Epsilon / 2);
                    double error = Math.Abs(result[i] - exact[i]);
                    Assert.True(error <= bound, $"{kind}: element {i} is {result[i]:R}, not {exact[i]:R}: {error / bound:F2} of the bound");
                    worst = Math.Max(worst, error / bound);
                }
                output.WriteLine($"{tile.Name}, {kind}: largest error {worst:F3} of the bound");
            }
        }
    }

    /// <summary>
    /// Errors over sum |x y|, root mean square and largest, in units of 2^-24: where a row's factors are of like magnitude, no more than
    /// float32's own. <c>perf/KERNELS.md</c> has the table that this prints of Hopper.
    /// </summary>
    [Theory]
    [MemberData(nameof(Generations))]
    public void Errors_beside_those_of_the_other_arithmetics(string generation)
    {
        List<string> worse = [], table = [];
        foreach ((string kind, bool asGood) in s_kinds)
        {
            (float[] a, float[] b) = Factors(kind);
            double[] exact = GemmTests.Product(Numbers.Wide(a), Numbers.Wide(b), M, N, K);
            double[] sizes = GemmTests.Product(Magnitudes(a), Magnitudes(b), M, N, K);
            (double Root, double Largest)[] errors =
            [
                .. s_compared.Select(tile =>
                {
                    float[] result = Multiply(tile, a, b, generation);
                    double[] each = [.. result.Select((v, i) => (v - exact[i]) / sizes[i] / Unit)];
                    return (Math.Sqrt(each.Average(e => e * e)), each.Max(Math.Abs));
                }),
            ];
            table.Add($"| {kind} | {string.Join(" | ", errors.Select(e => $"{Digits(e.Root)}, {Digits(e.Largest)}"))} |");
            double root = Math.Max(errors[0].Root, errors[1].Root);
            if (asGood && root > Math.Max(errors[3].Root, 0.5)) worse.Add($"{kind}: {root:G3} for {errors[3].Root:G3}");
        }
        output.WriteLine(string.Join('\n', table));
        Assert.Empty(worse);
        if (generation == "Hopper") Assert.Empty(table.Except(s_page.Value));

        static string Digits(double value) => value.ToString("G3", CultureInfo.InvariantCulture);
    }

    /// <summary>The bound of the split, 2^-21, is what the worst factor costs: everything left out has one sign.</summary>
    [Fact]
    public void The_worst_factor_errs_by_the_bound()
    {
        float[] a = [.. Enumerable.Repeat(s_worst, 16 * Step)], b = [.. Enumerable.Repeat(s_worst, Step * 8)];
        double exact = Step * (double)s_worst * s_worst;
        foreach (GemmTile tile in (GemmTile[])[Tile(GemmArithmetic.Fp16x3), GemmTile.Packed])
        {
            float[] result = GemmTests.Multiply(tile, a, b, 16, 8, Step, transposedB: true);
            Assert.All(result, v => Assert.InRange((exact - v) / exact / Unit, 6, 8 + 1));
        }
    }

    /// <summary>Where a step brings larger numbers than those before, sums that are there already go on in another unit.</summary>
    [Theory]
    [InlineData(1e-30f, 1e30f)]
    [InlineData(1e30f, 1e-30f)]
    [InlineData(1e-42f, 1e-5f)]
    [InlineData(0, 1e-30f)]
    [InlineData(1e-38f, 3e38f)]
    public void Magnitudes_that_rise_and_fall_from_step_to_step(float first, float second)
    {
        foreach (GemmTile tile in GemmTile.Of(GemmArithmetic.Fp16x3, packed: true).ToArray())
        {
            foreach (bool transposed in (bool[])[false, true])
            {
                const int steps = 6, k = steps * Step, m = 20, n = 24;
                float[] a = Numbers.Draw(1, m * k), b = Numbers.Draw(2, k * n, 0.5, 1);
                for (int i = 0; i < a.Length; i++)
                {
                    int step = i % k / Step;
                    // Rows differ: some rise in the middle, some fall, some stay.
                    a[i] *= (i / k % 3) switch { 0 => step < 3 ? first : second, 1 => step % 2 == 0 ? first : second, _ => 1 };
                }
                float[] result = GemmTests.Multiply(tile, a, b, m, n, k, transposed);
                double[] exact = GemmTests.Product(Numbers.Wide(a), Numbers.Wide(b), m, n, k);
                double[] sizes = GemmTests.Product(Magnitudes(a), Magnitudes(b), m, n, k);
                for (int i = 0; i < result.Length; i++)
                {
                    if (sizes[i] > float.MaxValue) continue;
                    double allowed = (16 * Unit * sizes[i]) + float.Epsilon;
                    Assert.True(Math.Abs(result[i] - exact[i]) <= allowed, $"{tile.Name}: element {i} is {result[i]:R}, not {exact[i]:R}");
                }
            }
        }
    }

    [Theory]
    [InlineData(0x7F800000u)] // infinity
    [InlineData(0xFF800000u)]
    [InlineData(0x7FFFFFFFu)] // the NaN that GPUs make
    [InlineData(0xFFFFFFFFu)]
    [InlineData(0x7FC00000u)] // the NaN that processors make
    [InlineData(0x7F800001u)] // all that says NaN is in bits that no half has
    public void Infinity_and_NaN_make_NaN_of_their_row_and_of_nothing_else(uint bits)
    {
        const int m = 8, n = 12, k = 104, row = 3;
        foreach (GemmTile tile in (GemmTile[])[Tile(GemmArithmetic.Fp16x3), GemmTile.Packed])
        {
            foreach (int place in (int[])[0, 17, 70, 103])
            {
                foreach (bool swapped in (bool[])[false, true])
                {
                    float[] a = Numbers.Draw(1, m * k), b = Numbers.Draw(2, k * n);
                    float[] plain = Product(tile, a, b, swapped);
                    a[(row * k) + place] = BitConverter.UInt32BitsToSingle(bits);
                    float[] result = Product(tile, a, b, swapped);
                    for (int i = 0; i < result.Length; i++)
                    {
                        if ((swapped ? i % m : i / n) == row) Assert.True(float.IsNaN(result[i]));
                        else Assert.Equal(plain[i], result[i]);
                    }
                }
            }
        }

        static float[] Product(GemmTile tile, float[] a, float[] b, bool swapped) => swapped
            ? GemmTests.Multiply(tile, Transposed(b, k, n), Transposed(a, m, k), n, m, k, transposedB: false)
            : GemmTests.Multiply(tile, a, b, m, n, k, transposedB: true);
    }

    /// <summary>Up to the largest number and down to the smallest, factors are multiplied like others.</summary>
    [Theory]
    [InlineData(float.MaxValue, 0.25f)]
    [InlineData(-float.MaxValue, 1f)]
    [InlineData(float.MaxValue, 1e-38f)]
    [InlineData(float.MaxValue, float.Epsilon)]
    [InlineData(float.Epsilon, 1f)]
    [InlineData(float.Epsilon, 8388608f)]
    [InlineData(1e-40f, 1e30f)]
    [InlineData(1e-40f, -3f)]
    [InlineData(1.17549435e-38f, 0.5f)]
    [InlineData(float.MaxValue, 2f)]
    [InlineData(1e-30f, 1e-30f)]
    [InlineData(0f, -1f)]
    public void Single_products_at_the_ends_of_the_range(float x, float y)
    {
        foreach (GemmTile tile in GemmTile.Of(GemmArithmetic.Fp16x3, packed: true).ToArray())
        {
            foreach (bool transposed in (bool[])[false, true])
            {
                float result = GemmTests.Multiply(tile, [x, 0], [y, 0], 1, 1, 2, transposed)[0];
                float expected = (float)((double)x * y);
                if (!float.IsFinite(expected)) Assert.Equal(expected, result);
                else Assert.Equal(expected, (double)result, (Math.Abs((double)x * y) * 4 * Unit) + (float.Epsilon / 2));
            }
        }
    }

    /// <summary>
    /// A step of 32 k of a warp has three mma of 16 k for each tile and half of the step, and no conversion but those that make halves, of
    /// which three serve two factors.
    /// </summary>
    [Theory]
    [InlineData("gemmFp16x3Nn128x128", 96)]
    [InlineData("gemmFp16x3Nt128x128", 96)]
    [InlineData("gemmFp16x3Nn64x64", 48)]
    [InlineData("gemmFp16x3Nt64x64", 48)]
    public void A_step_has_three_products(string kernel, int mma)
    {
        string[] loop = InnerLoops.Of("GemmFp16x3", kernel);
        output.WriteLine($"{kernel}: {loop.Length} instructions with every way to copy, {mma} mma");
        Assert.Equal(mma, loop.Count(i => i.StartsWith("mma.sync", StringComparison.Ordinal)));
        Assert.Equal(32, loop.Count(i => i.StartsWith("cvt.rn.f16x2", StringComparison.Ordinal)));
        Assert.DoesNotContain(loop, i => i.Contains("local", StringComparison.Ordinal));
    }

    private static readonly GemmTile[] s_compared =
        [Tile(GemmArithmetic.Fp16x3), GemmTile.Packed, Tile(GemmArithmetic.Tf32x3), Tile(GemmArithmetic.Ffma)];

    // The kinds, and whether a row's factors are of like magnitude, so that nothing gets lost beside the largest.
    private static readonly (string Kind, bool AsGood)[] s_kinds =
    [
        ("normal", true),
        ("positive", true),
        ("1e-12 times normal", true),
        ("1e-36 times normal by normal", true),
        ("subnormal by 1e10 times normal", true),
        ("an outlier of 1e4 in each row and column", true),
        ("rests that all point one way", false),
        ("exponents over 20 binary orders", true),
        ("exponents over 40 binary orders", false),
        ("large beside small, over 20 binary orders", false),
        ("large beside small, over 40 binary orders", false),
    ];

    private static (float[] A, float[] B) Factors(string kind)
    {
        Random random = new(7);
        float[] a = new float[M * K], b = new float[K * N];
        double[] large = [.. Enumerable.Range(0, K).Select(_ => (double)random.Next(-20, 21))];
        for (int i = 0; i < a.Length; i++) a[i] = (float)Draw(i % K, 1);
        for (int i = 0; i < b.Length; i++) b[i] = (float)Draw(i / N, -1);
        if (kind.StartsWith("an outlier", StringComparison.Ordinal))
        {
            for (int r = 0; r < M; r++) a[(r * K) + random.Next(K)] *= 1e4f;
            for (int c = 0; c < N; c++) b[(random.Next(K) * N) + c] *= 1e4f;
        }
        return (a, b);

        double Draw(int k, int side)
        {
            // The sum of twelve has the variance one.
            double normal = -6;
            for (int i = 0; i < 12; i++) normal += random.NextDouble();
            return kind switch
            {
                "positive" => random.NextDouble(),
                "1e-12 times normal" => 1e-12 * normal,
                "1e-36 times normal by normal" => side > 0 ? 1e-36 * normal : normal,
                "subnormal by 1e10 times normal" => side > 0 ? 1e-39 * normal : 1e10 * normal,
                "rests that all point one way" => s_worst * Math.Pow(2, random.Next(2)),
                "exponents over 20 binary orders" => normal * Math.Pow(2, random.Next(-10, 10)),
                "exponents over 40 binary orders" => normal * Math.Pow(2, random.Next(-20, 20)),
                "large beside small, over 20 binary orders" => normal * Math.Pow(2, side * large[k] / 2),
                "large beside small, over 40 binary orders" => normal * Math.Pow(2, side * large[k]),
                _ => normal,
            };
        }
    }

    // For each element the largest factor of its row times the sum of its column, and the other way round.
    private static double[] Floors(float[] a, float[] b)
    {
        double[] most = new double[M], sum = new double[M], mostDown = new double[N], sumDown = new double[N];
        for (int i = 0; i < a.Length; i++)
        {
            most[i / K] = Math.Max(most[i / K], Math.Abs(a[i]));
            sum[i / K] += Math.Abs(a[i]);
        }
        for (int i = 0; i < b.Length; i++)
        {
            mostDown[i % N] = Math.Max(mostDown[i % N], Math.Abs(b[i]));
            sumDown[i % N] += Math.Abs(b[i]);
        }
        return [.. Enumerable.Range(0, M * N).Select(i => (most[i / N] * sumDown[i % N]) + (mostDown[i % N] * sum[i / N]))];
    }

    private static float[] Multiply(GemmTile tile, float[] a, float[] b, string generation) => GemmTests.Multiply(
        tile, a, b, M, N, K, transposedB: true, new EmulatorOptions
        {
            Races = false,
            TensorCores = generation switch
            {
                "Ampere" => TensorRounding.Ampere,
                "Hopper" => TensorRounding.Hopper,
                _ => null,
            },
        });

    private static GemmTile Tile(GemmArithmetic arithmetic) => GemmTile.Of(arithmetic).ToArray().Single(t => t.Name == "64x64");

    private static double[] Magnitudes(float[] values) => Array.ConvertAll(values, v => (double)Math.Abs(v));

    private static float[] Transposed(float[] values, int rows, int columns) =>
        [.. Enumerable.Range(0, values.Length).Select(i => values[(i % rows * columns) + (i / rows)])];
}
