using System.Runtime.InteropServices;
using Gradpath.Kernels.Cuda.Driver;
using Gradpath.PtxEmulator.Memory;

namespace Gradpath.PtxEmulator.Execution;

/// <summary>cp.async: a copy is made when its thread waits for it, and until then its target holds nothing that may be read.</summary>
internal sealed unsafe partial class Worker
{
    private readonly record struct PendingCopy(ulong Target, nint Source, int Bytes, int SourceBytes, int Group, int Line, long Number);

    private readonly List<PendingCopy>?[] _copies = new List<PendingCopy>?[1024];
    private readonly int[] _groups = new int[1024];
    private long _copyNumber;

    /// <summary>Begins a copy from global to shared memory; bytes beyond <paramref name="sourceBytes"/> become zero.</summary>
    public void Copy(Frame* frame, ulong target, ulong source, int bytes, uint sourceBytes, int line)
    {
        if (sourceBytes > (uint)bytes)
            throw new FaultException(CudaResult.LaunchFailed, line, $"cp.async reads {sourceBytes} bytes to write {bytes}");
        byte* from = null;
        if (sourceBytes > 0)
        {
            if ((source & (ulong)(bytes - 1)) != 0) throw Faults.Misaligned("read", frame, source - Arena.Base, bytes, line);
            int unit = sourceBytes == (uint)bytes ? bytes : sourceBytes % 4 == 0 ? 4 : sourceBytes % 2 == 0 ? 2 : 1;
            for (int at = 0; at < sourceBytes; at += unit)
            {
                byte* part = Access.LoadGlobal(frame, source + (ulong)at, unit, line);
                if (at == 0) from = part;
            }
        }
        Access.StoreShared(frame, target, bytes, line);
        arena.MarkUnwritten(frame->SharedBase + target, bytes);
        (_copies[frame->Thread] ??= []).Add(new(target, (nint)from, bytes, (int)sourceBytes, _groups[frame->Thread], line, _copyNumber++));
    }

    /// <summary>Ends a group.</summary>
    public void CommitCopies(Frame* frame) => _groups[frame->Thread]++;

    /// <summary>Waits until at most the latest <paramref name="groups"/> groups are under way.</summary>
    public void WaitForCopies(Frame* frame, int groups) => Complete(frame, _groups[frame->Thread] - groups);

    /// <summary>Waits for all copies, in groups or not.</summary>
    public void WaitForAllCopies(Frame* frame) => Complete(frame, int.MaxValue);

    private void Complete(Frame* frame, int beforeGroup)
    {
        if (_copies[frame->Thread] is not { } copies) return;
        int done = 0;
        foreach (PendingCopy copy in copies)
        {
            if (copy.Group >= beforeGroup) break;
            Land(copy, Access.StoreShared(frame, copy.Target, copy.Bytes, copy.Line));
            done++;
        }
        copies.RemoveRange(0, done);
    }

    private static void Land(PendingCopy copy, byte* to)
    {
        Buffer.MemoryCopy((byte*)copy.Source, to, copy.SourceBytes, copy.SourceBytes);
        NativeMemory.Clear(to + copy.SourceBytes, (nuint)(copy.Bytes - copy.SourceBytes));
    }

    // Lets a thread's copies up to a number land; an mbarrier tells of them.
    private void CompleteBefore(int thread, long number, int agent, uint clock)
    {
        if (_copies[thread] is not { } copies) return;
        ulong shared = FrameOf(thread)->SharedBase;
        foreach (PendingCopy copy in copies)
        {
            if (copy.Number >= number) break;
            Land(copy, arena.Host(shared + copy.Target));
            arena.MarkWritten(shared + copy.Target, copy.Bytes);
            if (_orders is not null)
                SharedWatch.Restamp(_orders.State, agent, clock, shared + copy.Target - Arena.Base, copy.Bytes);
        }
        copies.RemoveAll(c => c.Number < number);
    }

    private void FinishCopies(Frame* frame)
    {
        // What an mbarrier is to be told of lands by itself.
        if (_launch.Kernel.IsAsynchronous && _flying.Exists(f => f.Thread == frame->Thread && f.Bytes == 0)) return;
        if (_copies[frame->Thread] is { Count: > 0 }) Complete(frame, int.MaxValue);
    }

    private void ClearCopies()
    {
        for (int thread = 0; thread < _threads; thread++)
        {
            _copies[thread]?.Clear();
            _groups[thread] = 0;
        }
    }

    /// <summary>Says whose copy to an address is under way; empty if none is.</summary>
    public string CopyUnderWay(ulong address)
    {
        ulong sharedAddress = address - Arena.SharedAddress(window);
        for (int thread = 0; thread < _threads; thread++)
        {
            if (_copies[thread] is not { } copies) continue;
            foreach (PendingCopy copy in copies)
            {
                if (sharedAddress + 16 > copy.Target && sharedAddress < copy.Target + (ulong)copy.Bytes)
                    return $"; thread {thread} has not waited for its cp.async (line {copy.Line}) to it";
            }
        }
        return _launch.Kernel.IsAsynchronous ? BulkUnderWay(sharedAddress) : "";
    }
}
