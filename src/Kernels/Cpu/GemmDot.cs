using System.Runtime.Intrinsics;

namespace Gradpath.Kernels.Cpu;

/// <summary>
/// C = A B for B transposed, as inner products of rows that are read where they stand. Nothing is packed, which pays where C has few rows
/// or few columns, so that a packed element would be used only a few times: the logits of the answer positions against the vocabulary
/// [20, 768] x [768, 50257], or the edge contraction [157, 122880] x [122880, 36]. The price is the horizontal sums, once per element of C
/// and block of k.
/// </summary>
/// <remarks>
/// Measured against packing: better up to about 40 rows or 64 columns, and only from a depth of about 256, below which the horizontal sums
/// outweigh the multiply-adds. Blocks: 1024 steps of k, so that the rows of a tile (6 x 4 KiB) stay in the first-level cache and the rows
/// of the narrower operand (36 x 4 KiB) in the second while the wider operand streams past once.
/// </remarks>
internal static unsafe class GemmDot
{
    private const int DepthBlock = 1024;
    private const int MostRows = 40;
    private const int MostColumns = 64;
    private const int LeastDepth = 256;

    /// <summary>Whether a product is better done here than packed. Depends on the whole product, so that its parts agree.</summary>
    /// <param name="a">[M, K] after transposition.</param>
    /// <param name="b">[K, N] after transposition.</param>
    /// <returns>The answer.</returns>
    public static bool Suits(in RawMatrix a, in RawMatrix b) =>
        !a.Transposed && b.Transposed && a.OperandColumns >= LeastDepth && (a.OperandRows <= MostRows || b.OperandColumns <= MostColumns);

    /// <summary>C = A B or C += A B, plus a bias row.</summary>
    /// <param name="kernel">The inner loops.</param>
    /// <param name="a">[M, K], not transposed.</param>
    /// <param name="b">[K, N], transposed.</param>
    /// <param name="c">[M, N].</param>
    /// <param name="bias">N values, or null.</param>
    /// <param name="accumulate">Whether to add to C.</param>
    public static void Multiply(in GemmKernel kernel, in RawMatrix a, in RawMatrix b, in RawMatrix c, float* bias, bool accumulate)
    {
        int lanes = kernel.Bits / 32;
        int depth = a.OperandColumns;
        int rowTiles = (c.Rows + kernel.MaxDotRows - 1) / kernel.MaxDotRows;
        int columnTiles = (c.Columns + GemmDotTile.MaxColumns - 1) / GemmDotTile.MaxColumns;
        bool rowsOutside = c.Rows >= c.Columns;
        (int outer, int inner) = rowsOutside ? (rowTiles, columnTiles) : (columnTiles, rowTiles);
        int outerRows = rowsOutside ? kernel.MaxDotRows : GemmDotTile.MaxColumns;
        RawMatrix wide = rowsOutside ? a : b;
        int rows = rowsOutside ? c.Rows : c.Columns;
        float* sums = stackalloc float[6 * GemmDotTile.MaxColumns];
        GemmDotTile tile = new() { StrideA = a.Stride, StrideB = b.Stride, Sums = sums };
        for (int k = 0; k < depth; k += DepthBlock)
        {
            int steps = Math.Min(DepthBlock, depth - k);
            tile.Depth = steps / lanes * lanes;
            for (int o = 0; o < outer; o++)
            {
                int next = rowsOutside ? (int)((long)rows * (o + 1) / rowTiles) : (o + 1) * GemmDotTile.MaxColumns;
                for (int n = 0; n < inner; n++)
                {
                    (int rowTile, int columnTile) = rowsOutside ? (o, n) : (n, o);
                    int i = (int)((long)c.Rows * rowTile / rowTiles);
                    int j = columnTile * GemmDotTile.MaxColumns;
                    tile.Rows = (int)((long)c.Rows * (rowTile + 1) / rowTiles) - i;
                    tile.Columns = Math.Min(GemmDotTile.MaxColumns, c.Columns - j);
                    tile.A = a.Data + (i * a.Stride) + k;
                    tile.B = b.Data + (j * b.Stride) + k;
                    tile.Next = n >= outerRows ? tile.A : wide.Data + (Math.Min(next + n, rows - 1) * wide.Stride) + k;
                    kernel.DotTile(&tile);
                    if (tile.Depth < steps) AddRest(tile, steps);
                    Finish(tile, c.Data + (i * c.Stride) + j, c.Stride, bias == null || k > 0 ? null : bias + j, accumulate || k > 0);
                }
            }
        }
    }

    private static void AddRest(in GemmDotTile tile, int steps)
    {
        for (int i = 0; i < tile.Rows; i++)
        {
            for (int j = 0; j < tile.Columns; j++)
            {
                float* left = tile.A + (i * tile.StrideA), right = tile.B + (j * tile.StrideB);
                float sum = 0;
                for (int k = tile.Depth; k < steps; k++) sum += left[k] * right[k];
                tile.Sums[(i * GemmDotTile.MaxColumns) + j] += sum;
            }
        }
    }

    private static void Finish(in GemmDotTile tile, float* c, nint stride, float* bias, bool accumulate)
    {
        float* sums = tile.Sums;
        for (int i = 0; i < tile.Rows; i++, c += stride, sums += GemmDotTile.MaxColumns)
        {
            if (tile.Columns == GemmDotTile.MaxColumns)
            {
                Vector128<float> value = Vector128.Load(sums);
                if (bias != null) value += Vector128.Load(bias);
                if (accumulate) value += Vector128.Load(c);
                value.Store(c);
                continue;
            }
            for (int j = 0; j < tile.Columns; j++)
            {
                float value = sums[j];
                if (bias != null) value += bias[j];
                c[j] = accumulate ? value + c[j] : value;
            }
        }
    }
}
