namespace Gradpath.Kernels;

/// <summary>float32 storage on a device plus a shape; row-major and contiguous.</summary>
public sealed class Tensor : DeviceArray<float>
{
    private readonly int[] _shape;

    internal Tensor(Device device, nint address, int[] shape, bool owned, object? keepAlive)
        : base(device, address, LengthOf(shape), owned, keepAlive) => _shape = shape;

    /// <summary>The extent of each dimension, slowest first.</summary>
    public ReadOnlySpan<int> Shape => _shape;

    /// <summary>Part of this tensor under a shape of its own. Shares the memory.</summary>
    /// <param name="offset">The first element.</param>
    /// <param name="shape">The extents; their product must fit behind <paramref name="offset"/>.</param>
    /// <returns>A tensor that keeps this one alive.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The part reaches beyond this tensor.</exception>
    public Tensor Slice(long offset, params int[] shape)
    {
        if (offset < 0 || offset + LengthOf(shape) > Length)
        {
            throw new ArgumentOutOfRangeException(nameof(offset), $"a slice of {LengthOf(shape)} elements at {offset} does not fit in {Length}");
        }
        return new Tensor(Device, Address + (nint)(offset * sizeof(float)), shape, owned: false, keepAlive: this);
    }

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
