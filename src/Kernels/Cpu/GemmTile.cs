namespace Gradpath.Kernels.Cpu;

/// <summary>Where a tile finds its panel of B.</summary>
internal enum PanelUse
{
    /// <summary>Packed before: [depth, columns], contiguous and aligned.</summary>
    Packed,

    /// <summary>Packed before; the tile also asks the cache for the panel of B that comes next.</summary>
    PackedPrefetchNext,

    /// <summary>In B itself, row by row; the tile also writes the packed copy that the tiles below it read.</summary>
    PackOnTheWay,

    /// <summary>In B itself, row by row; there are no other tiles to pack it for.</summary>
    InPlace,
}

/// <summary>One tile of C: C[rows, columns] = or += A[rows, depth] B[depth, columns], plus a bias row.</summary>
internal unsafe struct GemmTile
{
    /// <summary>A, packed: [depth, rows].</summary>
    public float* A;

    /// <summary>The panel of B.</summary>
    public float* B;

    /// <summary>Distance between two rows of a panel that is not packed.</summary>
    public nint StrideB;

    /// <summary>Where the packed copy goes, if one is made; aligned to a vector.</summary>
    public float* PackTo;

    /// <summary>The panel of B that comes next, to be fetched into the cache.</summary>
    public float* Next;

    /// <summary>The tile's first element.</summary>
    public float* C;

    /// <summary>Distance between two rows of C.</summary>
    public nint StrideC;

    /// <summary>A value for each column, or null.</summary>
    public float* Bias;

    /// <summary>Number of steps of k; at least 1.</summary>
    public int Depth;

    /// <summary>Height, at most the kernel's tallest tile.</summary>
    public int Rows;

    /// <summary>Where the panel is.</summary>
    public PanelUse Panel;

    /// <summary>Whether to add to C.</summary>
    public bool Accumulate;
}

/// <summary>The height of a tile as a type, so that a loop is compiled for each.</summary>
internal interface ITileHeight
{
    /// <summary>Number of rows.</summary>
    static abstract int Rows { get; }
}

/// <summary>The place of a panel of B as a type, so that a loop is compiled for each.</summary>
internal interface IPanelPlace
{
    /// <summary>Whether the panel is read from B itself.</summary>
    static abstract bool InPlace { get; }

    /// <summary>Whether the loop writes the packed copy.</summary>
    static abstract bool PacksOnTheWay { get; }

    /// <summary>Whether the loop fetches the next panel into the cache.</summary>
    static abstract bool PrefetchesNext { get; }
}

internal readonly struct PanelIsPacked : IPanelPlace
{
    public static bool InPlace => false;

    public static bool PacksOnTheWay => false;

    public static bool PrefetchesNext => false;
}

internal readonly struct PanelIsPackedNextIsFetched : IPanelPlace
{
    public static bool InPlace => false;

    public static bool PacksOnTheWay => false;

    public static bool PrefetchesNext => true;
}

internal readonly struct PanelIsPackedOnTheWay : IPanelPlace
{
    public static bool InPlace => true;

    public static bool PacksOnTheWay => true;

    public static bool PrefetchesNext => false;
}

internal readonly struct PanelIsInPlace : IPanelPlace
{
    public static bool InPlace => true;

    public static bool PacksOnTheWay => false;

    public static bool PrefetchesNext => false;
}

internal readonly struct Height1 : ITileHeight
{
    public static int Rows => 1;
}

internal readonly struct Height2 : ITileHeight
{
    public static int Rows => 2;
}

internal readonly struct Height3 : ITileHeight
{
    public static int Rows => 3;
}

internal readonly struct Height4 : ITileHeight
{
    public static int Rows => 4;
}

internal readonly struct Height5 : ITileHeight
{
    public static int Rows => 5;
}

internal readonly struct Height6 : ITileHeight
{
    public static int Rows => 6;
}

internal readonly struct Height7 : ITileHeight
{
    public static int Rows => 7;
}

internal readonly struct Height8 : ITileHeight
{
    public static int Rows => 8;
}

internal readonly struct Height9 : ITileHeight
{
    public static int Rows => 9;
}

internal readonly struct Height10 : ITileHeight
{
    public static int Rows => 10;
}

internal readonly struct Height11 : ITileHeight
{
    public static int Rows => 11;
}

internal readonly struct Height12 : ITileHeight
{
    public static int Rows => 12;
}
