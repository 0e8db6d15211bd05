namespace Gradpath.Kernels;

/// <summary>float32 storage on a device plus a shape; row-major and contiguous.</summary>
internal sealed class Tensor : DeviceArray<float>
{
    private readonly int[] _shape;

    /// <summary>An allocated or planned tensor.</summary>
    /// <param name="device">The device.</param>
    /// <param name="place">The memory that the device gave out.</param>
    /// <param name="shape">Extents, slowest first.</param>
    internal Tensor(Device device, in Reservation place, int[] shape)
        : base(device, place, LengthOf(shape)) => _shape = shape;

    private Tensor(Tensor whole, long offset, int[] shape)
        : base(whole, offset, LengthOf(shape)) => _shape = shape;

    /// <summary>The extent of each dimension, slowest first.</summary>
    public ReadOnlySpan<int> Shape => _shape;

    /// <summary>Part of this tensor under a shape of its own. Shares the memory.</summary>
    /// <param name="offset">The first element.</param>
    /// <param name="shape">The extents; their product must fit behind <paramref name="offset"/>.</param>
    /// <returns>The part.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The part reaches beyond this tensor.</exception>
    public Tensor Slice(long offset, params int[] shape) => new(this, offset, shape);

    /// <summary>This tensor as a matrix of its last dimension's width.</summary>
    /// <returns>A view of all rows.</returns>
    public Matrix AsMatrix()
    {
        int columns = _shape[^1];
        return new Matrix(this, 0, checked((int)(Length / columns)), columns, columns);
    }

    /// <summary>The first rows of this tensor as a matrix.</summary>
    /// <param name="rows">How many rows.</param>
    /// <param name="columns">The width of a row, which is also the distance between rows.</param>
    /// <returns>A view.</returns>
    public Matrix AsMatrix(int rows, int columns) => new(this, 0, rows, columns, columns);

    /// <summary>The product of extents.</summary>
    /// <param name="shape">The extents.</param>
    /// <returns>Number of elements.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An extent is negative.</exception>
    /// <exception cref="OverflowException">The product is beyond what a number holds.</exception>
    internal static long LengthOf(ReadOnlySpan<int> shape)
    {
        long length = 1;
        foreach (int extent in shape)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(extent);
            length = checked(length * extent);
        }
        return length;
    }
}
