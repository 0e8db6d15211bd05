using Gradpath.Kernels.Cuda.Driver;
using Gradpath.PtxEmulator.Memory;

namespace Gradpath.PtxEmulator.Execution;

/// <summary>Bulk copies, both ways, and copies that an mbarrier is told of.</summary>
internal sealed unsafe partial class Worker
{
    private readonly record struct Flying(
        Mbarrier Barrier, uint Phase, ulong Target, nint Source, int Bytes, int Thread, int Line, long Copies);

    private readonly record struct FlyingStore(int Thread, int Group, ulong Target, ulong Source, int Bytes, int Line);

    private readonly List<Flying> _flying = [];
    private readonly List<FlyingStore> _stores = [];
    private readonly Dictionary<int, (int Agent, int Group)> _storing = [];

    private void BeginBulk()
    {
        _flying.Clear();
        _stores.Clear();
        _storing.Clear();
    }

    private static void CheckBulk(Frame* frame, ulong shared, ulong global, uint bytes, int line)
    {
        if (bytes == 0 || bytes % 16 != 0) throw Wrong(line, $"a bulk copy of {bytes} bytes: their number must be a multiple of 16");
        if (shared % 16 != 0 || global % 16 != 0)
        {
            string what = shared % 16 != 0 ? $"shared address 0x{shared:x}" : $"global address 0x{global:x}";
            throw Wrong(line, $"misaligned bulk copy: {what} is no multiple of 16", CudaResult.MisalignedAddress);
        }
        if (shared + bytes > (ulong)frame->SharedBytes) throw Faults.Outside("shared", "bulk copy", frame, shared, (int)bytes, line);
    }

    /// <summary>cp.async.bulk from global to shared memory.</summary>
    /// <param name="frame">The thread.</param>
    /// <param name="target">Where to, in shared memory.</param>
    /// <param name="source">Where from.</param>
    /// <param name="bytes">How much.</param>
    /// <param name="address">The mbarrier that is told.</param>
    /// <param name="line">The line of the PTX.</param>
    public void BulkCopy(Frame* frame, ulong target, ulong source, uint bytes, ulong address, int line)
    {
        CheckBulk(frame, target, source, bytes, line);
        Mbarrier barrier = Find(frame, address, line);
        if (!barrier.Fenced)
        {
            throw Wrong(line, $"the mbarrier at shared address 0x{address:x} is used through the async proxy; "
                + "fence.mbarrier_init behind its making is missing");
        }
        foreach (ulong other in _mbarriers.Keys)
        {
            if (other + 8 > target && other < target + bytes) throw Wrong(line, $"a bulk copy writes over the mbarrier at 0x{other:x}");
        }
        CheckProducts(target, bytes, line);
        byte* from = null;
        for (uint at = 0; at < bytes; at += 16)
        {
            byte* part = Access.LoadGlobal(frame, source + at, 16, line);
            if (at == 0) from = part;
        }
        ulong offset = frame->SharedBase + target - Arena.Base;
        if (frame->Watch is not null) SharedWatch.WriteAsync(frame, barrier.BulkAgent, barrier.Phase + 1, offset, (int)bytes, line);
        arena.MarkUnwritten(frame->SharedBase + target, bytes);
        CountBulk(bytes, stores: false);
        _flying.Add(new(barrier, barrier.Phase, target, (nint)from, (int)bytes, frame->Thread, line, 0));
    }

    /// <summary>cp.async.mbarrier.arrive.noinc: arrives when the thread's copies so far have landed.</summary>
    /// <param name="frame">The thread.</param>
    /// <param name="address">The mbarrier.</param>
    /// <param name="line">The line of the PTX.</param>
    public void ArriveAfterCopies(Frame* frame, ulong address, int line)
    {
        Mbarrier barrier = Find(frame, address, line);
        _flying.Add(new(barrier, barrier.Phase, 0, 0, 0, frame->Thread, line, _copyNumber));
    }

    // Lets all that is under way land; false if nothing is.
    private bool Land()
    {
        if (_flying.Count == 0) return false;
        foreach (Flying copy in _flying)
        {
            Mbarrier barrier = copy.Barrier;
            if (copy.Bytes == 0) LandCopies(copy);
            else LandBulk(copy);
            barrier.TryEnd(Agents);
        }
        _flying.Clear();
        WakeWaiting();
        return true;
    }

    private void LandBulk(Flying copy)
    {
        if (copy.Barrier.Phase != copy.Phase)
        {
            throw new FaultException(CudaResult.LaunchFailed, copy.Line,
                $"{copy.Bytes} bytes come to the mbarrier at shared address 0x{copy.Barrier.Address:x} when its phase {copy.Phase} is over"
                + ": expect_tx told it of fewer bytes than there are")
            { Thread = copy.Thread };
        }
        ulong to = FrameOf(0)->SharedBase + copy.Target;
        Buffer.MemoryCopy((byte*)copy.Source, arena.Host(to), copy.Bytes, copy.Bytes);
        arena.MarkWritten(to, copy.Bytes);
        copy.Barrier.Come += copy.Bytes;
    }

