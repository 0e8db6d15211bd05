using static Gradpath.Kernels.KernelConstants;

namespace Gradpath.Kernels.Cuda;

/// <summary>A loop that measures a unit of the multiprocessors, with what a step of it does and what is left at its end.</summary>
/// <param name="Kernel">The entry point.</param>
/// <param name="FlopsOfWarp">Flops of a warp in a step; a multiply-add has two.</param>
/// <param name="BytesOfWarp">Bytes that a warp reads in a step.</param>
/// <param name="Result">What a thread leaves after so many steps, of which there are at least 8.</param>
internal sealed record RateLoop(string Kernel, double FlopsOfWarp, double BytesOfWarp, Func<int, int, float> Result)
{
    private const int Chains = 16, Tiles = 8, SumsOfTile = 4;

    // Sums of the tiles' numbers, which they start with.
    private const int StartOfTiles = SumsOfTile * Tiles * (Tiles - 1) / 2;

    /// <summary>Multiply-adds of the ordinary units: v = v / 2 + start ends at twice its start.</summary>
    public static RateLoop Ffma { get; } = new(
        "rateFfma", 2.0 * Warp * RateUnroll * Chains, 0, (thread, _) => Chains * 2 * (1f + (thread % 2)));

    /// <summary>TF32 on tensor cores: each product adds one to each sum.</summary>
    public static RateLoop Tf32 { get; } = new("rateTf32", 2.0 * RateUnroll * Tiles * 16 * 8 * 8, 0, ResultOfTiles);

    /// <summary>bfloat16 on tensor cores: each product adds one to each sum.</summary>
    public static RateLoop Bf16 { get; } = new("rateBf16", 2.0 * RateUnroll * Tiles * 16 * 8 * 16, 0, ResultOfTiles);

    /// <summary>Reads of shared memory, of four ones each.</summary>
    public static RateLoop Shared { get; } = new("rateShared", 0, 16.0 * Warp * RateUnroll, (_, steps) => 4f * RateUnroll * steps);

    /// <summary>All of them.</summary>
    public static IReadOnlyList<RateLoop> All { get; } = [Ffma, Tf32, Bf16, Shared];

    private static float ResultOfTiles(int thread, int steps) => StartOfTiles + ((float)SumsOfTile * Tiles * RateUnroll * steps);
}
