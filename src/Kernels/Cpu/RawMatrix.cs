namespace Gradpath.Kernels.Cpu;

/// <summary>A rectangle of float32 values at an address: <see cref="Matrix"/> without its tensor, for use inside a parallel job.</summary>
/// <param name="data">Element (0, 0).</param>
/// <param name="rows">Number of rows as stored.</param>
/// <param name="columns">Number of columns as stored; a row is contiguous.</param>
/// <param name="stride">Distance between the starts of two rows, in elements.</param>
/// <param name="transposed">Whether the product reads the transpose of what is stored.</param>
internal readonly unsafe struct RawMatrix(float* data, int rows, int columns, long stride, bool transposed = false)
{
    /// <summary>Element (0, 0).</summary>
    public readonly float* Data = data;

    /// <summary>Distance between the starts of two rows, in elements.</summary>
    public readonly nint Stride = (nint)stride;

    /// <summary>Number of rows as stored.</summary>
    public readonly int Rows = rows;

    /// <summary>Number of columns as stored.</summary>
    public readonly int Columns = columns;

    /// <summary>Whether the product reads the transpose of what is stored.</summary>
    public readonly bool Transposed = transposed;

    /// <summary>The rectangle that a matrix describes.</summary>
    /// <param name="matrix">The matrix.</param>
    public RawMatrix(in Matrix matrix)
        : this((float*)matrix.Storage.Address + matrix.Offset, matrix.Rows, matrix.Columns, matrix.Stride, matrix.Transposed)
    {
    }

    /// <summary>The same rectangle, read as its transpose.</summary>
    public RawMatrix T => new(Data, Rows, Columns, Stride, !Transposed);

    /// <summary>Number of rows of the operand, after transposition.</summary>
    public int OperandRows => Transposed ? Columns : Rows;

    /// <summary>Number of columns of the operand, after transposition.</summary>
    public int OperandColumns => Transposed ? Rows : Columns;

    /// <summary>Part of the operand.</summary>
    /// <param name="row">First row, after transposition.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="column">First column, after transposition.</param>
    /// <param name="columns">Number of columns.</param>
    /// <returns>The part, in the same storage.</returns>
    public RawMatrix Part(int row, int rows, int column, int columns) => Transposed
        ? new(Data + (column * Stride) + row, columns, rows, Stride, true)
        : new(Data + (row * Stride) + column, rows, columns, Stride, false);

    /// <summary>A rectangle of the same shape elsewhere in the storage.</summary>
    /// <param name="step">Distance between the first elements.</param>
    /// <returns>The rectangle.</returns>
    public RawMatrix Moved(nint step) => new(Data + step, Rows, Columns, Stride, Transposed);
}
