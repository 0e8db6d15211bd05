namespace Gradpath.Kernels.Cpu;

/// <summary>
/// The inner loops of one instruction set, and the list of all of them with what each needs. Chosen once, when the process starts;
/// unmanaged, so that a parallel job can carry it.
/// </summary>
internal readonly unsafe struct GemmKernel
{
    /// <summary>The loops on 512-bit vectors.</summary>
    public static readonly GemmKernel Bits512 = new(
        InstructionSet.Avx512,
        512,
        GemmTileVector512.MaxRows,
        GemmTileVector512.Columns,
        &GemmTileVector512.Run,
        GemmDotTileVector512.MaxRows,
        &GemmDotTileVector512.Run);

    /// <summary>The loops on 256-bit vectors.</summary>
    public static readonly GemmKernel Bits256 = new(
        InstructionSet.Avx2,
        256,
        GemmTileVector256.MaxRows,
        GemmTileVector256.Columns,
        &GemmTileVector256.Run,
        GemmDotTileVector256.MaxRows,
        &GemmDotTileVector256.Run);

    /// <summary>The loops on 128-bit vectors.</summary>
    public static readonly GemmKernel Bits128 = new(
        InstructionSet.Vector128,
        128,
        GemmTileVector128.MaxRows,
        GemmTileVector128.Columns,
        &GemmTileVector128.Run,
        GemmDotTileVector128.MaxRows,
        &GemmDotTileVector128.Run);

    /// <summary>The loops without vectors, which run everywhere.</summary>
    public static readonly GemmKernel Scalar = new(
        InstructionSet.Scalar,
        32,
        GemmTileScalar.MaxRows,
        GemmTileScalar.Columns,
        &GemmTileScalar.Run,
        GemmDotTileScalar.MaxRows,
        &GemmDotTileScalar.Run);

    /// <summary>The widest loops that this processor runs at its full rate.</summary>
    public static readonly GemmKernel Best = InstructionSets.Widest switch
    {
        InstructionSet.Avx512 => Bits512,
        InstructionSet.Avx2 => Bits256,
        InstructionSet.Vector128 => Bits128,
        _ => Scalar,
    };

    private GemmKernel(
        InstructionSet needs,
        int bits,
        int maxRows,
        int columns,
        delegate*<GemmTile*, void> tile,
        int maxDotRows,
        delegate*<GemmDotTile*, void> dotTile)
    {
        Needs = needs;
        Bits = bits;
        MaxRows = maxRows;
        Columns = columns;
        Tile = tile;
        MaxDotRows = maxDotRows;
        DotTile = dotTile;
    }

    /// <summary>What the loops need; on a processor without it they throw or crawl.</summary>
    public InstructionSet Needs { get; }

    /// <summary>Width of a vector, or of a number where there are none.</summary>
    public int Bits { get; }

    /// <summary>Height of the tallest tile.</summary>
    public int MaxRows { get; }

    /// <summary>Width of a tile and of a panel of B.</summary>
    public int Columns { get; }

    /// <summary>Computes a tile from packed operands.</summary>
    public delegate*<GemmTile*, void> Tile { get; }

    /// <summary>Height of the tallest tile of inner products.</summary>
    public int MaxDotRows { get; }

    /// <summary>Computes a tile of inner products.</summary>
    public delegate*<GemmDotTile*, void> DotTile { get; }
}
