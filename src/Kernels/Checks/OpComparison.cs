using System.Globalization;

namespace Gradpath.Kernels.Checks;

/// <summary>What the comparison of one op on two devices found.</summary>
/// <param name="Check">The op.</param>
/// <param name="Cases">Number of seeds that were run.</param>
/// <param name="LargestError">Largest relative difference; infinite where a number is none or a guard was written.</param>
/// <param name="Fault">What went wrong first, or null.</param>
internal sealed record OpOutcome(OpCheck Check, int Cases, double LargestError, string? Fault)
{
    /// <summary>Whether the devices agree.</summary>
    public bool Passed => Fault is null;
}

/// <summary>Runs an op on two devices, twice on the one under test, and compares everything that it could have touched.</summary>
internal static class OpComparison
{
    /// <summary>Below this the largest value of an operand is no measure of its rounding: what is left is what cancelled.</summary>
    private const double LeastScale = 1e-2;

    /// <summary>Compares two devices.</summary>
    /// <param name="check">The op.</param>
    /// <param name="reference">The device that is trusted.</param>
    /// <param name="device">The device under test.</param>
    /// <param name="seeds">The cases.</param>
    /// <returns>The largest error and the first fault.</returns>
    public static OpOutcome Run(OpCheck check, Device reference, Device device, IEnumerable<int> seeds)
    {
        double largest = 0;
        string? fault = null;
        int cases = 0;
        foreach (int seed in seeds)
        {
            cases++;
            double[][] expected = check.Run(reference, seed);
            double[][] actual = check.Run(device, seed);
            double[][] again = check.Run(device, seed);
            fault ??= Repeats(actual, again, seed);
            (double error, string? place) = Compare(expected, actual);
            largest = Math.Max(largest, error);
            if (error > check.Allowed) fault ??= $"seed {seed}: {place}";
        }
        return new OpOutcome(check, cases, largest, fault);
    }

    /// <summary>The largest difference of any operand relative to the operand's largest value, and where it is.</summary>
    /// <param name="expected">The operands of the trusted device.</param>
    /// <param name="actual">The operands of the device under test.</param>
    /// <returns>The error, and the element in words where there is one.</returns>
    public static (double Error, string? Place) Compare(double[][] expected, double[][] actual)
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
                double error = e == OpOperands.Poison || a == OpOperands.Poison ? double.PositiveInfinity : Math.Abs(e - a) / scale;
                if (double.IsNaN(error)) error = double.PositiveInfinity;
                if (error <= worst) continue;
                worst = error;
                place = string.Create(CultureInfo.InvariantCulture, $"operand {k}, element {i} of {expected[k].Length}: {Name(a)} instead of {Name(e)}");
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
                return string.Create(CultureInfo.InvariantCulture, $"seed {seed}: operand {k}, element {i} is {first[k][i]:R} in one run and {second[k][i]:R} in the next");
            }
        }
        return null;
    }

    private static string Name(double value) => value == OpOperands.Poison ? "untouched" : value.ToString("G9", CultureInfo.InvariantCulture);
}
