namespace Gradpath.Kernels.Checks;

/// <summary>
/// One op (or one way of calling it) on random operands, for comparing a device with another one. Shapes and values depend on the seed
/// alone, so two devices do the same work.
/// </summary>
/// <param name="Family">The file of <c>Device</c> that declares the op: Rows, Gemm, ...</param>
/// <param name="Op">The method's name, and after a comma what is special about the call.</param>
/// <param name="Allowed">Largest difference between two devices, relative to the largest value of the operand; 0 where no rounding is free.</param>
/// <param name="Run">
/// Runs the op once on new operands and gives back every operand, inputs too, with the guard elements around it. Seed 0 makes everything
/// as small as it can be, odd seeds let tensors start at any element; seeds from <see cref="OpChecks.LargeSeeds"/> on draw larger shapes.
/// </param>
internal sealed record OpCheck(string Family, string Op, double Allowed, Func<Device, int, double[][]> Run)
{
    /// <summary>
    /// Of a matrix product, whose factors a device may round: runs it on the magnitudes of the same operands, which gives what such a device's
    /// rounding is measured by, the sum of |a| |b|. Null for other ops.
    /// </summary>
    public Func<Device, int, double[][]>? Magnitudes { get; init; }

    /// <summary>Name of the method of <see cref="Device"/>.</summary>
    public string Method => Op.Split(',')[0];
}
