using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Gradpath.Kernels;

/// <summary>Small arrays of numbers that the host makes, put in one piece of device memory by one upload.</summary>
internal sealed class PackedArrays : IDisposable
{
    private readonly List<byte> _host = [];
    private readonly List<Action<DeviceArray<long>>> _takers = [];
    private DeviceArray<long>? _storage;

    /// <summary>Adds an array.</summary>
    /// <typeparam name="T">The element type, of at most eight bytes.</typeparam>
    /// <param name="values">The elements.</param>
    /// <param name="take">Told the array on the device, by <see cref="Store"/>. It belongs to this object.</param>
    public void Add<T>(ReadOnlySpan<T> values, Action<DeviceArray<T>> take)
        where T : unmanaged
    {
        long offset = _host.Count;
        int length = values.Length;
        _host.AddRange(MemoryMarshal.AsBytes(values));
        while (_host.Count % sizeof(long) != 0) _host.Add(0);
        _takers.Add(storage => take(storage.PartAs<T>(offset / Unsafe.SizeOf<T>(), length)));
    }

    /// <summary>Uploads all arrays and hands them to their takers.</summary>
    /// <param name="device">Where they go.</param>
    /// <exception cref="DeviceException">The device has no room for them.</exception>
    public void Store(Device device)
    {
        _storage = device.Store<long>(MemoryMarshal.Cast<byte, long>(CollectionsMarshal.AsSpan(_host)));
        foreach (Action<DeviceArray<long>> taker in _takers) taker(_storage);
        _host.Clear();
        _takers.Clear();
    }

    /// <inheritdoc />
    public void Dispose() => _storage?.Dispose();
}
