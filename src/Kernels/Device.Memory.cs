using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Gradpath.Kernels;

// Memory: allocation, and copies between host and device. Copies wait for all operations issued before them.
public abstract partial class Device
{
    /// <summary>Starts the measurement of <see cref="PeakBytes"/> again.</summary>
    internal void ResetPeak()
    {
        if (!IsPlanning) Volatile.Write(ref _peak, AllocatedBytes);
    }

    /// <summary>
    /// Whether tests want memory of unknown content to be full of NaN where the device's memory is the host's, so that no result depends
    /// on what nobody has written.
    /// </summary>
    internal static bool PoisonsMemory { get; set; }

    /// <summary>Allocates a tensor of unknown content.</summary>
    /// <param name="shape">Extents, slowest first.</param>
    /// <returns>The tensor; dispose of it to release the memory.</returns>
    /// <exception cref="DeviceException">The device has no room for it; the message states the size.</exception>
    internal Tensor Allocate(params int[] shape) => Tensor(shape, zeros: false);

    /// <summary>Allocates a tensor of zeros.</summary>
    /// <param name="shape">Extents, slowest first.</param>
    /// <returns>The tensor; dispose of it to release the memory.</returns>
    /// <exception cref="DeviceException">The device has no room for it; the message states the size.</exception>
    internal Tensor AllocateZeros(params int[] shape) => Tensor(shape, zeros: true);

    /// <summary>Allocates a flat array of unknown content.</summary>
    /// <typeparam name="T">The element type.</typeparam>
    /// <param name="length">Number of elements.</param>
    /// <returns>The array; dispose of it to release the memory.</returns>
    /// <exception cref="DeviceException">The device has no room for it; the message states the size.</exception>
    internal DeviceArray<T> AllocateArray<T>(long length)
        where T : unmanaged => Array<T>(length, zeros: false);

    /// <summary>Allocates a flat array of zeros.</summary>
    /// <typeparam name="T">The element type.</typeparam>
    /// <param name="length">Number of elements.</param>
    /// <returns>The array; dispose of it to release the memory.</returns>
    /// <exception cref="DeviceException">The device has no room for it; the message states the size.</exception>
    internal DeviceArray<T> AllocateZeroArray<T>(long length)
        where T : unmanaged => Array<T>(length, zeros: true);

    /// <summary>Allocates an array and fills it from the host.</summary>
    /// <typeparam name="T">The element type.</typeparam>
    /// <param name="values">The elements.</param>
    /// <returns>The array.</returns>
    internal DeviceArray<T> Store<T>(ReadOnlySpan<T> values)
        where T : unmanaged
    {
        DeviceArray<T> array = AllocateArray<T>(values.Length);
        try
        {
            Upload(values, array);
            return array;
        }
        catch
        {
            array.Dispose();
            throw;
        }
    }

