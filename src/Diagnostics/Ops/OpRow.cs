using Gradpath.Kernels;

namespace Gradpath.Diagnostics.Ops;

/// <summary>
/// One op: how it is checked, timed and counted. The self-test, the benchmarks, the emulator's survey and the test that hands ops unfit
/// operands all read this row.
/// </summary>
/// <param name="Family">The file of <see cref="Device"/> that declares the op: Rows, Gemm, ...</param>
/// <param name="Name">The method of <see cref="Device"/>.</param>
internal sealed record OpRow(string Family, string Name)
{
    /// <summary>Every way in which it can be called, on random operands.</summary>
    public required IReadOnlyList<OpCase> Cases { get; init; }

    /// <summary>The shapes at which it is timed.</summary>
    public required IReadOnlyList<OpWork> Works { get; init; }

    /// <summary>The kernels that it alone launches; empty where others' serve it.</summary>
    public required IReadOnlyList<KernelCase> Kernels { get; init; }

    /// <summary>Names of the operands that are written, as far as they hold float32.</summary>
    public string[] Writes { get; init; } = [];

    /// <summary>Names of operands that one which is written may be.</summary>
    public string[] MayWriteTo { get; init; } = [];
}
