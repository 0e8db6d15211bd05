using System.Runtime.InteropServices;
using Gradpath.Kernels.Cuda.Driver;
using Gradpath.PtxEmulator.Memory;

namespace Gradpath.PtxEmulator;

/// <summary>Memory: allocation, copies and fills.</summary>
internal sealed unsafe partial class EmulatedDriver
{
    private readonly Dictionary<nint, long> _pinned = [];

    /// <summary>Device allocations, and their bytes, that are not yet freed; a module's variables are one.</summary>
    public int LiveAllocations => _allocations?.Count ?? 0;

    public long LiveBytes => _allocations?.Bytes ?? 0;

    /// <summary>Pinned allocations that are not yet freed.</summary>
    public int LivePinned => _pinned.Count;

    /// <summary>Most bytes of device memory that were allocated at once.</summary>
    public long PeakBytes { get; private set; }

    /// <summary>The next allocation of device memory fails.</summary>
    public bool FailNextAllocation { get; set; }

    /// <summary>Allocations of more bytes than this fail.</summary>
    public long FailAllocationsAbove { get; set; } = long.MaxValue;

    /// <summary>
    /// What is to be added to the address of device memory to find it on the host, for a library that takes the place of kernels.
    /// </summary>
    public nint DistanceToHost => (nint)((long)_arena!.Host(Arena.Base) - (long)Arena.Base);

    public (long Free, long Total) MemoryInfo()
    {
        Check("cuMemGetInfo");
        return (_options.MemoryLimit - LiveBytes, _options.MemoryLimit);
    }

    public nint Allocate(long bytes)
    {
        Check("cuMemAlloc");
        NotWhileCapturing("cuMemAlloc");
        if (bytes <= 0) throw new CudaException("cuMemAlloc", CudaResult.InvalidValue, $"{bytes} bytes");
        if (FailNextAllocation || bytes > FailAllocationsAbove || bytes > _options.MemoryLimit - LiveBytes)
        {
            FailNextAllocation = false;
            throw new CudaException("cuMemAlloc", CudaResult.OutOfMemory, $"{bytes} bytes");
        }
        ulong address = _allocations!.Allocate(bytes);
        PeakBytes = Math.Max(PeakBytes, LiveBytes);
        return (nint)address;
    }

    public void Free(nint address)
    {
        Check("cuMemFree");
        NotWhileCapturing("cuMemFree");
        WaitForAll("cuMemFree");
        _allocations!.Free((ulong)address);
    }

    public nint AllocatePinned(long bytes)
    {
        Check("cuMemHostAlloc");
        NotWhileCapturing("cuMemHostAlloc");
        nint address = (nint)NativeMemory.AlignedAlloc((nuint)bytes, 4096);
        _pinned.Add(address, bytes);
        return address;
    }

    public void FreePinned(nint address)
    {
        Check("cuMemFreeHost");
        NotWhileCapturing("cuMemFreeHost");
        if (!_pinned.Remove(address, out long bytes))
            throw new CudaException("cuMemFreeHost", CudaResult.InvalidValue, $"0x{address:x} is not page-locked memory of this driver");
        Release(address, bytes);
    }

    public void CopyToDevice(nint target, nint source, long bytes, nint stream)
    {
        const string call = "cuMemcpyHtoDAsync";
        CheckRange(call, target, bytes);
        CheckPinnedForCapture(call, source, bytes, stream);
        Func<nint> from = Source(source, bytes);
        Queue(call, stream, () =>
        {
            CheckRange(call, target, bytes);
            Buffer.MemoryCopy((void*)from(), _arena!.Host((ulong)target), bytes, bytes);
            _arena.MarkWritten((ulong)target, bytes);
        });
    }

    public void CopyToHost(nint target, nint source, long bytes, nint stream)
    {
        const string call = "cuMemcpyDtoHAsync";
        CheckRange(call, source, bytes);
        CheckPinnedForCapture(call, target, bytes, stream);
        if (_options.Deferred && _capturing is null) NativeMemory.Fill((void*)target, (nuint)bytes, Garbage);
        Queue(call, stream, () =>
        {
            CheckRange(call, source, bytes);
            long unwritten = _options.DryRun ? -1 : _arena!.FindUnwritten((ulong)source, bytes);
            if (unwritten >= 0) throw new CudaException(call, CudaResult.InvalidValue, $"byte {unwritten} of {bytes} was never written");
            Buffer.MemoryCopy(_arena!.Host((ulong)source), (void*)target, bytes, bytes);
        });
    }

    public void CopyOnDevice(nint target, nint source, long bytes, nint stream)
    {
        const string call = "cuMemcpyDtoDAsync";
        CheckRange(call, target, bytes);
        CheckRange(call, source, bytes);
        if (target < source + bytes && source < target + bytes && bytes > 0)
            throw new CudaException(call, CudaResult.InvalidValue, "source and target overlap");
        Queue(call, stream, () =>
        {
            CheckRange(call, target, bytes);
            CheckRange(call, source, bytes);
            Buffer.MemoryCopy(_arena!.Host((ulong)source), _arena.Host((ulong)target), bytes, bytes);
            _arena.CopyState((ulong)target, (ulong)source, bytes);
        });
    }

    public void FillBytes(nint target, byte value, long bytes, nint stream)
    {
        const string call = "cuMemsetD8Async";
        CheckRange(call, target, bytes);
        Queue(call, stream, () =>
        {
            CheckRange(call, target, bytes);
            NativeMemory.Fill(_arena!.Host((ulong)target), (nuint)bytes, value);
            _arena.MarkWritten((ulong)target, bytes);
        });
    }

    private void CheckRange(string call, nint address, long bytes)
    {
        Check(call);
        if (bytes == 0 || _allocations!.Contains((ulong)address, bytes)) return;
        throw new CudaException(call, CudaResult.InvalidValue, $"{bytes} bytes at 0x{address:x}: {_allocations.Describe((ulong)address)}");
    }

    // A recorded copy meets the host memory as it is when the graph runs, so only memory that stays where it is may be recorded.
    private void CheckPinnedForCapture(string call, nint host, long bytes, nint stream)
    {
        if (_capturing is null || stream != _captureStream || bytes == 0) return;
        if (IsPinned(host, bytes)) return;
        throw new CudaException(
            call, CudaResult.StreamCaptureUnsupported, "only page-locked memory may be copied from or to in a recording");
    }
}
