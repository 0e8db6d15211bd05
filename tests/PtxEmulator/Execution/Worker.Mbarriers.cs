using Gradpath.Kernels.Cuda.Driver;
using Gradpath.PtxEmulator.Compile;
using Gradpath.PtxEmulator.Memory;

namespace Gradpath.PtxEmulator.Execution;

/// <summary>mbarriers.</summary>
internal sealed unsafe partial class Worker
{
    private const uint MostArrivals = (1 << 20) - 1, MostBytes = (1 << 20) - 1;
    private const long TurnOfTest = 64;
    private readonly Dictionary<ulong, Mbarrier> _mbarriers = [];

    private int Agents => _orders is null ? 0 : _orders.State->Agents;

    private void BeginMbarriers() => _mbarriers.Clear();

    private static FaultException Wrong(int line, string what, CudaResult result = CudaResult.LaunchFailed) => new(result, line, what);

    /// <summary>mbarrier.init.</summary>
    /// <param name="frame">The thread.</param>
    /// <param name="address">Where.</param>
    /// <param name="count">Arrivals of a phase.</param>
    /// <param name="line">The line of the PTX.</param>
    public void InitMbarrier(Frame* frame, ulong address, uint count, int line)
    {
        if (count is 0 or > MostArrivals) throw Wrong(line, $"an mbarrier cannot count {count} arrivals");
        if (_mbarriers.ContainsKey(address)) throw Wrong(line, $"there is an mbarrier at shared address 0x{address:x} already");
        Access.StoreShared(frame, address, 8, line);
        arena.MarkUnwritten(frame->SharedBase + address, 8);
        string of = $"the mbarrier at shared address 0x{address:x}", missing = $"the thread has not waited for the phase of {of}";
        _mbarriers.Add(address, new Mbarrier((uint)address, count, frame->Thread, _orders?.Length ?? 0)
        {
            BulkAgent = _orders?.Add($"a bulk copy that {of} is told of", missing, line) ?? 0,
            CopyAgent = _orders?.Add($"a cp.async that {of} is told of", missing, line) ?? 0,
        });
    }

    /// <summary>mbarrier.inval.</summary>
    /// <param name="frame">The thread.</param>
    /// <param name="address">Where.</param>
    /// <param name="line">The line of the PTX.</param>
    public void EndMbarrier(Frame* frame, ulong address, int line)
    {
        Find(frame, address, line);
        _mbarriers.Remove(address);
    }

    /// <summary>mbarrier.arrive, with or without bytes to expect.</summary>
    /// <param name="frame">The thread.</param>
    /// <param name="address">The mbarrier.</param>
    /// <param name="count">Arrivals.</param>
    /// <param name="bytes">Bytes that the phase is to expect beside them.</param>
    /// <param name="line">The line of the PTX.</param>
    public void ArriveAtMbarrier(Frame* frame, ulong address, uint count, uint bytes, int line)
    {
        Mbarrier barrier = Find(frame, address, line);
        if (bytes > MostBytes) throw Wrong(line, $"an mbarrier cannot expect {bytes} bytes; the most are {MostBytes}");
        if (count == 0 || count > barrier.Pending)
            throw Wrong(line, $"{count} arrive where {barrier.Pending} are missing, at the mbarrier at shared address 0x{address:x}");
        barrier.Expected += bytes;
        _orders?.Release(frame->Thread, barrier.Told);
        barrier.Arrive(count);
        barrier.TryEnd(Agents);
    }

    /// <summary>mbarrier.try_wait.parity.</summary>
    /// <param name="frame">The thread.</param>
    /// <param name="address">The mbarrier.</param>
    /// <param name="parity">The phase's parity.</param>
    /// <param name="line">The line of the PTX.</param>
    /// <returns>Whether the phase is over; where it is not, the thread stops.</returns>
    public bool TryWait(Frame* frame, ulong address, uint parity, int line)
    {
        Mbarrier barrier = Find(frame, address, line);
        *(ulong*)frame->Exchange = address;
        frame->Exchange[2] = parity;
        if (!barrier.IsOver(parity)) return false;
        if (barrier.Phase > 0) _orders?.Acquire(frame->Thread, barrier.Known);
        return true;
    }

