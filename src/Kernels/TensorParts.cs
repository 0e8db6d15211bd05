namespace Gradpath.Kernels;

/// <summary>Several tensors in one piece of memory, so that one operation clears or copies them all.</summary>
internal sealed class TensorParts : IDisposable
{
    // Every part starts where vectors of the widest kind may.
    private const int Unit = 16;

    private readonly List<(long Offset, int[] Shape)> _parts = [];
    private long _units;
    private Tensor? _whole;

    /// <summary>The memory of all parts, once allocated.</summary>
    public Tensor Whole => _whole ?? throw new InvalidOperationException("the parts have not been allocated");

    /// <summary>A part, once allocated. It belongs to this object.</summary>
    /// <param name="number">What <see cref="Add"/> gave back.</param>
    public Tensor this[int number] => Whole.Slice(_parts[number].Offset, _parts[number].Shape);

    /// <summary>A part and all behind it, once allocated. It belongs to this object.</summary>
    /// <param name="number">What <see cref="Add"/> gave back.</param>
    public Tensor From(int number) => Whole.Slice(OffsetOf(number), checked((int)(Whole.Length - OffsetOf(number))));

    /// <summary>Where a part begins.</summary>
    /// <param name="number">What <see cref="Add"/> gave back.</param>
    /// <returns>Floats in front of it.</returns>
    public long OffsetOf(int number) => _parts[number].Offset;

    /// <summary>Adds a part.</summary>
    /// <param name="shape">Its extents, slowest first.</param>
    /// <returns>Its number.</returns>
    public int Add(params int[] shape)
    {
        _parts.Add((_units * Unit, shape));
        _units += (Tensor.LengthOf(shape) + Unit - 1) / Unit;
        return _parts.Count - 1;
    }

    /// <summary>Allocates all parts, of unknown content.</summary>
    /// <param name="device">Where they are.</param>
    /// <exception cref="DeviceException">The device has no room for them.</exception>
    public void Allocate(Device device) => _whole = device.Allocate(checked((int)_units), Unit);

    /// <inheritdoc />
    public void Dispose() => _whole?.Dispose();
}
