using Gradpath.Diagnostics.Ops.Families;

namespace Gradpath.Diagnostics.Ops;

/// <summary>Every op of the device, a row each.</summary>
internal static class OpCatalog
{
    /// <summary>
    /// Seeds below draw shapes that an interpreter of device code can run, seeds from here on such that fill several tiles.
    /// </summary>
    public const int LargeSeeds = 1000;

    /// <summary>All ops, family by family.</summary>
    public static IReadOnlyList<OpRow> All { get; } =
    [
        .. GemmOps.All,
        .. AttentionOps.All,
        .. RowOps.All,
        .. LayerNormOps.All,
        .. ActivationOps.All,
        .. LogitOps.All,
        .. PathOps.All,
        .. EdgeOps.All,
        .. MixOps.All,
        .. MaskOps.All,
    ];

    /// <summary>The comparisons of devices: every op in every way in which it can be called.</summary>
    public static IReadOnlyList<OpCheck> Checks { get; } = [.. All.SelectMany(op => op.Cases.Select(c => c.Check(op.Family, op.Name)))];

    /// <summary>Every op at the shapes at which it is timed, with the op's row.</summary>
    public static IReadOnlyList<(OpRow Op, OpWork Work)> Works { get; } = [.. All.SelectMany(op => op.Works.Select(work => (op, work)))];

    /// <summary>Every kernel at a representative shape.</summary>
    public static IReadOnlyList<KernelCase> Kernels { get; } = [.. All.SelectMany(op => op.Kernels), .. RateKernels.All];

    /// <summary>The seeds of a comparison.</summary>
    /// <param name="small">How many small cases.</param>
    /// <param name="large">How many large ones.</param>
    /// <returns>0, 1, ... and from <see cref="LargeSeeds"/> on.</returns>
    public static int[] Seeds(int small, int large) => [.. Enumerable.Range(0, small), .. Enumerable.Range(LargeSeeds, large)];
}