    /// <summary>Allocates a tensor and fills it from the host.</summary>
    /// <param name="values">The elements, row-major.</param>
    /// <param name="shape">Extents; their product is the number of values.</param>
    /// <returns>The tensor.</returns>
    internal Tensor StoreTensor(ReadOnlySpan<float> values, params int[] shape)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(Kernels.Tensor.LengthOf(shape), values.Length, nameof(shape));
        Tensor tensor = Allocate(shape);
        try
        {
            Upload(values, tensor);
            return tensor;
        }
        catch
        {
            tensor.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Allocates a tensor that the host fills, such as from a file: straight in its memory where the host can write there, elsewhere in a
    /// buffer of the host's that is then copied and freed.
    /// </summary>
    /// <param name="shape">Extents.</param>
    /// <param name="write">Told the host's address of the first value; writes them all. Not called in a plan.</param>
    /// <returns>The tensor.</returns>
    internal unsafe Tensor Receive(int[] shape, Action<nint> write)
    {
        ArgumentNullException.ThrowIfNull(write);
        Tensor tensor = Allocate(shape);
        try
        {
            if (!Moves(nameof(Receive))) return tensor;
            if (IsHostMemory)
            {
                write(tensor.Address);
            }
            else
            {
                void* host = NativeMemory.Alloc((nuint)tensor.Bytes);
                try
                {
                    write((nint)host);
                    ReceiveCore((nint)host, tensor.Address, tensor.Bytes);
                }
                finally
                {
                    NativeMemory.Free(host);
                }
            }
            Ended();
            return tensor;
        }
        catch
        {
            tensor.Dispose();
            throw;
        }
    }

    /// <summary>Copies host memory to the start of an array.</summary>
    /// <typeparam name="T">The element type.</typeparam>
    /// <param name="source">The values.</param>
    /// <param name="target">The array; at least as many elements.</param>
    internal unsafe void Upload<T>(ReadOnlySpan<T> source, DeviceArray<T> target)
        where T : unmanaged
    {
        Need(target, source.Length);
        if (!Moves(nameof(Upload))) return;
        fixed (T* from = source) UploadCore((nint)from, target.Address, (long)source.Length * sizeof(T));
        Ended();
    }

    /// <summary>Waits for all operations so far and copies the start of an array to host memory. A plan leaves zeros there.</summary>
    /// <typeparam name="T">The element type.</typeparam>
    /// <param name="source">The array; at least as many elements as the target.</param>
    /// <param name="target">Where the values go; its length says how many.</param>
    internal unsafe void Download<T>(DeviceArray<T> source, Span<T> target)
        where T : unmanaged
    {
        Need(source, target.Length);
        if (!Moves(nameof(Download)))
        {
            target.Clear();
            return;
        }
        fixed (T* to = target) DownloadCore(source.Address, (nint)to, (long)target.Length * sizeof(T));
        Ended();
    }

    /// <summary>Frees the memory of an array.</summary>
    /// <param name="address">The address.</param>
    /// <param name="bytes">Size.</param>
    internal void Free(nint address, long bytes)
    {
        Interlocked.Add(ref _allocated, -bytes);
        FreeCore(address, bytes);
    }

    /// <summary>The same, from the finaliser's thread while the device may be in use on another.</summary>
    /// <param name="address">The address.</param>
    /// <param name="bytes">Size.</param>
    internal void FreeFinalized(nint address, long bytes)
    {
        Interlocked.Add(ref _allocated, -bytes);
        FreeFinalizedCore(address, bytes);
    }

    /// <summary>Whether the device's memory is the host's.</summary>
    private protected abstract bool IsHostMemory { get; }

    /// <summary>Copies a large piece of host memory to the device, and is done with it when it returns.</summary>
    /// <param name="source">Address on the host.</param>
    /// <param name="target">Address on the device.</param>
    /// <param name="bytes">Size.</param>
    private protected abstract void ReceiveCore(nint source, nint target, long bytes);

    /// <summary>Copies host memory to the device.</summary>
    /// <param name="source">Address on the host.</param>
    /// <param name="target">Address on the device.</param>
    /// <param name="bytes">Size; may be 0.</param>
    private protected abstract void UploadCore(nint source, nint target, long bytes);

    /// <summary>Waits for all operations and copies device memory to the host.</summary>
    /// <param name="source">Address on the device.</param>
    /// <param name="target">Address on the host.</param>
    /// <param name="bytes">Size; may be 0.</param>
    private protected abstract void DownloadCore(nint source, nint target, long bytes);

    /// <summary>Allocates memory, aligned to 64 bytes.</summary>
    /// <param name="bytes">Size.</param>
    /// <param name="zeros">Whether it has to be zero; else its content is unknown.</param>
    /// <returns>The address.</returns>
    private protected abstract nint AllocateCore(long bytes, bool zeros);

    /// <summary>Frees memory from <see cref="AllocateCore"/>; called after the device has been disposed of too.</summary>
    /// <param name="address">The address.</param>
    /// <param name="bytes">Size.</param>
    private protected abstract void FreeCore(nint address, long bytes);

    /// <summary>The same, from the finaliser's thread while the device may be in use on another.</summary>
    /// <param name="address">The address.</param>
    /// <param name="bytes">Size.</param>
    private protected virtual void FreeFinalizedCore(nint address, long bytes) => FreeCore(address, bytes);

    private Tensor Tensor(int[] shape, bool zeros)
    {
        long bytes = Kernels.Tensor.LengthOf(shape) * sizeof(float);
        return new Tensor(this, Reserve(bytes, zeros), (int[])shape.Clone());
    }

    private DeviceArray<T> Array<T>(long length, bool zeros)
        where T : unmanaged
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        return new(this, Reserve(checked(length * Unsafe.SizeOf<T>()), zeros), length);
    }

    private Reservation Reserve(long bytes, bool zeros)
    {
        if (_plan is { } plan) return new Reservation(plan.Take(bytes), plan);
        Moves("Allocate");
        nint address = AllocateCore(bytes, zeros);
        Interlocked.Add(ref _reserved, bytes);
        long now = Interlocked.Add(ref _allocated, bytes);
        if (now > Volatile.Read(ref _peak)) Volatile.Write(ref _peak, now);
        Ended();
        return new Reservation(address, null);
    }
}
