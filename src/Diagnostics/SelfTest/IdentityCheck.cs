using Gradpath.Kernels;

namespace Gradpath.Diagnostics.SelfTest;

/// <summary>One thing that must hold.</summary>
/// <param name="Name">The identity in words.</param>
/// <param name="Allowed">The largest error, relative to the largest value, that rounding or the step width explains.</param>
/// <param name="Measure">Computes the error.</param>
internal sealed record IdentityCheck(string Name, double Allowed, Func<SelfTestModel, double> Measure)
{
    /// <summary>How much more is allowed where the factors of products are rounded, in units of <see cref="RoundedFactors"/>.</summary>
    public double Rounded { get; init; } = Allowed == 0 ? 0 : RoundedFactors.Chain;

    /// <summary>What is allowed on a device.</summary>
    /// <param name="precision">What it rounds factors to.</param>
    public double AllowedAt(MatrixPrecision precision) => Allowed + RoundedFactors.Allowed(precision, Rounded);
}
