using Gradpath.Kernels;

namespace Gradpath.Diagnostics.SelfTest;

/// <summary>
/// What the self-test allows beyond float32's rounding on a device that rounds the factors of matrix products: so many units, the
/// largest relative error of a rounded factor.
/// </summary>
internal static class RoundedFactors
{
    /// <summary>
    /// A score or a metric: sixteen products in a row make it (four a layer, two layers, forward and backward), each of two rounded
    /// factors, which makes 32 units; sums that cancel, as gradients do, lose about another bit. The emulated GPU shows up to half of it on
    /// the self-test's model.
    /// </summary>
    public const double Chain = 64;

    /// <summary>
    /// Four times that where the method amplifies: a path of five steps, each of which starts from the one before; small differences of two
    /// runs. The emulated GPU shows up to half of it.
    /// </summary>
    public const double Amplified = 256;

    // Beyond that nothing would be tested.
    private const double Most = 0.5;

    /// <summary>What is allowed beyond float32's rounding, relative to the largest value.</summary>
    /// <param name="precision">What factors are rounded to.</param>
    /// <param name="units"><see cref="Chain"/>, <see cref="Amplified"/> or 0.</param>
    public static double Allowed(MatrixPrecision precision, double units) => Math.Min(Most, units * Unit(precision));

    /// <summary>The largest relative error of a rounded factor: half the last place of 11 or 8 significant bits.</summary>
    /// <param name="precision">What factors are rounded to.</param>
    /// <returns>0 where they are not.</returns>
    private static double Unit(MatrixPrecision precision) => precision switch
    {
        MatrixPrecision.Tf32 => Math.ScaleB(1, -11),
        MatrixPrecision.BFloat16 => Math.ScaleB(1, -8),
        _ => 0,
    };
}
