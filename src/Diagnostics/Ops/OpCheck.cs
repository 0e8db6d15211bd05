using Gradpath.Kernels;

namespace Gradpath.Diagnostics.Ops;

/// <summary>
/// Work on random operands, for comparing a device with another one. Shapes and values depend on the seed alone, so two devices do the
/// same.
/// </summary>
/// <param name="Family">The op's family.</param>
/// <param name="Op">The op's name, and after a comma what is special about the call.</param>
/// <param name="Allowed">
/// Largest difference between two devices, relative to the largest value of the operand; 0 where no rounding is free.
/// </param>
/// <param name="Run">
/// Runs the op once on new operands and gives back every operand, inputs too, with the guard elements around it. Seed 0 makes everything
/// as small as it can be, odd seeds let tensors start at any element; seeds from <see cref="OpCatalog.LargeSeeds"/> on draw larger shapes.
/// </param>
internal sealed record OpCheck(string Family, string Op, double Allowed, Func<Device, int, double[][]> Run)
{
    /// <summary>Of work whose factors a device may round: what such a device's rounding is measured by. Null for other work.</summary>
    public Func<Device, int, double[][]>? Magnitudes { get; init; }
}
