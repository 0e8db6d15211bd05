namespace Gradpath.Kernels.Cpu;

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
