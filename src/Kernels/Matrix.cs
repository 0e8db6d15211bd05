namespace Gradpath.Kernels;

/// <summary>A rectangle in a tensor: what <see cref="Device.Gemm(in Matrix, in Matrix, in Matrix, in GemmOptions)"/> multiplies.</summary>
/// <param name="Storage">The tensor that holds the elements.</param>
/// <param name="Offset">Index of element (0, 0) in the storage.</param>
/// <param name="Rows">Number of rows as stored.</param>
/// <param name="Columns">Number of columns as stored; a row is contiguous.</param>
/// <param name="Stride">Distance between the starts of two rows, in elements.</param>
/// <param name="Transposed">Whether the product reads the transpose of what is stored.</param>
public readonly record struct Matrix(Tensor Storage, long Offset, int Rows, int Columns, int Stride, bool Transposed = false)
{
    /// <summary>The same storage, read as its transpose.</summary>
    public Matrix T => this with { Transposed = !Transposed };

    /// <summary>Number of rows of the operand, after transposition.</summary>
    public int OperandRows => Transposed ? Columns : Rows;

    /// <summary>Number of columns of the operand, after transposition.</summary>
    public int OperandColumns => Transposed ? Rows : Columns;

    /// <summary>Some columns of this matrix (as stored).</summary>
    /// <param name="first">The first column.</param>
    /// <param name="count">How many.</param>
    /// <returns>A view with the same row stride.</returns>
    public Matrix SliceColumns(int first, int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first + count, Columns);
        return this with { Offset = Offset + first, Columns = count };
    }

    /// <summary>Some rows of this matrix (as stored).</summary>
    /// <param name="first">The first row.</param>
    /// <param name="count">How many.</param>
    /// <returns>A view with the same row stride.</returns>
    public Matrix SliceRows(int first, int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(first + count, Rows);
        return this with { Offset = Offset + ((long)first * Stride), Rows = count };
    }
}

/// <summary>What a product does beyond C = A B.</summary>
/// <param name="Accumulate">Add to C in place of overwriting it.</param>
/// <param name="Bias">A row of C's width added to every row of C, or null. Not together with a batch.</param>
/// <param name="Batch">Number of products of the same shape; 0 and 1 both mean one.</param>
/// <param name="StepA">Distance between the first elements of two successive A in their storage.</param>
/// <param name="StepB">The same for B.</param>
/// <param name="StepC">The same for C. The C of a batch must not overlap.</param>
public readonly record struct GemmOptions(
    bool Accumulate = false,
    Tensor? Bias = null,
    int Batch = 1,
    long StepA = 0,
    long StepB = 0,
    long StepC = 0);
