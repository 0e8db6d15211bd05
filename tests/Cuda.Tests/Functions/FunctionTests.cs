using System.Reflection;
using System.Runtime.InteropServices;
using Gradpath.Kernels.Cpu;
using Gradpath.Kernels.Cuda.Driver;
using Gradpath.PtxEmulator;

namespace Gradpath.Cuda.Tests.Functions;

/// <summary>
/// The elementary functions of the kernels against float64. They hold no approximate instruction, so a GPU gives the same bits.
/// </summary>
public sealed unsafe class FunctionTests
{
    private const int Threads = 128;
    private const int Points = 40_000;

    [Fact]
    public void The_exponential_is_within_1_1_ulp()
    {
        float[] x = [.. Between(-87, 88.7), .. Between(-1, 1), 0, -0f];
        float[] y = Run("exponentialProbe", x, 1)[0];
        for (int i = 0; i < x.Length; i++) Assert.True(Ulps(Math.Exp(x[i]), y[i]) <= 1.1, $"exp({x[i]:R}) is {y[i]:R}");
        Assert.Equal(1, y[^1]);
    }

    [Fact]
    public void The_exponential_ends_in_zero_and_infinity_and_keeps_what_is_no_number()
    {
        float[] x = [-88, -95, -103, -110, -1e30f, float.NegativeInfinity, 88.8f, 1e30f, float.PositiveInfinity, float.NaN];
        float[] y = Run("exponentialProbe", x, 1)[0];
        for (int i = 0; i < x.Length; i++)
        {
            Assert.Equal(Math.Exp(x[i]) > float.MaxValue ? float.PositiveInfinity : Math.Exp(x[i]), y[i], float.Epsilon);
        }
    }

    [Fact]
    public void The_exponential_below_zero_is_within_1_1_ulp_and_ends_in_zero()
    {
        float[] x = [.. Between(-87, 0), .. Between(-1, 0), -0f, 0];
        float[] y = Run("exponentialBelowZeroProbe", x, 1)[0];
        for (int i = 0; i < x.Length; i++) Assert.True(Ulps(Math.Exp(x[i]), y[i]) <= 1.1, $"exp({x[i]:R}) is {y[i]:R}");
        Assert.Equal([1, 1], y[^2..]);
        float[] ends = Run("exponentialBelowZeroProbe", [-87.01f, -88, -1000, -1e30f, float.NegativeInfinity, float.NaN], 1)[0];
        Assert.Equal([0, 0, 0, 0, 0, float.NaN], ends);
    }

    [Fact]
    public void The_normal_distribution_is_within_7_ulp_in_the_middle_and_in_the_tail()
    {
        float[] x = [.. Between(-12, 12), .. Between(-0.1, 0.1), 0];
        float[][] y = Run("normalPointProbe", x, 2);
        for (int i = 0; i < x.Length; i++)
        {
            Assert.True(Ulps(Cumulative(x[i]), y[0][i]) <= 7, $"the share below {x[i]:R} is {y[0][i]:R}, not {Cumulative(x[i]):R}");
            Assert.True(Ulps(Math.Exp(-0.5 * x[i] * x[i]), y[1][i]) <= 2.3, $"the bell at {x[i]:R} is {y[1][i]:R}");
        }
        Assert.Equal(0.5f, y[0][^1]);
    }

    [Fact]
    public void In_float64_exponential_and_logarithm_are_within_1_1_ulp()
    {
        double[] x = [.. Between(-700, 700).Select(v => v * 1.0000000123), .. Between(-1, 1).Select(v => v * 1.0000000123)];
        double[] e = RunDoubles("exponentialOfDoubleProbe", x);
        for (int i = 0; i < x.Length; i++) Assert.True(Math.Abs(e[i] / Math.Exp(x[i]) - 1) < 1.1 * 2.22e-16, $"exp({x[i]:R}) is {e[i]:R}");
        double[] positive = Array.ConvertAll(x, Math.Exp);
        double[] log = RunDoubles("logarithmOfDoubleProbe", positive);
        for (int i = 0; i < x.Length; i++)
        {
            double expected = Math.Log(positive[i]);
            Assert.True(
                Math.Abs(log[i] - expected) <= 1.1 * 2.22e-16 * Math.Max(1, Math.Abs(expected)),
                $"ln({positive[i]:R}) is {log[i]:R}, not {expected:R}");
        }
        Assert.Equal(
            [0, 0, double.PositiveInfinity, double.NaN],
            RunDoubles("exponentialOfDoubleProbe", [double.NegativeInfinity, -760, 710, double.NaN]));
    }

    // The share of the standard normal distribution below x; the tail by the continued fraction of the complementary error function.
    private static double Cumulative(double x)
    {
        if (x > -3) return 0.5 * (1 + ErrorFunction.Erf(x / Math.Sqrt(2)));
        double fraction = -x;
        for (int n = 80; n >= 1; n--) fraction = -x + (n / fraction);
        return Math.Exp(-0.5 * x * x) / Math.Sqrt(2 * Math.PI) / fraction;
    }

    private static IEnumerable<float> Between(double from, double to) =>
        Enumerable.Range(0, Points).Select(i => (float)(from + ((to - from) * (i + 0.37) / Points)));

    private static double Ulps(double expected, float actual)
    {
        float magnitude = (float)Math.Abs(expected);
        return Math.Abs(actual - expected) / (MathF.BitIncrement(magnitude) - magnitude);
    }

    private static float[][] Run(string kernel, float[] x, int outputs) => Run<float>(kernel, x, outputs);

    private static double[] RunDoubles(string kernel, double[] x) => Run<double>(kernel, x, 1)[0];

    private static T[][] Run<T>(string kernel, T[] x, int outputs)
        where T : unmanaged
    {
        var driver = new EmulatedDriver();
        nint context = driver.CreateContext(0), stream = driver.CreateStream();
        using Stream resource = Assembly.GetExecutingAssembly().GetManifestResourceStream("FunctionProbe.ptx")!;
        byte[] ptx = new byte[resource.Length];
        resource.ReadExactly(ptx);
        nint module = driver.LoadModule("FunctionProbe.ptx", ptx);
        long bytes = (long)x.Length * sizeof(T);
        nint[] memory = [.. Enumerable.Range(0, outputs + 1).Select(_ => driver.Allocate(bytes))];
        fixed (T* from = x) driver.CopyToDevice(memory[0], (nint)from, bytes, stream);
        long[] values = [memory[0], x.Length, .. memory[1..].Select(m => (long)m)];
        fixed (long* first = values)
        {
            long* at = first;
            nint[] arguments = [.. Enumerable.Range(0, values.Length).Select(i => (nint)(at + i))];
            driver.Launch(driver.GetFunction(module, kernel), (x.Length + Threads - 1) / Threads, Threads, 0, stream, arguments);
        }
        var results = new T[outputs][];
        for (int k = 0; k < outputs; k++)
        {
            results[k] = new T[x.Length];
            fixed (T* to = results[k]) driver.CopyToHost((nint)to, memory[k + 1], bytes, stream);
            driver.Synchronize(stream);
        }
        foreach (nint address in memory) driver.Free(address);
        driver.UnloadModule(module);
        driver.DestroyStream(stream);
        driver.ReleaseContext(0, context);
        return results;
    }
}
