namespace Gradpath.Kernels;

/// <summary>A flat run of <typeparamref name="T"/> in a device's memory.</summary>
/// <remarks>
/// The address is a host pointer on <see cref="Cpu.CpuDevice"/> and a device pointer elsewhere, so only the owning device may
/// dereference it. Disposing a slice releases nothing: the array it was cut from owns the memory and is kept alive by the slice.
/// </remarks>
/// <typeparam name="T">The element type.</typeparam>
public class DeviceArray<T> : IDisposable
    where T : unmanaged
{
    private readonly object? _keepAlive;
    private readonly bool _owned;
    private bool _disposed;

    internal DeviceArray(Device device, nint address, long length, bool owned, object? keepAlive)
    {
        Device = device;
        Address = address;
        Length = length;
        _owned = owned;
        _keepAlive = keepAlive;
#pragma warning disable CA1816 // a slice has nothing to finalise
        if (!owned) GC.SuppressFinalize(this);
#pragma warning restore CA1816
        else device.Scope?.Add(this);
    }

    /// <summary>Releases the memory of an array that nobody disposed of.</summary>
    ~DeviceArray()
    {
        if (Take()) Device.FreeFinalized(Address, Length * System.Runtime.CompilerServices.Unsafe.SizeOf<T>());
    }

    /// <summary>The device whose memory this is.</summary>
    public Device Device { get; }

    /// <summary>The address of the first element in the device's address space.</summary>
    public nint Address { get; }

    /// <summary>The number of elements.</summary>
    public long Length { get; }

    /// <summary>The object that keeps the memory alive, for slices and for memory owned by somebody else (a mapped file).</summary>
    internal object? KeepAlive => _keepAlive;

    /// <summary>Copies host memory to the start of this array.</summary>
    /// <param name="source">At most <see cref="Length"/> elements.</param>
    public void Upload(ReadOnlySpan<T> source) => Device.Upload(source, this);

    /// <summary>Copies the start of this array to host memory.</summary>
    /// <param name="target">At most <see cref="Length"/> elements.</param>
    public void Download(Span<T> target) => Device.Download(this, target);

    /// <summary>Copies the whole array to a new host array.</summary>
    /// <returns>The elements.</returns>
    public T[] ToArray()
    {
        T[] host = new T[Length];
        Download(host);
        return host;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        GC.SuppressFinalize(this);
        if (!Take()) return;
        Device.Scope?.Remove(this);
        Device.Free(Address, Length * System.Runtime.CompilerServices.Unsafe.SizeOf<T>());
    }

    private bool Take()
    {
        bool first = _owned && !_disposed;
        _disposed = true;
        return first;
    }
}
