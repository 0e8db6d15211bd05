namespace Gradpath.Kernels.Cpu;

/// <summary>Up to <c>MaxRows</c> x 4 inner products over a depth that is a multiple of the vector's width.</summary>
internal unsafe struct GemmDotTile
{
    /// <summary>Width of a tile.</summary>
    public const int MaxColumns = 4;

    /// <summary>First row of A.</summary>
    public float* A;

    /// <summary>Distance between rows of A.</summary>
    public nint StrideA;

    /// <summary>First row of the transposed B.</summary>
    public float* B;

    /// <summary>Distance between rows of the transposed B.</summary>
    public nint StrideB;

    /// <summary>A row that will be needed soon, to be fetched into the cache; as long as a row of the tile.</summary>
    public float* Next;

    /// <summary>Where the sums go: [rows, 4].</summary>
    public float* Sums;

    /// <summary>Number of steps of k.</summary>
    public int Depth;

    /// <summary>Height.</summary>
    public int Rows;

    /// <summary>Width, 1 to 4; the sums of the columns beyond it mean nothing.</summary>
    public int Columns;
}
