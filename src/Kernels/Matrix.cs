namespace Gradpath.Kernels;

/// <summary>A rectangle in a tensor: what <see cref="Device.Gemm(in Matrix, in Matrix, in Matrix, in GemmOptions)"/> multiplies.</summary>
/// <param name="Storage">The tensor that holds the elements.</param>
/// <param name="Offset">Index of element (0, 0) in the storage.</param>
/// <param name="Rows">Number of rows as stored.</param>
/// <param name="Columns">Number of columns as stored; a row is contiguous.</param>
/// <param name="Stride">Distance between the starts of two rows, in elements.</param>
/// <param name="Transposed">Whether the product reads the transpose of what is stored.</param>
internal readonly record struct Matrix(Tensor Storage, long Offset, int Rows, int Columns, int Stride, bool Transposed = false)
{
    /// <summary>The same storage, read as its transpose.</summary>
    public Matrix T => this with { Transposed = !Transposed };

    /// <summary>Number of rows of the operand, after transposition.</summary>
    public int OperandRows => Transposed ? Columns : Rows;

    /// <summary>Number of columns of the operand, after transposition.</summary>
    public int OperandColumns => Transposed ? Rows : Columns;

    /// <summary>Elements from the first to the last one, those between the rows included; 0 of an empty matrix.</summary>
    public long Span => Rows == 0 || Columns == 0 ? 0 : ((Rows - 1L) * Stride) + Columns;

    /// <summary>Some columns of this matrix (as stored).</summary>
    /// <param name="first">The first column.</param>
    /// <param name="count">How many.</param>
    /// <returns>A view with the same row stride.</returns>
    public Matrix SliceColumns(int first, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first + (long)count, Columns, nameof(count));
        return this with { Offset = Offset + first, Columns = count };
    }

    /// <summary>Some rows of this matrix (as stored).</summary>
    /// <param name="first">The first row.</param>
    /// <param name="count">How many.</param>
    /// <returns>A view with the same row stride.</returns>
    public Matrix SliceRows(int first, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first + (long)count, Rows, nameof(count));
        return this with { Offset = Offset + ((long)first * Stride), Rows = count };
    }

    /// <summary>
    /// Whether two rectangles, or batches of them, share an element. Where the two interleave in a way that is not told apart here, the
    /// answer is yes.
    /// </summary>
    /// <param name="a">The first.</param>
    /// <param name="furtherA">Distance from the first to the last member of its batch; 0 for one rectangle.</param>
    /// <param name="b">The second.</param>
    /// <param name="furtherB">The same for the second.</param>
    /// <returns>The answer.</returns>
    internal static bool Overlap(in Matrix a, long furtherA, in Matrix b, long furtherB)
    {
        long spanA = a.Span, spanB = b.Span;
        if (spanA == 0 || spanB == 0) return false;
        long between = ((b.Storage.Address - a.Storage.Address) / sizeof(float)) + b.Offset - a.Offset;
        if (between >= spanA + furtherA || -between >= spanB + furtherB) return false;

        // Columns side by side in rows of one stride.
        if (a.Stride != b.Stride || furtherA != 0 || furtherB != 0) return true;
        long column = between % a.Stride;
        if (column < 0) column += a.Stride;
        return column < a.Columns || column + b.Columns > a.Stride;
    }
}
