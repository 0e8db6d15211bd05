using static Gradpath.Kernels.KernelConstants;

namespace Gradpath.Kernels.Cuda;

/// <summary>
/// A matrix as factor B of products, in the form that <c>kernels/PackSm90a.cu</c> makes and <c>kernels/GemmSm90a.cu</c> multiplies:
/// halves in blocks of columns and steps of k, and a scale per column. It takes as much memory as the matrix.
/// </summary>
internal sealed class PackedFactor : IDisposable
{
    /// <summary>Makes room for the packed form; nothing is packed yet.</summary>
    /// <param name="device">The device.</param>
    /// <param name="matrix">The matrix as stored, and whether products read its transpose.</param>
    public PackedFactor(Device device, in Matrix matrix)
    {
        Matrix = matrix;
        Chunks = (matrix.OperandRows + PackedDepth - 1) / PackedDepth;
        Halves = device.Allocate(checked((int)(HalvesOf(matrix) / sizeof(float))));
        try
        {
            Back = device.Allocate(ColumnsOf(matrix));
        }
        catch
        {
            Halves.Dispose();
            throw;
        }
    }

    /// <summary>The matrix.</summary>
    public Matrix Matrix { get; }

    /// <summary>Steps of k that a block of columns has.</summary>
    public int Chunks { get; }

    /// <summary>The halves.</summary>
    public Tensor Halves { get; }

    /// <summary>What a column's sums are multiplied by.</summary>
    public Tensor Back { get; }

    /// <summary>Bytes of the packed form.</summary>
    /// <param name="matrix">The matrix.</param>
    public static long BytesOf(in Matrix matrix) => HalvesOf(matrix) + ((long)ColumnsOf(matrix) * sizeof(float));

    private static long HalvesOf(in Matrix matrix) =>
        (long)ColumnsOf(matrix) * ((matrix.OperandRows + PackedDepth - 1) / PackedDepth) * PackedDepth * sizeof(float);

    /// <summary>Where a part of the matrix lies in the packed form.</summary>
    /// <param name="b">The part, of the same storage and read the same way.</param>
    /// <param name="batch">How many parts follow each other.</param>
    /// <param name="step">Elements from one to the next.</param>
    /// <param name="place">The place.</param>
    /// <returns>False where the part does not begin and end with whole blocks of columns and steps of k.</returns>
    public bool TryPlace(in Matrix b, int batch, long step, out PackedPlace place)
    {
        place = default;
        if (b.Stride != Matrix.Stride || b.Offset < Matrix.Offset) return false;
        (long row, long column) = Math.DivRem(b.Offset - Matrix.Offset, Matrix.Stride);
        (long k, long n) = b.Transposed ? (column, row) : (row, column);
        if (n + b.OperandColumns > Matrix.OperandColumns) return false;
        bool wholeDepth = b.OperandRows % PackedDepth == 0 || k + b.OperandRows == Matrix.OperandRows;
        if (k % PackedDepth != 0 || n % PackedColumns != 0 || !wholeDepth) return false;
        long between = 0;
        if (batch > 1 && step != 0)
        {
            // Members follow each other along k: rows as stored, or columns of what is read transposed.
            bool alongDepth = b.Transposed
                ? step > 0 && column + ((batch - 1) * step) + b.Columns <= Matrix.Stride
                : step > 0 && step % Matrix.Stride == 0;
            between = b.Transposed ? step : step / Matrix.Stride;
            if (!alongDepth || between % PackedDepth != 0) return false;
        }
        if (k + ((batch - 1) * between) + b.OperandRows > Matrix.OperandRows) return false;
        long first = ((n / PackedColumns * Chunks) + (k / PackedDepth)) * PackedColumns * PackedDepth * sizeof(float);
        place = new PackedPlace(
            Halves.Address + (nint)first, Back.Address + (nint)(n * sizeof(float)), between / PackedDepth, Chunks);
        return true;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        Halves.Dispose();
        Back.Dispose();
    }

    private static int ColumnsOf(in Matrix matrix) => (matrix.OperandColumns + PackedColumns - 1) / PackedColumns * PackedColumns;
}
