using Gradpath.Kernels;

namespace Gradpath.Diagnostics.Ops;

/// <summary>One way of calling an op.</summary>
/// <param name="Special">What is special about it; empty for the plain call.</param>
/// <param name="Allowed">
/// Largest difference between two devices, relative to the largest value of the operand; 0 where no rounding is free.
/// </param>
/// <param name="Call">Draws the operands.</param>
internal sealed record OpCase(string Special, double Allowed, OpCall Call)
{
    /// <summary>Rounding of a float32 op whose sums are short or end in float64.</summary>
    public const double Rounding = 5e-6;

    /// <summary>
    /// Whether the op multiplies factors that a device may round. What such a device's rounding is measured by is the same call on the
    /// magnitudes of the operands: the sum of |a| |b|.
    /// </summary>
    public bool RoundsFactors { get; init; }

    /// <summary>The check that compares two devices.</summary>
    /// <param name="family">The op's family.</param>
    /// <param name="op">The op.</param>
    /// <returns>The check.</returns>
    public OpCheck Check(string family, string op) =>
        new(family, Special.Length == 0 ? op : $"{op}, {Special}", Allowed, (device, seed) => Run(device, seed, magnitudes: false))
        {
            Magnitudes = RoundsFactors ? (device, seed) => Run(device, seed, magnitudes: true) : null,
        };

    private double[][] Run(Device device, int seed, bool magnitudes)
    {
        using OpOperands operands = new(device, seed, magnitudes);
        Call(operands).Compile(preferInterpretation: true)(device);
        return operands.All();
    }
}