    private void LandCopies(Flying arrival)
    {
        Mbarrier barrier = arrival.Barrier;
        CompleteBefore(arrival.Thread, arrival.Copies, barrier.CopyAgent, barrier.Phase + 1);
        if (barrier.Pending == 0)
        {
            throw new FaultException(CudaResult.LaunchFailed, arrival.Line,
                $"one arrives more than are missing, at the mbarrier at shared address 0x{barrier.Address:x}")
            { Thread = arrival.Thread };
        }
        barrier.Arrive(1);
    }

    /// <summary>cp.async.bulk from shared to global memory.</summary>
    /// <param name="frame">The thread.</param>
    /// <param name="target">Where to.</param>
    /// <param name="source">Where from, in shared memory.</param>
    /// <param name="bytes">How much.</param>
    /// <param name="line">The line of the PTX.</param>
    public void BulkStore(Frame* frame, ulong target, ulong source, uint bytes, int line)
    {
        CheckBulk(frame, source, target, bytes, line);
        if (!_storing.TryGetValue(frame->Thread, out (int Agent, int Group) storing))
        {
            string missing = "cp.async.bulk.wait_group.read has not waited for it";
            storing = (_orders?.Add($"a bulk store of thread {frame->Thread}", missing, line) ?? 0, 1);
            _storing.Add(frame->Thread, storing);
        }
        (int Writer, uint Clock, int How) known = default;
        for (uint at = 0; at < bytes; at += 16)
        {
            ReadAsync(frame, 1, storing.Agent, (uint)storing.Group, source + at, line, ref known);
            Access.StoreGlobal(frame, target + at, 16, line);
        }
        arena.MarkUnwritten(target, bytes);
        CountBulk(bytes, stores: true);
        _stores.Add(new(frame->Thread, storing.Group, target, source, (int)bytes, line));
    }

    // 16 bytes of shared memory that are read by another than the thread, for `count` threads.
    private void ReadAsync(Frame* frame, int count, int agent, uint clock, ulong address, int line,
        ref (int Writer, uint Clock, int How) known)
    {
        if (address + 16 > (ulong)frame->SharedBytes) throw Faults.Outside("shared", "read", frame, address, 16, line);
        ulong offset = frame->SharedBase + address - Arena.Base;
        if (*(uint*)(frame->State + (offset >> 2)) != uint.MaxValue) throw Faults.Load(frame, offset, 16, line);
        if (frame->Watch is not null) SharedWatch.ReadAsync(frame, _frameBytes, count, agent, clock, offset, line, ref known);
    }

    /// <summary>cp.async.bulk.commit_group.</summary>
    /// <param name="frame">The thread.</param>
    public void CommitBulkStores(Frame* frame)
    {
        if (_storing.TryGetValue(frame->Thread, out (int Agent, int Group) storing))
            _storing[frame->Thread] = (storing.Agent, storing.Group + 1);
    }

    /// <summary>cp.async.bulk.wait_group, of reads alone or of all.</summary>
    /// <param name="frame">The thread.</param>
    /// <param name="groups">Groups that may stay under way.</param>
    public void WaitForBulkStores(Frame* frame, int groups)
    {
        if (!_storing.TryGetValue(frame->Thread, out (int Agent, int Group) storing)) return;
        int done = storing.Group - 1 - groups;
        foreach (FlyingStore store in _stores)
        {
            if (store.Thread != frame->Thread || store.Group > done) continue;
            Buffer.MemoryCopy(arena.Host(frame->SharedBase + store.Source), arena.Host(store.Target), store.Bytes, store.Bytes);
            arena.MarkWritten(store.Target, store.Bytes);
        }
        _stores.RemoveAll(s => s.Thread == frame->Thread && s.Group <= done);
        if (done > 0) _orders?.Learn(frame->Thread, storing.Agent, (uint)done);
    }

    private void FinishBulkStores(Frame* frame)
    {
        int first = _stores.FindIndex(s => s.Thread == frame->Thread);
        if (first < 0) return;
        throw Wrong(_stores[first].Line, "the thread ends while its bulk store reads shared memory: cp.async.bulk.wait_group is missing");
    }

    private void CountBulk(uint bytes, bool stores)
    {
        if (_statistics is null) return;
        _statistics.GlobalRequests++;
        if (stores)
        {
            _statistics.GlobalBytesWritten += bytes;
            _statistics.GlobalSectorsWritten += bytes / 32;
        }
        else
        {
            _statistics.GlobalBytesRead += bytes;
            _statistics.GlobalSectorsRead += bytes / 32;
        }
    }

    // What is said of a bulk copy that has not landed where it is read.
    private string BulkUnderWay(ulong sharedAddress)
    {
        foreach (Flying copy in _flying)
        {
            if (sharedAddress + 16 <= copy.Target || sharedAddress >= copy.Target + (ulong)copy.Bytes) continue;
            return $"; a bulk copy to it (thread {copy.Thread}, line {copy.Line}) is under way, {copy.Barrier.Lacking()}";
        }
        return "";
    }
}
