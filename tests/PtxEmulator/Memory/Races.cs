using System.Runtime.CompilerServices;
using Gradpath.Kernels.Cuda.Driver;
using Gradpath.PtxEmulator.Execution;

namespace Gradpath.PtxEmulator.Memory;

/// <summary>
/// Finds two accesses to one word of shared or global memory, at least one a write, that nothing orders. Accesses of one thread are
/// in order; a barrier orders a block's threads; bar.warp.sync orders a warp's lanes; shfl, vote, mma and the like order their reads
/// before it and their writes behind it, since a warp's accesses leave it in order, but do not make writes seen. A meeting of some lanes
/// is taken for one of all. Blocks of one launch are ordered by fences with atomic
/// operations alone (see the worker's orders). Atomic operations do not race with each other. The shared memory of kernels with mbarriers
/// and the like is for <see cref="SharedWatch"/>.
/// </summary>
/// <remarks>
/// Each word carries two stamps: its last write and its reads. A stamp is, from the high end, launch (11 bits, 0: none), block (16),
/// thread (10), time (22: the block's clock, which every meeting of threads advances, as of the thread's last meeting), kind (2: of a read
/// stamp, whether one thread, lanes of one warp, warps of one block or several blocks read), atomic (1), halves (2: the bytes of the word).
/// An access to part of a word is compared with accesses to the same half; single bytes are not watched. Where two threads have written the
/// two halves of a word, only the later one is remembered. More than 65536 blocks share numbers: then a race may be missed.
/// </remarks>
internal static unsafe class Races
{
    public const int LaunchShift = 53, BlockShift = 37, ThreadShift = 27, TimeShift = 5;
    public const ulong LastLaunch = (1 << 11) - 1, LastTime = (1 << 22) - 1;
    private const int WarpShift = ThreadShift + 5;
    private const ulong TimeMask = LastTime << TimeShift, KindMask = 3 << 3, AtomicBit = 1 << 2, HalvesMask = 3;
    private const ulong OneThread = 0, OneWarp = 1 << 3, OneBlock = 2 << 3, ManyBlocks = 3 << 3;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Read(Frame* frame, ulong offset, int size, int line)
    {
        if (size == 1) return;
        if (frame->Watch is not null && offset - frame->Watch->Start < Arena.SharedWindow)
        {
            SharedWatch.Read(frame, offset, size, line);
            return;
        }
        ulong now = Now(frame, offset, size);
        ulong* stamps = frame->Stamps + (offset >> 2) * 2, end = stamps + (size > 4 ? size / 2 : 2);
        for (; stamps < end; stamps += 2)
        {
            ulong write = stamps[0];
            if (Conflict(frame, write, now, write: true)) throw Report(frame, stamps, write, now, "read", "written", line);
            if (stamps[1] != now) stamps[1] = AddReader(frame, stamps[1], now);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Write(Frame* frame, ulong offset, int size, int line)
    {
        if (size == 1) return;
        if (frame->Watch is not null && offset - frame->Watch->Start < Arena.SharedWindow)
        {
            SharedWatch.Write(frame, offset, size, line, atomic: false);
            return;
        }
        ulong now = Now(frame, offset, size);
        ulong* stamps = frame->Stamps + (offset >> 2) * 2, end = stamps + (size > 4 ? size / 2 : 2);
        for (; stamps < end; stamps += 2)
        {
            ulong write = stamps[0], read = stamps[1];
            if (Conflict(frame, write, now, write: true)) throw Report(frame, stamps, write, now, "written", "written", line);
            if (Conflict(frame, read, now, write: false)) throw Report(frame, stamps, read, now, "written", "read", line);
            stamps[0] = now;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Atomic(Frame* frame, ulong offset, int size, int line)
    {
        if (frame->Watch is not null && offset - frame->Watch->Start < Arena.SharedWindow)
        {
            SharedWatch.Write(frame, offset, size, line, atomic: true);
            return;
        }
        ulong now = Now(frame, offset, size) | AtomicBit;
        ulong* stamps = frame->Stamps + (offset >> 2) * 2, end = stamps + (size > 4 ? size / 2 : 2);
        for (; stamps < end; stamps += 2)
        {
            ulong write = stamps[0], read = stamps[1];
            if ((write & AtomicBit) == 0 && Conflict(frame, write, now, write: true))
                throw Report(frame, stamps, write, now, "changed atomically", "written", line);
            if (Conflict(frame, read, now, write: false)) throw Report(frame, stamps, read, now, "changed atomically", "read", line);
            stamps[0] = now;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Now(Frame* frame, ulong offset, int size)
    {
        ulong halves = size >= 4 ? 3UL : (offset & 2) == 0 ? 1UL : 2UL;
        return frame->Identity | (*frame->MeetTime << TimeShift) | halves;
    }

    // Whether the stamp's access is by another thread and nothing orders it before now.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Conflict(Frame* frame, ulong stamp, ulong now, bool write)
    {
        if (stamp >> LaunchShift != now >> LaunchShift) return false;
        if ((stamp & now & HalvesMask) == 0) return false;
        ulong kind = write ? OneThread : stamp & KindMask;
        if (kind == ManyBlocks) return true;
        ulong time = (stamp & TimeMask) >> TimeShift;
        if (stamp >> BlockShift != now >> BlockShift) return !write || !Ordered(frame, (int)(stamp >> BlockShift & 65535), time);
        if (time < *frame->BarrierTime) return false;
        if (kind == OneBlock) return true;
        if (stamp >> WarpShift != now >> WarpShift) return true;
        if (time < (write ? *frame->WarpTime : *frame->MeetTime)) return false;
        return kind == OneWarp || stamp >> ThreadShift != now >> ThreadShift;
    }

    // Whether what a block wrote at a time of its own is ordered before this thread's access.
    private static bool Ordered(Frame* frame, int block, ulong time) =>
        frame->Ordered is not null && time < frame->Ordered[block]
            && (frame->AcquiredBy == frame->Thread || *frame->BarrierTime > frame->AcquiredAt);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong AddReader(Frame* frame, ulong read, ulong now)
    {
        if (read >> LaunchShift != now >> LaunchShift) return now;
        ulong kind = read & KindMask;
        if (kind == ManyBlocks) return read | (now & HalvesMask);
        if (read >> BlockShift != now >> BlockShift) return (now & ~KindMask) | ManyBlocks | (read & HalvesMask);
        ulong time = (read & TimeMask) >> TimeShift;
        if (time < *frame->BarrierTime) return now;
        ulong halves = read & HalvesMask;
        if (kind == OneBlock || read >> WarpShift != now >> WarpShift) return (now & ~KindMask) | OneBlock | halves;
        if (time < *frame->MeetTime) return now;
        if (kind == OneWarp || read >> ThreadShift != now >> ThreadShift) return (now & ~KindMask) | OneWarp | halves;
        return now | halves;
    }

    private static FaultException Report(Frame* frame, ulong* at, ulong stamp, ulong now, string access, string before, int line)
    {
        ulong offset = (ulong)(at - frame->Stamps) / 2 * 4;
        int thread = (int)(stamp >> ThreadShift & 1023), block = (int)(stamp >> BlockShift & 65535);
        bool sameBlock = stamp >> BlockShift == now >> BlockShift, sameThread = stamp >> ThreadShift == now >> ThreadShift;
        string who = before == "read" && sameThread ? "another thread"
            : sameBlock ? $"thread {thread} of the same block" : $"thread {thread} of block {block}";
        string missing = !sameBlock ? "blocks of one launch are not ordered" : "with no barrier between";
        return new(CudaResult.LaunchFailed, line,
            $"race: the word at {Faults.Place(frame, offset)} is {access} here and was {before} by {who}; {missing}")
        {
            Address = offset
            + Arena.Base
        };
    }
}
