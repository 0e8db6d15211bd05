using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Gradpath.Kernels;

/// <summary>
/// The only door to compute: memory and the operations that the passes are made of. One op set, several devices.
/// The operations stand in partial files by family (Device.LayerNorm.cs and so on); each states shapes, formula and aliasing.
/// </summary>
/// <remarks>
/// Shapes are passed as numbers, so that one workspace serves passes of every size up to its capacity: an op works on the first rows
/// of the tensors it is given. Operations are issued in order; a device may run them later, but a download sees all that came before.
/// No operation allocates. Not safe for use from several threads at once.
/// </remarks>
public abstract partial class Device : IDisposable
{
    private long _allocated;
    private long _peak;
    private long _reserved;

    /// <summary>What the device is, for reports: processor, instruction set, number of cores.</summary>
    public abstract string Description { get; }

    /// <summary>The short name that the command line uses: <c>cpu</c>, <c>cuda:0</c>.</summary>
    public abstract string Name { get; }

    /// <summary>What the factors of matrix products are rounded to.</summary>
    public virtual MatrixPrecision Precision => MatrixPrecision.Float32;

    /// <summary>Who multiplies matrices.</summary>
    public virtual MatrixProvider Multiplier => MatrixProvider.Own;

    /// <summary>Bytes of memory that an allocation may still take.</summary>
    public abstract long FreeMemory { get; }

    /// <summary>Bytes that the workspaces of a run may take; null for half of what is free. Runs are planned by it, nothing is refused.</summary>
    public long? MemoryBudget { get; set; }

    /// <summary>Bytes that a run may plan its workspaces with.</summary>
    public long WorkspaceBudget => MemoryBudget ?? FreeMemory / 2;

    /// <summary>Rows of a pass beyond which more of them make it no faster per row, only larger.</summary>
    public virtual int AmpleRows => 1024;

    /// <summary>Bytes allocated through this object and not yet freed. Mapped files are not counted.</summary>
    public long AllocatedBytes => Volatile.Read(ref _allocated);

    /// <summary>The largest value that <see cref="AllocatedBytes"/> has had since <see cref="ResetPeak"/>.</summary>
    public long PeakBytes => Volatile.Read(ref _peak);

    /// <summary>Bytes of everything that was ever allocated on this device, freed or not: what work allocates shows as its growth.</summary>
    internal long ReservedBytes => Volatile.Read(ref _reserved);

    /// <summary>Starts the measurement of <see cref="PeakBytes"/> again.</summary>
    public void ResetPeak() => Volatile.Write(ref _peak, AllocatedBytes);

    /// <summary>Allocates a tensor of zeros.</summary>
    /// <param name="shape">Extents, slowest first.</param>
    /// <returns>The tensor; dispose of it to release the memory.</returns>
    /// <exception cref="DeviceException">The device has no room for it; the message states the size.</exception>
    public Tensor Allocate(params int[] shape)
    {
        long bytes = Tensor.LengthOf(shape) * sizeof(float);
        return new Tensor(this, Reserve(bytes), (int[])shape.Clone(), owned: true, keepAlive: null);
    }

    /// <summary>Allocates a flat array of zeros.</summary>
    /// <typeparam name="T">The element type.</typeparam>
    /// <param name="length">Number of elements.</param>
    /// <returns>The array; dispose of it to release the memory.</returns>
    /// <exception cref="DeviceException">The device has no room for it; the message states the size.</exception>
    public DeviceArray<T> AllocateArray<T>(long length)
        where T : unmanaged => new(this, Reserve(length * Unsafe.SizeOf<T>()), length, owned: true, keepAlive: null);

    /// <summary>Allocates an array and fills it from the host.</summary>
    /// <typeparam name="T">The element type.</typeparam>
    /// <param name="values">The elements.</param>
    /// <returns>The array.</returns>
    public DeviceArray<T> Store<T>(ReadOnlySpan<T> values)
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
    public Tensor StoreTensor(ReadOnlySpan<float> values, params int[] shape)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(Tensor.LengthOf(shape), values.Length, nameof(shape));
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

    /// <summary>Makes float32 values in host memory usable on this device: in place where it can read them, as a copy elsewhere.</summary>
    /// <param name="hostAddress">Address of the first value; 4-byte alignment suffices.</param>
    /// <param name="shape">Extents.</param>
    /// <param name="keepAlive">The owner of the memory (a mapped file), kept alive with the tensor.</param>
    /// <returns>A tensor that must not be written to.</returns>
    public abstract Tensor Adopt(nint hostAddress, int[] shape, object keepAlive);

    /// <summary>Copies host memory to an array.</summary>
    /// <typeparam name="T">The element type.</typeparam>
    /// <param name="source">Values for the start of the array.</param>
    /// <param name="target">The array.</param>
    public abstract void Upload<T>(ReadOnlySpan<T> source, DeviceArray<T> target)
        where T : unmanaged;

    /// <summary>Waits for all operations so far and copies the start of an array to host memory.</summary>
    /// <typeparam name="T">The element type.</typeparam>
    /// <param name="source">The array.</param>
    /// <param name="target">Where the values go; its length says how many.</param>
    public abstract void Download<T>(DeviceArray<T> source, Span<T> target)
        where T : unmanaged;

    /// <summary>Waits until every operation issued so far is done.</summary>
    public virtual void Synchronize()
    {
    }

    /// <summary>Times operations.</summary>
    /// <param name="work">Issues the operations once; it has run before, so that nothing is allocated, compiled or captured now.</param>
    /// <param name="repeats">How often to issue them in a row.</param>
    /// <returns>Seconds of one repetition: from an idle device to the last result, divided by the repeats.</returns>
    public virtual double Time(Action work, int repeats)
    {
        ArgumentNullException.ThrowIfNull(work);
        ArgumentOutOfRangeException.ThrowIfLessThan(repeats, 1);
        Synchronize();
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < repeats; i++) work();
        Synchronize();
        return Stopwatch.GetElapsedTime(start).TotalSeconds / repeats;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>The innermost scope that arrays allocated now belong to.</summary>
    internal AllocationScope? Scope { get; set; }

    internal void Free(nint address, long bytes)
    {
        Interlocked.Add(ref _allocated, -bytes);
        FreeCore(address, bytes);
    }

    internal void FreeFinalized(nint address, long bytes)
    {
        Interlocked.Add(ref _allocated, -bytes);
        FreeFinalizedCore(address, bytes);
    }

    /// <summary>Allocates zeroed memory, aligned to 64 bytes.</summary>
    /// <param name="bytes">Size.</param>
    /// <returns>The address.</returns>
    protected abstract nint AllocateCore(long bytes);

    /// <summary>Frees memory from <see cref="AllocateCore"/>.</summary>
    /// <param name="address">The address.</param>
    /// <param name="bytes">Size.</param>
    protected abstract void FreeCore(nint address, long bytes);

    /// <summary>The same, from the finaliser's thread while the device may be in use on another.</summary>
    /// <param name="address">The address.</param>
    /// <param name="bytes">Size.</param>
    protected virtual void FreeFinalizedCore(nint address, long bytes) => FreeCore(address, bytes);

    /// <summary>Releases the device.</summary>
    /// <param name="disposing">Whether managed members may be touched.</param>
    protected virtual void Dispose(bool disposing)
    {
    }

    private nint Reserve(long bytes)
    {
        nint address = AllocateCore(bytes);
        Interlocked.Add(ref _reserved, bytes);
        long now = Interlocked.Add(ref _allocated, bytes);
        if (now > Volatile.Read(ref _peak)) Volatile.Write(ref _peak, now);
        return address;
    }
}
