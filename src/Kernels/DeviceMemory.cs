using System.Runtime.CompilerServices;

namespace Gradpath.Kernels;

/// <summary>A run of elements in a device's memory: what the device's checks know of an array.</summary>
/// <remarks>
/// The memory is one of three kinds. An allocated array owns its memory, and disposing of it frees the memory. A planned array has an
/// address but no memory, see <see cref="Device.PlannedBytes"/>. A part lies in another array and lives as long as that one: disposing of
/// the part frees nothing.
/// The address is a host pointer on <see cref="Cpu.CpuDevice"/> and a device pointer elsewhere; only the owning device may follow it.
/// </remarks>
internal abstract class DeviceMemory : IDisposable
{
    private readonly DeviceMemory _whole;
    private readonly object? _holder;
    private readonly Kind _kind;
    private bool _disposed;

    /// <summary>An allocated or planned array.</summary>
    /// <param name="device">The device.</param>
    /// <param name="place">The memory that the device gave out.</param>
    /// <param name="length">Number of elements.</param>
    /// <param name="elementBytes">Size of one.</param>
    protected DeviceMemory(Device device, in Reservation place, long length, int elementBytes)
        : this(device, place.Address, length, elementBytes, place.Plan is null ? Kind.Allocated : Kind.Planned, place.Plan)
    {
        if (place.Plan is { } plan)
        {
            NothingToFinalize();
            plan.Add(this);
        }
        device.Scope?.Add(this);
    }

    /// <summary>A part of another array.</summary>
    /// <param name="whole">The array.</param>
    /// <param name="offset">The first element.</param>
    /// <param name="length">Number of elements.</param>
    /// <exception cref="ArgumentOutOfRangeException">The part reaches beyond the array.</exception>
    protected DeviceMemory(DeviceMemory whole, long offset, long length)
        : this(whole, offset, length, whole.ElementBytes)
    {
    }

    /// <summary>A part of another array, read as elements of a size of its own.</summary>
    /// <param name="whole">The array.</param>
    /// <param name="offset">The first element, in elements of that size.</param>
    /// <param name="length">Number of elements.</param>
    /// <param name="elementBytes">Bytes of an element.</param>
    /// <exception cref="ArgumentOutOfRangeException">The part reaches beyond the array.</exception>
    protected DeviceMemory(DeviceMemory whole, long offset, long length, int elementBytes)
        : this(whole.Device, whole.Address + (nint)(offset * elementBytes), length, elementBytes, Kind.Part, null)
    {
        NothingToFinalize();
        long fits = whole.Bytes / elementBytes;
        if (offset < 0 || length < 0 || offset > fits - length)
        {
            throw new ArgumentOutOfRangeException(nameof(offset), $"a slice of {length} elements at {offset} does not fit in {fits}");
        }
        _whole = whole._whole;
    }

    private DeviceMemory(Device device, nint address, long length, int elementBytes, Kind kind, object? holder)
    {
        Device = device;
        Address = address;
        Length = length;
        ElementBytes = elementBytes;
        _whole = this;
        _kind = kind;
        _holder = holder;
    }

    /// <summary>Frees the memory of an array that nobody disposed of.</summary>
    ~DeviceMemory()
    {
        if (_kind == Kind.Allocated && !_disposed) Device.FreeFinalized(Address, Bytes);
    }

    // The first one is what an object is whose constructor did not come far: it owns nothing.
    private enum Kind : byte
    {
        Part,
        Planned,
        Allocated,
    }

    /// <summary>The device whose memory this is.</summary>
    public Device Device { get; }

    /// <summary>The address of the first element in the device's address space.</summary>
    public nint Address { get; }

    /// <summary>The number of elements.</summary>
    public long Length { get; }

    /// <summary>Bytes of one element.</summary>
    public int ElementBytes { get; }

    /// <summary>Bytes of all elements.</summary>
    public long Bytes => Length * ElementBytes;

    /// <summary>Whether neither this array nor the one that it is a part of has been disposed of.</summary>
    public bool IsAlive
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => !_disposed && !_whole._disposed;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        GC.SuppressFinalize(this);
        if (_disposed) return;
        _disposed = true;
        if (_kind is not (Kind.Allocated or Kind.Planned)) return;
        Device.Scope?.Remove(this);
        if (_kind == Kind.Allocated) Device.Free(Address, Bytes);
        else ((MemoryPlan)_holder!).Remove(Bytes);
    }

    /// <summary>Ends the life of a planned array whose plan is over.</summary>
    internal void EndWithPlan() => _disposed = true;

#pragma warning disable CA1816 // parts, planned and borrowed arrays have nothing to finalise from the start
    private void NothingToFinalize() => GC.SuppressFinalize(this);
#pragma warning restore CA1816
}
