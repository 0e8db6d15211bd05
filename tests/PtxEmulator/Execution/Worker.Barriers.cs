using Gradpath.Kernels.Cuda.Driver;
using Gradpath.PtxEmulator.Compile;

namespace Gradpath.PtxEmulator.Execution;

/// <summary>Barriers of the block, and what is said of threads that wait for ever.</summary>
internal sealed unsafe partial class Worker
{
    private bool IsBarrier(int thread) =>
        _status[thread] >= 0 && _launch.Kernel.Collectives[_status[thread]].Kind is CollectiveKind.Barrier or CollectiveKind.BarrierReduce;

    // By barrier the threads that have arrived and do not wait, and what they let others know.
    private readonly uint[] _arrived = new uint[16];
    private readonly uint[]?[] _told = new uint[16][];

    // Opens every barrier at which all it waits for have arrived; called when no thread can run.
    private bool OpenBarriers()
    {
        bool opened = false;
        for (int first = 0; first < _threads; first++)
        {
            if (_status[first] < 0 || !IsBarrier(first)) continue;
            uint name = FrameOf(first)->Exchange[0], count = FrameOf(first)->Exchange[1];
            if (name > 15) throw Fault(first, $"there is no barrier {name}: they are 0 to 15");
            opened |= TryOpen(first, name, count == 0 ? (uint)_threads : count);
        }
        return opened;
    }

    private bool TryOpen(int first, uint name, uint expected)
    {
        uint arrived = _arrived[name];
        for (int thread = first; thread < _threads; thread++)
        {
            if (IsBarrier(thread) && FrameOf(thread)->Exchange[0] == name) arrived++;
        }
        if (arrived < expected) return false;
        if (arrived > expected)
            throw Fault(first, $"divergent barrier: {arrived} threads wait at barrier {name}, which counts {expected}");
        Open(first, name);
        return true;
    }

    /// <summary>bar.arrive: the thread counts at a barrier and does not wait.</summary>
    /// <param name="frame">The thread.</param>
    /// <param name="name">The barrier.</param>
    /// <param name="count">Threads that it counts.</param>
    /// <param name="line">The line of the PTX.</param>
    public void ArriveAtBarrier(Frame* frame, uint name, uint count, int line)
    {
        if (name > 15) throw Wrong(line, $"there is no barrier {name}: they are 0 to 15");
        if (count == 0 || count % Lanes != 0) throw Wrong(line, $"a barrier counts whole warps, not {count} threads");
        _arrived[name]++;
        if (_orders is not null)
        {
            _told[name] ??= new uint[_orders.Length];
            _orders.Release(frame->Thread, _told[name]!);
        }
        int first = 0;
        while (first < _threads && !(IsBarrier(first) && FrameOf(first)->Exchange[0] == name)) first++;
        if (first < _threads) TryOpen(first, name, count);
        else if (_arrived[name] > count) throw Wrong(line, $"{_arrived[name]} threads arrive at barrier {name}, which counts {count}");
    }

    private void Open(int first, uint name)
    {
        Span<int> at = stackalloc int[Lanes];
        at.Fill(-1);
        uint ones = 0, arrived = 0;
        for (int thread = first; thread < _threads; thread++)
        {
            if (!IsBarrier(thread) || FrameOf(thread)->Exchange[0] != name) continue;
            int status = _status[thread];
            ref int warpAt = ref at[thread / Lanes];
            bool aligned = _launch.Kernel.Collectives[status].Instruction is { Op: "bar" }
                || _launch.Kernel.Collectives[status].Instruction.Has("aligned");
            if (aligned && warpAt >= 0 && warpAt != status)
            {
                throw Fault(thread, $"divergent barrier: thread {FirstAt(thread / Lanes, warpAt)} of the same warp waits at line "
                    + $"{_launch.Kernel.Collectives[warpAt].Instruction.Line}");
            }
            warpAt = status;
            arrived++;
            if (_launch.Kernel.Collectives[status].Kind == CollectiveKind.BarrierReduce) ones += FrameOf(thread)->Exchange[2];
        }
        Tick();
        _arrived[name] = 0;
        if (_orders is not null)
        {
            _orders.Meet([.. Enumerable.Range(0, _threads).Where(t => IsBarrier(t) && FrameOf(t)->Exchange[0] == name)], _told[name]);
            _told[name] = null;
        }
        *BarrierTime = _clock;
        for (int warp = 0; warp * Lanes < _threads; warp++) *WarpTime(warp) = *MeetTime(warp) = _clock;
        for (int thread = first; thread < _threads; thread++)
        {
            if (!IsBarrier(thread) || FrameOf(thread)->Exchange[0] != name) continue;
            string mode = _launch.Kernel.Collectives[_status[thread]].Mode;
            FrameOf(thread)->Exchange[0] = mode switch
            {
                "popc" => ones,
                "and" => ones == arrived ? 1u : 0u,
                _ => ones > 0 ? 1u : 0u,
            };
            _status[thread] = Ready;
        }
    }

    private int FirstAt(int warp, int status) => Array.IndexOf(_status, status, warp * Lanes);

    private FaultException Fault(int thread, string what) =>
        new(CudaResult.LaunchFailed, _status[thread] >= 0 ? _launch.Kernel.Collectives[_status[thread]].Instruction.Line : 0,
            what)
        { Thread = thread };

    // No thread can run and no barrier opens.
    private FaultException Stuck()
    {
        int exited = Array.IndexOf(_status, CompiledKernel.Exited, 0, _threads);
        for (int thread = 0; thread < _threads; thread++)
        {
            if (_status[thread] < 0 || !_launch.Kernel.Collectives[_status[thread]].OfWarp) continue;
            uint mask = FrameOf(thread)->Exchange[KernelCompiler.MaskWord];
            int first = thread / Lanes * Lanes;
            for (int lane = 0; lane < Lanes && first + lane < _threads; lane++)
            {
                if ((mask >> lane & 1) == 0) continue;
                bool waits = _status[first + lane] == _status[thread];
                if (waits && FrameOf(first + lane)->Exchange[KernelCompiler.MaskWord] == mask) continue;
                return Fault(thread, $"divergent warp: '{_launch.Kernel.Collectives[_status[thread]].Instruction.Text}' waits for lane "
                    + $"{lane}, which {Where(first + lane)}");
            }
        }
        if (StuckAtMbarrier() is { } atMbarrier) return atMbarrier;
        if (StuckInWarpgroup() is { } inWarpgroup) return inWarpgroup;
        int waiting = Array.FindIndex(_status, 0, _threads, s => s >= 0);
        if (exited >= 0) return Fault(waiting, $"divergent barrier: the thread waits while thread {exited} has ended");
        int other = Array.FindIndex(_status, 0, _threads, s => s >= 0 && s != _status[waiting]);
        return Fault(waiting, other < 0 ? "deadlock: the barrier counts more threads than the block has"
            : $"deadlock: thread {other} {Where(other)}");
    }

    private string Where(int thread) => _status[thread] switch
    {
        CompiledKernel.Exited => "has ended",
        Ready => "has not come here",
        int at => $"waits at line {_launch.Kernel.Collectives[at].Instruction.Line} ({_launch.Kernel.Collectives[at].Instruction.Text})",
    };
}
