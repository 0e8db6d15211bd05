using System.Numerics;
using Gradpath.Kernels.Cuda.Driver;
using Gradpath.PtxEmulator.Compile;
using Gradpath.PtxEmulator.Memory;

namespace Gradpath.PtxEmulator.Execution;

/// <summary>
/// What goes on beside the threads. Copies land as late as they can: when no thread can go on. So a thread that does not wait for one
/// meets memory that holds nothing.
/// </summary>
internal sealed unsafe partial class Worker
{
    private SharedOrders? _orders, _watch;

    private void WatchShared(ulong shared, int sharedBytes)
    {
        _orders = _watch ??= new SharedOrders();
        _orders.Begin(_threads, shared - Arena.Base, sharedBytes);
    }

    private void Unwatch() => _orders = null;

    private void BeginAsynchronous()
    {
        Array.Clear(_arrived);
        Array.Clear(_told);
        BeginMbarriers();
        BeginBulk();
        BeginWarpgroups();
    }

    // A block's shared memory goes with its last thread.
    private void EndAsynchronous()
    {
        if (_flying.Find(f => f.Bytes > 0) is not { Bytes: > 0 } copy) return;
        throw new FaultException(CudaResult.LaunchFailed, copy.Line,
            $"the block ends while a bulk copy to shared address 0x{copy.Target:x} is under way")
        { Thread = copy.Thread };
    }

    // What can be done between the turns of the warps.
    private bool GoOn(bool ran)
    {
        bool more = MeetWarpgroups();
        if (_yielded) more |= Land();
        return more | WakeWaiting() | ran;
    }

    // What a meeting of lanes orders; lanes that vote or exchange values do not make their writes seen.
    private void OrderLanes(Collective collective, int first, uint lanes)
    {
        var threads = new List<int>(Lanes);
        for (uint rest = lanes; rest != 0; rest &= rest - 1) threads.Add(first + BitOperations.TrailingZeroCount(rest));
        if (collective.Kind == CollectiveKind.WarpBarrier) _orders!.Meet(threads);
        else _orders!.MeetReads(threads);
    }

    private static IEnumerable<int> Warpgroup(int first) => Enumerable.Range(first, WarpgroupThreads);
}
