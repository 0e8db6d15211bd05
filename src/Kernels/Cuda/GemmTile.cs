using static Gradpath.Kernels.KernelConstants;

namespace Gradpath.Kernels.Cuda;

/// <summary>A tile kernel of the matrix product: its shape and what the choice between tiles weighs.</summary>
/// <param name="Arithmetic">How it multiplies.</param>
/// <param name="Rows">Rows of C that a block makes.</param>
/// <param name="Columns">Columns of C that a block makes.</param>
/// <param name="Threads">Threads of a block.</param>
/// <param name="Rate">
/// Multiply-adds per clock of a full multiprocessor that the loop allows, as designed: 0.7 to 0.9 of <see cref="FfmaUnits"/> for the
/// ordinary units; for tensor cores what its instructions and the reads of shared memory leave. Only the ratios matter, to the
/// choice of a tile.
/// </param>
/// <param name="IsPacked">Whether B is read from its packed form, by instructions of compute capability 9.0.</param>
internal sealed record GemmTile(GemmArithmetic Arithmetic, int Rows, int Columns, int Threads, int Rate, bool IsPacked = false)
{
    /// <summary>The units for which the rates of tiles without tensor cores are stated.</summary>
    public const int FfmaUnits = 128;

    private static readonly GemmTile[] Ffma =
    [
        new(GemmArithmetic.Ffma, 128, 128, 256, 115),
        new(GemmArithmetic.Ffma, 128, 64, 128, 110),
        new(GemmArithmetic.Ffma, 64, 64, 128, 90),
        new(GemmArithmetic.Ffma, 32, 128, 128, 85),
    ];

    private static readonly GemmTile[] Tf32x3 =
    [
        new(GemmArithmetic.Tf32x3, 128, 128, 256, 190),
        new(GemmArithmetic.Tf32x3, 128, 64, 128, 180),
        new(GemmArithmetic.Tf32x3, 64, 64, 128, 160),
        new(GemmArithmetic.Tf32x3, 32, 128, 128, 155),
    ];

    // What the 128 bytes a clock of shared memory leave, some of it lost: a step of 32 k of m rows and n columns is written, read and
    // written again by 128 bytes a line, and read by each warp: 192 KiB for 128 x 128.
    private static readonly GemmTile[] Fp16x3 =
    [
        new(GemmArithmetic.Fp16x3, 128, 128, 256, 300),
        new(GemmArithmetic.Fp16x3, 64, 64, 128, 185),
        new(GemmArithmetic.Fp16x3, 32, 128, 128, 160),
    ];

    // The warpgroup's instruction at nine tenths of the tensor cores' rate, thrice: 614 at 9.0. What the second-level cache brings allows
    // 128 x 192 x 32 multiply-adds a 40 KiB step: 768 at 40 bytes a clock.
    private static readonly GemmTile[] Fp16x3Packed = [.. Fp16x3, new(GemmArithmetic.Fp16x3, 128, PackedColumns, 384, 600, IsPacked: true)];

    private static readonly GemmTile[] Tf32 =
    [
        new(GemmArithmetic.Tf32, 128, 128, 256, 500),
        new(GemmArithmetic.Tf32, 64, 64, 128, 380),
        new(GemmArithmetic.Tf32, 32, 128, 128, 370),
    ];

    private static readonly GemmTile[] Bf16 =
    [
        new(GemmArithmetic.Bf16, 128, 128, 256, 600),
        new(GemmArithmetic.Bf16, 64, 64, 128, 420),
        new(GemmArithmetic.Bf16, 32, 128, 128, 410),
    ];

    /// <summary>The tile of products whose B is packed.</summary>
    public static GemmTile Packed => Fp16x3Packed[^1];

    /// <summary>The tile that contracts edges on the ordinary units.</summary>
    public static GemmTile Contraction => Ffma[2];

    /// <summary>The tile's extents, as plan files name it.</summary>
    public string Name => $"{Rows}x{Columns}{(IsPacked ? "p" : "")}";

    /// <summary>Whether each layout of B has a kernel of its own.</summary>
    public bool HasLayouts => Arithmetic != GemmArithmetic.Ffma && !IsPacked;

    /// <summary>k's of one step of the kernel's loop.</summary>
    public int Depth => Arithmetic == GemmArithmetic.Ffma ? FfmaDepth : MmaDepth;

    /// <summary>The file that holds the kernel.</summary>
    public string File => Arithmetic switch
    {
        GemmArithmetic.Ffma => "GemmFfma",
        GemmArithmetic.Tf32x3 => "GemmTf32x3",
        GemmArithmetic.Fp16x3 => IsPacked ? "GemmSm90a" : "GemmFp16x3",
        GemmArithmetic.Tf32 => "GemmTf32",
        _ => "GemmBf16",
    };

    /// <summary>The tiles of an arithmetic.</summary>
    /// <param name="arithmetic">Which.</param>
    /// <param name="packed">With those whose B is packed.</param>
    /// <returns>All of them; the order is that of preference where the estimates tie.</returns>
    public static ReadOnlySpan<GemmTile> Of(GemmArithmetic arithmetic, bool packed = false) => arithmetic switch
    {
        GemmArithmetic.Ffma => Ffma,
        GemmArithmetic.Tf32x3 => Tf32x3,
        GemmArithmetic.Fp16x3 => packed ? Fp16x3Packed : Fp16x3,
        GemmArithmetic.Tf32 => Tf32,
        _ => Bf16,
    };

    /// <summary>Name of the kernel: tensor cores have one for each layout of B, "n" or "t" like the form of the product, if it is not
    /// packed.</summary>
    /// <param name="transposedB">Whether B is stored with k contiguous.</param>
    /// <returns>The entry point.</returns>
    public string KernelName(bool transposedB)
    {
        string layout = !HasLayouts ? "" : transposedB ? "Nt" : "Nn";
        return $"{char.ToLowerInvariant(File[0])}{File[1..]}{layout}{Rows}x{Columns}";
    }

    /// <summary>Dynamic shared memory of a block: some steps of both operands, or the tile of C on its way out.</summary>
    /// <param name="transposedB">Whether B is stored with k contiguous.</param>
    /// <returns>Bytes.</returns>
    public int SharedBytes(bool transposedB)
    {
        if (Arithmetic == GemmArithmetic.Ffma)
        {
            return sizeof(float) * Math.Max(FfmaStages * Depth * (Rows + Columns + (2 * FfmaPadding)), Rows * (Columns + FfmaPadding));
        }
        if (IsPacked) return Sm90aSharedBytes;
        int lines = Rows + Columns;
        if (Arithmetic == GemmArithmetic.Fp16x3)
        {
            // A line of 32 k is as long in halves and rests as in floats; it has two numbers of 16 bits besides.
            return ((sizeof(float) * MmaStages * Depth) + (2 * sizeof(ushort))) * lines;
        }
        return sizeof(float) * MmaStages * Depth * (lines + (transposedB ? 0 : MmaPadding));
    }
}
