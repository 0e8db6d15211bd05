using Gradpath.Diagnostics.Ops;
using Gradpath.Kernels;
using Gradpath.Kernels.Cuda;
using Gradpath.Kernels.Tests;
using Gradpath.PtxEmulator;
using Gradpath.PtxEmulator.Execution;
using Xunit.Abstractions;

namespace Gradpath.Cuda.Tests;

/// <summary>Products on tensor cores that cut off as real ones do, against the bounds of those that add exactly.</summary>
public sealed class TensorRoundingTests(ITestOutputHelper output)
{
    public static TheoryData<string, int, string> Products
    {
        get
        {
            TheoryData<string, int, string> data = [];
            foreach (string generation in (string[])["Ampere", "Hopper"])
            {
                foreach (MatrixPrecision precision in Enum.GetValues<MatrixPrecision>())
                {
                    foreach (OpCheck check in OpCatalog.Checks.Where(c => Multiplies(c) && (generation == "Ampere" || c.Op == "Gemm")))
                        data.Add(generation, (int)precision, check.Op);
                }
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Products))]
    public void Ops_agree_with_the_processor(string generation, int precision, string op)
    {
        using Kernels.Cpu.CpuDevice reference = new(1);
        using var driver = new EmulatedDriver(Options(generation));
        using CudaDevice device = new(driver, 0, new CudaOptions { Precision = (MatrixPrecision)precision, TensorCores = true });
        OpOutcome outcome = OpComparison.Run(OpCatalog.Checks.Single(c => c.Op == op), reference, device, OpCatalog.Seeds(3, 0));
        Assert.True(outcome.Passed, $"{outcome.Fault} (largest error {outcome.LargestError:G3}, allowed {outcome.Allowed:G3})");
    }

    /// <summary>Every tile of a single product of tensor cores, with factors that they read as they are.</summary>
    [Theory]
    [InlineData("Ampere", (int)GemmArithmetic.Tf32)]
    [InlineData("Ampere", (int)GemmArithmetic.Bf16)]
    [InlineData("Ampere", (int)GemmArithmetic.Tf32x3)]
    [InlineData("Ampere", (int)GemmArithmetic.Fp16x3)]
    [InlineData("Hopper", (int)GemmArithmetic.Tf32)]
    [InlineData("Hopper", (int)GemmArithmetic.Bf16)]
    [InlineData("Hopper", (int)GemmArithmetic.Tf32x3)]
    [InlineData("Hopper", (int)GemmArithmetic.Fp16x3)]
    public void Sums_err_by_their_cuts_alone(string generation, int arithmetic)
    {
        const int m = 24, n = 16, k = 192;
        float[] a = [.. Numbers.Draw(1, m * k).Select(Short)], b = [.. Numbers.Draw(2, k * n).Select(Short)];
        double[] exact = GemmTests.Product(Numbers.Wide(a), Numbers.Wide(b), m, n, k);
        double[] sizes = GemmTests.Product(Magnitudes(a), Magnitudes(b), m, n, k);
        foreach (GemmTile tile in GemmTile.Of((GemmArithmetic)arithmetic).ToArray())
        {
            float[] plain = GemmTests.Multiply(tile, a, b, m, n, k, transposedB: true, new EmulatorOptions { Races = false });
            float[] cut = GemmTests.Multiply(tile, a, b, m, n, k, transposedB: true, Options(generation));
            (double worse, double better) = (Largest(cut), Largest(plain));
            output.WriteLine($"{tile.Name}: {worse:G3} of sum |a b| in place of {better:G3}");
            Assert.NotEqual(plain, cut);
            // Each group cuts its sum and each of its terms.
            Assert.InRange(worse, 0, k * Math.Pow(2, -23));
        }

        double Largest(float[] result) => result.Select((v, i) => Math.Abs(v - exact[i]) / sizes[i]).Max();
    }

    /// <summary>
    /// Three products against float32 on the ordinary units, which the option promises to be no better: root mean square over sum |a b|.
    /// </summary>
    [Theory]
    [InlineData("Ampere", 1.0, 0.0)]
    [InlineData("Ampere", 0.5, 0.5)]
    [InlineData("Ampere", 1e-12, 0.0)]
    [InlineData("Hopper", 1.0, 0.0)]
    [InlineData("Hopper", 0.5, 0.5)]
    public void Three_products_err_no_more_than_float32(string generation, double spread, double centre)
    {
        const int m = 32, n = 32, k = 768;
        float[] a = Numbers.Draw(3, m * k, spread, centre), b = Numbers.Draw(4, k * n, spread, centre);
        double[] exact = GemmTests.Product(Numbers.Wide(a), Numbers.Wide(b), m, n, k);
        double[] sizes = GemmTests.Product(Magnitudes(a), Magnitudes(b), m, n, k);
        double ordinary = Root(GemmArithmetic.Ffma);
        foreach (GemmArithmetic arithmetic in (GemmArithmetic[])[GemmArithmetic.Tf32x3, GemmArithmetic.Fp16x3])
        {
            double split = Root(arithmetic);
            output.WriteLine($"{arithmetic}: root mean square {split:G3} of sum |a b|, of float32 {ordinary:G3}");
            Assert.True(split <= ordinary, $"{arithmetic}: {split:G3}, of float32 {ordinary:G3}");
        }

        double Root(GemmArithmetic arithmetic)
        {
            float[] result = GemmTests.Multiply(GemmTile.Of(arithmetic)[2], a, b, m, n, k, transposedB: true, Options(generation));
            return Math.Sqrt(result.Select((v, i) => Math.Pow((v - exact[i]) / sizes[i], 2)).Average());
        }
    }

    private static bool Multiplies(OpCheck check) =>
        check.Magnitudes is not null || check.Op.Contains("Contract", StringComparison.Ordinal);

    private static EmulatorOptions Options(string generation) => new()
    {
        Races = false,
        HostThreads = 1,
        TensorCores = generation == "Ampere" ? TensorRounding.Ampere : TensorRounding.Hopper,
    };

    // Eight significant bits, which every arithmetic reads.
    private static float Short(float value) => BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(value) & 0xFFFF0000);

    private static double[] Magnitudes(float[] values) => Array.ConvertAll(values, v => (double)Math.Abs(v));
}
