using System.Runtime.InteropServices;
using Gradpath.PtxEmulator.Memory;

namespace Gradpath.PtxEmulator.Execution;

/// <summary>
/// What orders blocks of one launch: a thread that has passed a barrier of its block and then a fence releases, by an atomic operation,
/// what the block wrote before the barrier; a thread that meets the same word by an atomic operation later and then passes a fence acquires
/// it, for itself and, behind the next barrier, for its block. Blocks run one after another where races are looked for, so "later" is the
/// order in which they run.
/// </summary>
internal sealed unsafe partial class Worker
{
    private readonly Dictionary<ulong, List<(int Block, ulong Time)>> _released = [];
    private readonly List<(int Block, ulong Time)> _met = [];
    private readonly ulong[] _ordered = GC.AllocateArray<ulong>(65536, pinned: true);
    private int _acquired;

    /// <summary>A fence that other blocks notice.</summary>
    /// <param name="frame">The thread.</param>
    public void Fence(Frame* frame)
    {
        frame->Released = *frame->BarrierTime;
        if (frame->Acquires == 0) return;
        frame->Acquires = 0;
        foreach ((int block, ulong time) in _met) _ordered[block] = Math.Max(_ordered[block], time);
        _acquired += _met.Count;
        _met.Clear();
        for (int thread = 0; thread < _threads; thread++)
        {
            FrameOf(thread)->Ordered = (ulong*)Marshal.UnsafeAddrOfPinnedArrayElement(_ordered, 0);
            FrameOf(thread)->AcquiredBy = frame->Thread;
            FrameOf(thread)->AcquiredAt = _clock;
        }
    }

    /// <summary>A thread comes to an atomic operation.</summary>
    /// <param name="frame">The thread.</param>
    /// <param name="address">The word.</param>
    public void MeetAtomic(Frame* frame, ulong address)
    {
        if (frame->Stamps is null) return;
        int block = (int)(frame->Identity >> Races.BlockShift & 65535);
        if (!_released.TryGetValue(address, out List<(int Block, ulong Time)>? released)) _released.Add(address, released = []);
        foreach ((int other, ulong time) in released)
        {
            if (other != block) _met.Add((other, time));
        }
        frame->Acquires = 1;
        if (frame->Released == *frame->BarrierTime) released.Add((block, frame->Released));
    }

    private void ForgetOrders(bool launch)
    {
        if (launch) _released.Clear();
        _met.Clear();
        if (_acquired == 0) return;
        Array.Clear(_ordered);
        _acquired = 0;
    }
}
