namespace Gradpath.Kernels;

/// <summary>Some rows of each of several blocks that stand equally far apart.</summary>
/// <param name="Blocks">Number of blocks.</param>
/// <param name="FirstRow">The first row of the first block.</param>
/// <param name="Stride">Rows from the first row of a block to that of the next.</param>
internal readonly record struct RowBlocks(int Blocks, int FirstRow, int Stride)
{
    /// <summary>The row behind the last one.</summary>
    /// <param name="rows">Rows of each block.</param>
    /// <returns>0 where there is no row.</returns>
    public long End(int rows) => Blocks == 0 || rows == 0 ? 0 : FirstRow + ((Blocks - 1L) * Stride) + rows;
}
