using Gradpath.Kernels;

namespace Gradpath.Diagnostics.SelfTest;

/// <summary>A method in one or several variants, for comparing devices.</summary>
/// <param name="Name">The method.</param>
/// <param name="Allowed">Largest difference between devices, relative to the largest score or metric.</param>
/// <param name="Variants">Each runs one variant and gives back all that comes out.</param>
internal sealed record MethodCheck(string Name, double Allowed, IReadOnlyList<Func<SelfTestModel, double[][]>> Variants)
{
    /// <summary>How much more is allowed where the factors of products are rounded, in units of <see cref="RoundedFactors"/>.</summary>
    public double Rounded { get; init; } = RoundedFactors.Chain;

    /// <summary>What is allowed on a device.</summary>
    /// <param name="precision">What it rounds factors to.</param>
    public double AllowedAt(MatrixPrecision precision) => Allowed + RoundedFactors.Allowed(precision, Rounded);
}
