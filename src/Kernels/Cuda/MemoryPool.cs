using System.Collections.Concurrent;
using System.Numerics;
using Gradpath.Kernels.Cuda.Driver;

namespace Gradpath.Kernels.Cuda;

/// <summary>
/// Device memory that is kept after it was freed and given out again: the driver's own allocation takes microseconds to milliseconds and
/// waits for the GPU. All work runs in order on one stream, so what is freed may be given out at once: its next user comes later there.
/// </summary>
/// <param name="driver">The driver, with the device's context current.</param>
/// <param name="keeps">Whether anything is kept; else every allocation and every free reaches the driver, with its exact size.</param>
internal sealed class MemoryPool(ICudaDriver driver, bool keeps)
{
    private const long SmallestBlock = 512;

    private readonly Dictionary<nint, long> _live = [];
    private readonly Dictionary<long, Stack<nint>> _kept = [];
    private readonly ConcurrentQueue<nint> _finalized = new();

    /// <summary>Bytes that are kept and in nobody's use.</summary>
    public long KeptBytes { get; private set; }

    /// <summary>Bytes given out, rounded up to blocks.</summary>
    public long LiveBytes { get; private set; }

    /// <summary>Size of the block that serves a request: eighths of powers of two, so that at most an eighth is wasted.</summary>
    /// <param name="bytes">The request.</param>
    /// <returns>The size.</returns>
    public static long BlockSize(long bytes)
    {
        if (bytes <= SmallestBlock) return SmallestBlock;
        long step = Math.Max(SmallestBlock, 1L << (BitOperations.Log2((ulong)bytes) - 3));
        return (bytes + step - 1) / step * step;
    }

    /// <summary>Gives out memory of unknown content.</summary>
    /// <param name="bytes">Size.</param>
    /// <returns>The address.</returns>
    /// <exception cref="CudaException">There is no room, even after everything kept was given back.</exception>
    public nint Allocate(long bytes)
    {
        Drain();
        long size = keeps ? BlockSize(bytes) : Math.Max(bytes, sizeof(float));
        if (_kept.TryGetValue(size, out Stack<nint>? blocks) && blocks.TryPop(out nint address)) KeptBytes -= size;
        else address = FromDriver(size);
        _live.Add(address, size);
        LiveBytes += size;
        return address;
    }

    /// <summary>Takes memory back. Does nothing after <see cref="Clear"/>, which took all of it.</summary>
    /// <param name="address">From <see cref="Allocate"/>.</param>
    public void Free(nint address)
    {
        if (!_live.Remove(address, out long size)) return;
        LiveBytes -= size;
        if (!keeps)
        {
            driver.Free(address);
            return;
        }
        if (!_kept.TryGetValue(size, out Stack<nint>? blocks)) _kept.Add(size, blocks = new Stack<nint>());
        blocks.Push(address);
        KeptBytes += size;
    }

    /// <summary>Notes memory to be taken back later on the device's own thread; for finalisers, and while a pass is recorded.</summary>
    /// <param name="address">From <see cref="Allocate"/>.</param>
    public void FreeLater(nint address) => _finalized.Enqueue(address);

    /// <summary>Takes back what was noted.</summary>
    public void Drain()
    {
        while (_finalized.TryDequeue(out nint address)) Free(address);
    }

    /// <summary>Gives everything kept back to the driver.</summary>
    public void Trim()
    {
        foreach ((long size, Stack<nint> blocks) in _kept)
        {
            while (blocks.TryPop(out nint address))
            {
                KeptBytes -= size;
                driver.Free(address);
            }
        }
        _kept.Clear();
    }

    /// <summary>Gives everything back to the driver, in use or not.</summary>
    /// <param name="free">Frees an address; decides about errors.</param>
    public void Clear(Action<nint> free)
    {
        while (_finalized.TryDequeue(out _))
        {
        }
        foreach (nint address in _live.Keys) free(address);
        foreach (nint address in _kept.Values.SelectMany(b => b)) free(address);
        _live.Clear();
        _kept.Clear();
        (LiveBytes, KeptBytes) = (0, 0);
    }

    private nint FromDriver(long size)
    {
        try
        {
            return driver.Allocate(size);
        }
        catch (CudaException e) when (e.Result == CudaResult.OutOfMemory)
        {
            // What nobody uses any more may still wait for its finaliser.
            GC.Collect();
            GC.WaitForPendingFinalizers();
            Drain();
            Trim();
            return driver.Allocate(size);
        }
    }
}
