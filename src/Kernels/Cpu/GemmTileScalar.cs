namespace Gradpath.Kernels.Cpu;

/// <summary>
/// The inner loop of the packed product for processors without vectors: a row of up to 4 x 8 of C at a time, whose 8 running sums are
/// as many independent additions as hide each other's latency.
/// </summary>
internal static unsafe class GemmTileScalar
{
    /// <summary>The tallest tile.</summary>
    public const int MaxRows = 4;

    /// <summary>Width of a tile and of a panel of B.</summary>
    public const int Columns = 8;

    /// <summary>Computes one tile.</summary>
    /// <param name="tile">What to compute.</param>
    public static void Run(GemmTile* tile)
    {
        bool inPlace = tile->Panel is PanelUse.InPlace or PanelUse.PackOnTheWay;
        for (int row = 0; row < tile->Rows; row++)
        {
            MultiplyRow(tile, row, inPlace ? tile->StrideB : Columns);
        }
        if (tile->Panel != PanelUse.PackOnTheWay) return;
        for (int k = 0; k < tile->Depth; k++)
        {
            new ReadOnlySpan<float>(tile->B + (k * tile->StrideB), Columns).CopyTo(new Span<float>(tile->PackTo + (k * Columns), Columns));
        }
    }

    private static void MultiplyRow(GemmTile* tile, int row, nint stride)
    {
        float* a = tile->A + row;
        float* b = tile->B;
        float s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0, s5 = 0, s6 = 0, s7 = 0;
        for (int k = tile->Depth; k > 0; k--, a += tile->Rows, b += stride)
        {
            float x = *a;
            s0 += x * b[0];
            s1 += x * b[1];
            s2 += x * b[2];
            s3 += x * b[3];
            s4 += x * b[4];
            s5 += x * b[5];
            s6 += x * b[6];
            s7 += x * b[7];
        }
        float* c = tile->C + (row * tile->StrideC);
        float* sums = stackalloc float[Columns] { s0, s1, s2, s3, s4, s5, s6, s7 };
        for (int j = 0; j < Columns; j++)
        {
            float value = tile->Bias == null ? sums[j] : sums[j] + tile->Bias[j];
            c[j] = tile->Accumulate ? value + c[j] : value;
        }
    }
}
