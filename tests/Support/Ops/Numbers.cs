using System.Globalization;

namespace Gradpath.Tests.Support.Ops;

/// <summary>Random operands, comparison with float64 and finite differences.</summary>
internal static class Numbers
{
    /// <summary>float32 numbers around a centre.</summary>
    public static float[] Draw(int seed, int count, double spread = 1, double centre = 0)
    {
        var random = new Random(seed);
        var values = new float[count];
        for (int i = 0; i < count; i++) values[i] = (float)(centre + (spread * ((2 * random.NextDouble()) - 1)));
        return values;
    }

    /// <summary>
    /// Requires every value within a share of the largest expected magnitude (at least 1), and that nothing behind them was written.
    /// </summary>
    public static void Same(double[] expected, double[] actual, double tolerance = 2e-6)
    {
        double largest = expected.Select(Math.Abs).Append(1).Max();
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.True(
                Math.Abs(expected[i] - actual[i]) <= tolerance * largest,
                string.Create(
                    CultureInfo.InvariantCulture, $"element {i} is {actual[i]:R}, expected {expected[i]:R} (largest {largest:G4})"));
        }
        Assert.All(actual[expected.Length..], v => Assert.True(double.IsNaN(v), "an element behind the result was written"));
    }

    public static double[] Wide(float[] values) => Array.ConvertAll(values, v => (double)v);

    /// <summary>The derivative of a function of many numbers by central differences.</summary>
    public static double[] Differentiate(double[] x, Func<double[], double> function, double step = 1e-5)
    {
        var result = new double[x.Length];
        for (int i = 0; i < x.Length; i++)
        {
            double[] up = [.. x];
            double[] down = [.. x];
            up[i] += step;
            down[i] -= step;
            result[i] = (function(up) - function(down)) / (2 * step);
        }
        return result;
    }

    public static double Dot(double[] a, double[] b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++) sum += a[i] * b[i];
        return sum;
    }
}
