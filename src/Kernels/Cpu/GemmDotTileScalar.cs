namespace Gradpath.Kernels.Cpu;

/// <summary>
/// The inner loop of the unpacked product for processors without vectors: up to 4 x 4 products of rows of A with rows of the transposed B,
/// both contiguous in k; the four products of one row of A run together.
/// </summary>
internal static unsafe class GemmDotTileScalar
{
    /// <summary>The tallest tile.</summary>
    public const int MaxRows = 4;

    /// <summary>Computes the sums of one tile.</summary>
    /// <param name="tile">What to compute.</param>
    public static void Run(GemmDotTile* tile)
    {
        // The columns that a narrow tile lacks repeat its last one; their sums are not used.
        int last = tile->Columns - 1;
        float* b0 = tile->B;
        float* b1 = tile->B + (Math.Min(1, last) * tile->StrideB);
        float* b2 = tile->B + (Math.Min(2, last) * tile->StrideB);
        float* b3 = tile->B + (Math.Min(3, last) * tile->StrideB);
        for (int row = 0; row < tile->Rows; row++)
        {
            float* a = tile->A + (row * tile->StrideA);
            float s0 = 0, s1 = 0, s2 = 0, s3 = 0;
            for (int k = 0; k < tile->Depth; k++)
            {
                float x = a[k];
                s0 += x * b0[k];
                s1 += x * b1[k];
                s2 += x * b2[k];
                s3 += x * b3[k];
            }
            float* sums = tile->Sums + (row * GemmDotTile.MaxColumns);
            sums[0] = s0;
            sums[1] = s1;
            sums[2] = s2;
            sums[3] = s3;
        }
    }
}
