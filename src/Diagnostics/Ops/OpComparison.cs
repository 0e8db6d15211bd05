using System.Globalization;
using Gradpath.Kernels;

namespace Gradpath.Diagnostics.Ops;

/// <summary>Runs an op on two devices, twice on the one under test, and compares everything that it could have touched.</summary>
internal static class OpComparison
{
    /// <summary>Below this the largest value of an operand is no measure of its rounding: what is left is what cancelled.</summary>
    private const double LeastScale = 1e-2;

    /// <summary>
    /// The most by which rounding both factors of every product changes a sum of them, relative to the sum of their magnitudes.
    /// </summary>
    /// <param name="precision">What factors are rounded to.</param>
    /// <returns>
    /// 2^-10 (and 2^-22) for TF32's 11 significant bits, 2^-7 (and 2^-16) for bfloat16's 8; 0 where factors stay as they are.
    /// </returns>
    public static double FactorRounding(MatrixPrecision precision) => precision switch
    {
        MatrixPrecision.Tf32 => Math.ScaleB(1, -10) + Math.ScaleB(1, -22),
        MatrixPrecision.BFloat16 => Math.ScaleB(1, -7) + Math.ScaleB(1, -16),
        _ => 0,
    };

    /// <summary>Compares two devices.</summary>
    /// <param name="check">The op.</param>
    /// <param name="reference">The device that is trusted.</param>
    /// <param name="device">The device under test.</param>
    /// <param name="seeds">The cases.</param>
    /// <param name="precision">What the device under test rounds factors to here; null for what it always does.</param>
    /// <returns>The largest error and the first fault.</returns>
    public static OpOutcome Run(
        OpCheck check, Device reference, Device device, IEnumerable<int> seeds, MatrixPrecision? precision = null)
    {
        double largest = 0;
        string? fault = null;
        int cases = 0;
        MatrixPrecision factors = precision ?? device.Precision;
        bool rounds = check.Magnitudes is not null && factors != MatrixPrecision.Float32;
        double allowed = check.Allowed + (rounds ? FactorRounding(factors) : 0);
        foreach (int seed in seeds)
        {
            cases++;
            double[][] expected = check.Run(reference, seed);
            double[][] actual = check.Run(device, seed);
            double[][] again = check.Run(device, seed);
            fault ??= Repeats(actual, again, seed);
            (double error, string? place) = Compare(expected, actual, rounds ? check.Magnitudes!(reference, seed) : null);
            largest = Math.Max(largest, error);
            if (error > allowed) fault ??= $"seed {seed}: {place}";
        }
        return new OpOutcome(check, cases, allowed, largest, fault);
    }

    /// <summary>The largest difference of any operand relative to the operand's largest value, and where it is.</summary>
    /// <param name="expected">The operands of the trusted device.</param>
    /// <param name="actual">The operands of the device under test.</param>
    /// <param name="magnitudes">
    /// What each element's difference is relative to, in place of its operand's largest value; null for that.
    /// </param>
    /// <returns>The error, and the element in words where there is one.</returns>
    public static (double Error, string? Place) Compare(double[][] expected, double[][] actual, double[][]? magnitudes = null)
    {
        double worst = 0;
        string? place = null;
        for (int k = 0; k < expected.Length; k++)
        {
            double scale = LeastScale;
            foreach (double value in expected[k])
            {
                if (double.IsFinite(value) && value != OpOperands.Poison) scale = Math.Max(scale, Math.Abs(value));
            }
            for (int i = 0; i < expected[k].Length; i++)
            {
                double e = expected[k][i], a = actual[k][i];
                if (e.Equals(a)) continue;
                double error = e == OpOperands.Poison || a == OpOperands.Poison
                    ? double.PositiveInfinity
                    : Math.Abs(e - a) / (magnitudes?[k][i] ?? scale);
                if (double.IsNaN(error)) error = double.PositiveInfinity;
                if (error <= worst) continue;
                worst = error;
                place = string.Create(
                    CultureInfo.InvariantCulture, $"operand {k}, element {i} of {expected[k].Length}: {Name(a)} instead of {Name(e)}");
            }
        }
        return (worst, place);
    }

    private static string? Repeats(double[][] first, double[][] second, int seed)
    {
        for (int k = 0; k < first.Length; k++)
        {
            for (int i = 0; i < first[k].Length; i++)
            {
                if (BitConverter.DoubleToInt64Bits(first[k][i]) == BitConverter.DoubleToInt64Bits(second[k][i])) continue;
                return string.Create(
                    CultureInfo.InvariantCulture,
                    $"seed {seed}: operand {k}, element {i} is {first[k][i]:R} in one run and {second[k][i]:R} in the next");
            }
        }
        return null;
    }

    private static string Name(double value) =>
        value == OpOperands.Poison ? "untouched" : value.ToString("G9", CultureInfo.InvariantCulture);
}
