using System.Runtime.Intrinsics;

namespace Gradpath.Kernels.Cpu;

/// <summary>
/// The matrix product by blocks, on one thread: C[M, N] = or += A[M, K] B[K, N], every form of A and B, plus a bias row.
///
/// A tile of C, 12 x 32 on 512-bit vectors, stays in registers while k runs over a block of 384 steps. Around it:
///
///     for each block of 384 k                         C is read and written once per block
///       for each block of 528 rows                    A: packed tile by tile, [k, 12], 792 KiB: in the second-level cache
///         for each panel of 32 columns                B: packed, [k, 32], 48 KiB: in the first or second level for all tiles of the block
///           for each tile of 12 rows                  A streams from the second level, 4 bytes a cycle
///
/// B is the large operand here (weights that come from memory), so it is never packed in a pass of its own: the first tile of a panel reads
/// B where it stands and writes the packed copy between its multiply-adds, which costs a fifth of one tile. The second tile asks the cache
/// for the panel that comes next, whose rows lie pages apart, where the processor would not guess them. Where there is only one tile of
/// rows, B is read in place and nothing is packed. A transposed B, and a panel narrower than 32 columns, is packed first.
///
/// Tiles have equal heights, not 12 and a rest: 64 rows are four tiles of 11 and two of 10, which run at nearly the rate of 12, where a
/// last tile of 4 rows would not. Blocks of k and of rows are equal likewise. The block of rows is as tall as a second-level cache of 1 MiB
/// allows, because every block packs B again; where that cache is smaller, A streams from the third level, still at 4 bytes a cycle.
/// </summary>
/// <remarks>
/// An element of C is a sum over k in order within a block, then over blocks in order, whatever tile or part it falls in: the bits depend
/// on K and on the vector width, not on the cut into parts.
/// </remarks>
internal readonly unsafe struct GemmPacked
{
    /// <summary>Most steps of k in a block.</summary>
    public const int DepthBlock = 384;

    /// <summary>Most rows in a block.</summary>
    public const int RowBlock = 528;

    private readonly GemmKernel _kernel;
    private readonly float* _blockOfA;
    private readonly float* _panelOfB;
    private readonly float* _edge;

    /// <summary>The product with given inner loops in given scratch memory.</summary>
    /// <param name="kernel">The inner loops.</param>
    /// <param name="scratch">At least <see cref="ScratchLength"/> floats, aligned to 64 bytes.</param>
    public GemmPacked(in GemmKernel kernel, float* scratch)
    {
        _kernel = kernel;
        _panelOfB = scratch;
        _edge = _panelOfB + (DepthBlock * kernel.Columns);
        _blockOfA = _edge + (kernel.MaxRows * kernel.Columns);
    }

    /// <summary>Number of floats of scratch memory that a thread needs, a multiple of 16.</summary>
    /// <param name="kernel">The inner loops.</param>
    /// <returns>The number.</returns>
    public static int ScratchLength(in GemmKernel kernel) =>
        (DepthBlock * kernel.Columns) + (kernel.MaxRows * kernel.Columns) + (RowBlock * DepthBlock) + GemmPacking.Overrun;

    /// <summary>C = A B or C += A B, plus a bias row.</summary>
    /// <param name="a">[M, K] after transposition.</param>
    /// <param name="b">[K, N] after transposition.</param>
    /// <param name="c">[M, N].</param>
    /// <param name="bias">N values, or null.</param>
    /// <param name="accumulate">Whether to add to C.</param>
    public void Multiply(in RawMatrix a, in RawMatrix b, in RawMatrix c, float* bias, bool accumulate)
    {
        int depth = a.OperandColumns;
        if (depth == 0)
        {
            MultiplyNothing(c, bias, accumulate);
            return;
        }
        int depthBlock = EvenBlock(depth, DepthBlock, 16);
        int rowBlock = EvenBlock(c.Rows, RowBlock, _kernel.MaxRows);
        for (int k = 0; k < depth; k += depthBlock)
        {
            int steps = Math.Min(depthBlock, depth - k);
            for (int i = 0; i < c.Rows; i += rowBlock)
            {
                int rows = Math.Min(rowBlock, c.Rows - i);
                float* next = b.Transposed ? null : b.Data + ((i + rows < c.Rows ? k : k + steps) * b.Stride);
                MultiplyBlock(
                    a.Part(i, rows, k, steps),
                    b.Part(k, steps, 0, c.Columns),
                    c.Part(i, rows, 0, c.Columns),
                    k == 0 ? bias : null,
                    accumulate || k > 0,
                    next);
            }
        }
    }

    private static int EvenBlock(int total, int most, int multiple)
    {
        int count = (total + most - 1) / most;
        int even = (total + count - 1) / count;
        return Math.Min(most, (even + multiple - 1) / multiple * multiple);
    }

    private static void MultiplyNothing(in RawMatrix c, float* bias, bool accumulate)
    {
        for (int i = 0; i < c.Rows; i++)
        {
            float* row = c.Data + (i * c.Stride);
            for (int j = 0; j < c.Columns; j++)
            {
                float value = bias != null ? bias[j] : 0;
                row[j] = accumulate ? row[j] + value : value;
            }
        }
    }

    private void MultiplyBlock(in RawMatrix a, in RawMatrix b, in RawMatrix c, float* bias, bool accumulate, float* next)
    {
        int depth = a.OperandColumns;
        int tiles = (c.Rows + _kernel.MaxRows - 1) / _kernel.MaxRows;
        int height = c.Rows / tiles;
        int taller = c.Rows % tiles;
        PackA(a, tiles, height, taller);

        GemmTile tile = default;
        tile.Depth = depth;
        tile.StrideB = b.Stride;
        tile.PackTo = _panelOfB;
        for (int j = 0; j < c.Columns; j += _kernel.Columns)
        {
            int columns = Math.Min(_kernel.Columns, c.Columns - j);
            bool whole = columns == _kernel.Columns;
            if (whole && !b.Transposed)
            {
                tile.B = b.Data + j;
                tile.Panel = tiles > 1 ? PanelUse.PackOnTheWay : PanelUse.InPlace;
            }
            else
            {
                if (b.Transposed) GemmPacking.Columns(b.Data + (j * b.Stride), b.Stride, columns, depth, _panelOfB, _kernel.Columns);
                else GemmPacking.Rows(b.Data + j, b.Stride, columns, depth, _panelOfB, _kernel.Columns);
                tile.B = _panelOfB;
                tile.Panel = PanelUse.Packed;
            }
            bool last = j + _kernel.Columns >= c.Columns;
            tile.Next = last ? next : b.Data + j + _kernel.Columns;
            tile.A = _blockOfA;
            float* target = c.Data + j;
            for (int t = 0; t < tiles; t++)
            {
                tile.Rows = t < taller ? height + 1 : height;
                if (whole)
                {
                    tile.C = target;
                    tile.StrideC = c.Stride;
                    tile.Bias = bias == null ? null : bias + j;
                    tile.Accumulate = accumulate;
                    _kernel.Tile(&tile);
                }
                else
                {
                    tile.C = _edge;
                    tile.StrideC = _kernel.Columns;
                    tile.Bias = null;
                    tile.Accumulate = false;
                    _kernel.Tile(&tile);
                    CopyEdge(target, c.Stride, tile.Rows, columns, bias == null ? null : bias + j, accumulate);
                }
                tile.A += (nint)depth * tile.Rows;
                target += tile.Rows * c.Stride;
                tile.B = _panelOfB;
                tile.Panel = t == 0 && !b.Transposed ? PanelUse.PackedPrefetchNext : PanelUse.Packed;
            }
        }
    }

    private void PackA(in RawMatrix a, int tiles, int height, int taller)
    {
        int depth = a.OperandColumns;
        float* packed = _blockOfA;
        float* source = a.Data;
        for (int t = 0; t < tiles; t++)
        {
            int rows = t < taller ? height + 1 : height;
            if (a.Transposed)
            {
                GemmPacking.Rows(source, a.Stride, rows, depth, packed, rows);
                source += rows;
            }
            else
            {
                GemmPacking.Columns(source, a.Stride, rows, depth, packed, rows);
                source += rows * a.Stride;
            }
            packed += (nint)depth * rows;
        }
    }

    private void CopyEdge(float* target, nint stride, int rows, int columns, float* bias, bool accumulate)
    {
        for (int i = 0; i < rows; i++)
        {
            float* from = _edge + (i * _kernel.Columns);
            float* to = target + (i * stride);
            int j = 0;
            for (; j <= columns - 4; j += 4)
            {
                Vector128<float> four = Vector128.Load(from + j);
                if (bias != null) four += Vector128.Load(bias + j);
                if (accumulate) four += Vector128.Load(to + j);
                four.Store(to + j);
            }
            for (; j < columns; j++)
            {
                float value = bias == null ? from[j] : from[j] + bias[j];
                to[j] = accumulate ? to[j] + value : value;
            }
        }
    }
}
