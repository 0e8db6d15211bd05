using System.Runtime.CompilerServices;

namespace Gradpath.Kernels;

/// <summary>A flat run of <typeparamref name="T"/> in a device's memory.</summary>
/// <typeparam name="T">The element type.</typeparam>
internal class DeviceArray<T> : DeviceMemory
    where T : unmanaged
{
    /// <summary>An allocated or planned array.</summary>
    /// <param name="device">The device.</param>
    /// <param name="place">The memory that the device gave out.</param>
    /// <param name="length">Number of elements.</param>
    internal DeviceArray(Device device, in Reservation place, long length)
        : base(device, place, length, Unsafe.SizeOf<T>())
    {
    }

    /// <summary>A part of another array.</summary>
    /// <param name="whole">The array.</param>
    /// <param name="offset">The first element.</param>
    /// <param name="length">Number of elements.</param>
    protected DeviceArray(DeviceArray<T> whole, long offset, long length)
        : base(whole, offset, length)
    {
    }

    private DeviceArray(DeviceMemory whole, long offset, long length, int elementBytes)
        : base(whole, offset, length, elementBytes)
    {
    }

    /// <summary>Part of this array, read as elements of another type. Shares the memory.</summary>
    /// <typeparam name="TOther">The type.</typeparam>
    /// <param name="offset">The first element, in elements of that type.</param>
    /// <param name="length">Number of elements.</param>
    /// <returns>The part.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The part reaches beyond this array.</exception>
    public DeviceArray<TOther> PartAs<TOther>(long offset, long length)
        where TOther : unmanaged => new(this, offset, length, Unsafe.SizeOf<TOther>());

    /// <summary>Part of this array. Shares the memory.</summary>
    /// <param name="offset">The first element.</param>
    /// <param name="length">Number of elements.</param>
    /// <returns>The part.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The part reaches beyond this array.</exception>
    public DeviceArray<T> Part(long offset, long length) => new(this, offset, length);

    /// <summary>Copies host memory to the start of this array.</summary>
    /// <param name="source">At most <see cref="DeviceMemory.Length"/> elements.</param>
    public void Upload(ReadOnlySpan<T> source) => Device.Upload(source, this);

    /// <summary>Copies the start of this array to host memory.</summary>
    /// <param name="target">At most <see cref="DeviceMemory.Length"/> elements.</param>
    public void Download(Span<T> target) => Device.Download(this, target);

    /// <summary>Copies the whole array to a new host array.</summary>
    /// <returns>The elements.</returns>
    public T[] ToArray()
    {
        T[] host = new T[Length];
        Download(host);
        return host;
    }
}
