using System.Runtime.InteropServices;
using Gradpath.Kernels.Cuda.Driver;

namespace Gradpath.PtxEmulator;

/// <summary>
/// Work that waits until the host waits for it, the latest that a GPU may do it. A stream's own work is all that its synchronisation does:
/// other streams' stays undone, as nothing orders them.
/// </summary>
/// <remarks>
/// What CUDA promises, and no more: a copy from pageable memory has read it when the call returns; one from page-locked memory reads it
/// when it runs; a copy to the host has written it when the stream or a later event has been waited for, and until then the target holds
/// what nobody wants. Freeing device memory and unloading a module wait for all work; freeing page-locked memory does not.
/// </remarks>
internal sealed unsafe partial class EmulatedDriver
{
    private const byte Garbage = 0xFF;

    private readonly Dictionary<nint, Queue<(long Number, Action Work)>> _pending = [];
    private readonly Dictionary<nint, (nint Stream, long Number)> _recorded = [];
    private readonly List<nint> _released = [];
    private long _lastNumber;

    /// <summary>Pieces of work that have been queued and not done.</summary>
    public int Pending => _pending.Values.Sum(q => q.Count);

    // After a failure the rest of a stream's work is not done.
    private void Do(nint stream, Action work)
    {
        if (_failure != CudaResult.Success) return;
        if (!_options.Deferred)
        {
            work();
            return;
        }
        if (!_pending.TryGetValue(stream, out Queue<(long, Action)>? queue)) _pending.Add(stream, queue = []);
        queue.Enqueue((++_lastNumber, work));
    }

    // Does a stream's work up to a number, and reports what failed.
    private void Wait(string call, nint stream, long last = long.MaxValue)
    {
        if (!_options.Deferred) return;
        if (_pending.TryGetValue(stream, out Queue<(long Number, Action Work)>? queue))
        {
            while (_failure == CudaResult.Success && queue.TryPeek(out (long Number, Action Work) first) && first.Number <= last)
            {
                queue.Dequeue();
                first.Work();
            }
        }
        if (Pending == 0) FreeReleased();
        Check(call);
    }

    private void WaitForAll(string call)
    {
        foreach (nint stream in _pending.Keys.ToArray()) Wait(call, stream);
    }

    private void WaitForEvent(string call, nint handle)
    {
        if (_recorded.TryGetValue(handle, out (nint Stream, long Number) at)) Wait(call, at.Stream, at.Number);
    }

    private void ForgetPending()
    {
        _pending.Clear();
        _recorded.Clear();
        FreeReleased();
    }

    private bool IsPinned(nint host, long bytes) => _pinned.Any(p => host >= p.Key && host + bytes <= p.Key + p.Value);

    // Where a copy finds its source when it runs: of pageable memory a copy of now.
    private Func<nint> Source(nint host, long bytes)
    {
        if (!_options.Deferred || IsPinned(host, bytes)) return () => host;
        byte[] now = GC.AllocateUninitializedArray<byte>(checked((int)bytes), pinned: true);
        new ReadOnlySpan<byte>((void*)host, now.Length).CopyTo(now);
        return () => (nint)System.Runtime.CompilerServices.Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(now));
    }

    // Page-locked memory that a copy may still come to: it holds nothing of use any more.
    private void Release(nint pinned, long bytes)
    {
        if (Pending == 0)
        {
            NativeMemory.AlignedFree((void*)pinned);
            return;
        }
        NativeMemory.Fill((void*)pinned, (nuint)bytes, Garbage);
        _released.Add(pinned);
    }

    private void FreeReleased()
    {
        foreach (nint pinned in _released) NativeMemory.AlignedFree((void*)pinned);
        _released.Clear();
    }
}