    /// <summary>mbarrier.test_wait.parity, which does not wait.</summary>
    /// <param name="frame">The thread.</param>
    /// <param name="address">The mbarrier.</param>
    /// <param name="parity">The phase's parity.</param>
    /// <param name="line">The line of the PTX.</param>
    /// <returns>Whether the phase is over; where it is not, others soon have their turn, for the thread may ask again and again.</returns>
    public bool TestWait(Frame* frame, ulong address, uint parity, int line)
    {
        bool over = TryWait(frame, address, parity, line);
        if (!over) frame->YieldAt = Math.Min(frame->YieldAt, frame->Instructions + TurnOfTest);
        return over;
    }

    /// <summary>fence.mbarrier_init: mbarriers that the thread has made are seen by copies.</summary>
    /// <param name="frame">The thread.</param>
    public void FenceMbarriers(Frame* frame)
    {
        foreach (Mbarrier barrier in _mbarriers.Values)
        {
            if (barrier.Thread == frame->Thread) barrier.Fenced = true;
        }
    }

    /// <summary>fence.proxy.async.</summary>
    /// <param name="frame">The thread.</param>
    public void FenceProxy(Frame* frame)
    {
        FenceMbarriers(frame);
        _orders?.FenceProxy(frame->Thread);
    }

    private Mbarrier Find(Frame* frame, ulong address, int line)
    {
        if (address % 8 != 0) throw Faults.Misaligned("use", frame, frame->SharedBase + address - Arena.Base, 8, line);
        if (!_mbarriers.TryGetValue(address, out Mbarrier? barrier))
            throw Wrong(line, $"there is no mbarrier at shared address 0x{address:x}: mbarrier.init has not run for it");
        ulong offset = frame->SharedBase + address - Arena.Base;
        if ((*(ushort*)(frame->State + (offset >> 2)) & 0x0F0F) != 0)
            throw Wrong(line, $"the mbarrier at shared address 0x{address:x} was written over");
        if (_orders is not null && !SharedWatch.Knows(frame, offset))
        {
            throw Wrong(line, $"race: the mbarrier at shared address 0x{address:x} is used here and was made by thread {barrier.Thread}; "
                + "no barrier stands between");
        }
        return barrier;
    }

    private bool WaitsForPhase(int thread) =>
        _status[thread] >= 0 && _launch.Kernel.Collectives[_status[thread]].Kind == CollectiveKind.Phase;

    private Mbarrier Awaited(int thread) => _mbarriers[*(ulong*)FrameOf(thread)->Exchange];

    private bool WakeWaiting()
    {
        bool woken = false;
        for (int thread = 0; thread < _threads; thread++)
        {
            if (!WaitsForPhase(thread)) continue;
            if (!Awaited(thread).IsOver(FrameOf(thread)->Exchange[2])) continue;
            _status[thread] = Ready;
            woken = true;
        }
        return woken;
    }

    // Why a thread waits for a phase that does not end; a phase that lacks bytes alone tells most.
    private FaultException? StuckAtMbarrier()
    {
        int found = -1;
        for (int thread = 0; thread < _threads; thread++)
        {
            if (!WaitsForPhase(thread)) continue;
            if (found < 0 || (Awaited(found).Pending > 0 && Awaited(thread).Pending == 0)) found = thread;
        }
        if (found < 0) return null;
        int other = Array.FindIndex(_status, 0, _threads, s => s >= 0 && s != _status[found]);
        return Fault(found, $"deadlock: the thread waits for {Awaited(found).Lacking()}"
            + (other < 0 ? "" : $"; thread {other} {Where(other)}"));
    }
}
