using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Gradpath.Kernels.Cuda.Driver;
using Gradpath.PtxEmulator.Execution;

namespace Gradpath.PtxEmulator.Memory;

/// <summary>
/// Finds races in the shared memory of kernels in which threads wait for mbarriers or let others work for them. Each thread knows of every
/// agent up to which of its clocks what it did is done; a barrier or a phase of an mbarrier hands this on. Products and bulk copies go
/// through the async proxy: they see a thread's writes only where a fence between the proxies stands on the way.
/// </summary>
internal static unsafe class SharedWatch
{
    private const byte Async = 1, Atomically = 2;

    /// <summary>A thread reads.</summary>
    public static void Read(Frame* frame, ulong offset, int size, int line)
    {
        WatchState* state = frame->Watch;
        uint* seen = state->Row(frame->Thread, WatchState.Written);
        byte halves = Halves(offset, size);
        for (int i = 0; i < Words(size); i++)
        {
            WatchedWord* word = Word(state, offset) + i;
            if (IsNews(word, seen, frame->Thread, halves)) throw Race(frame, word, "read", line);
            AddReader(state, word, (ushort)frame->Thread, seen[frame->Thread], halves, state->Row(frame->Thread, WatchState.Read));
        }
    }

    /// <summary>A thread writes, in an atomic operation or not.</summary>
    public static void Write(Frame* frame, ulong offset, int size, int line, bool atomic)
    {
        WatchState* state = frame->Watch;
        uint* seen = state->Row(frame->Thread, WatchState.Written), read = state->Row(frame->Thread, WatchState.Read);
        byte halves = Halves(offset, size), how = atomic ? Atomically : (byte)0;
        for (int i = 0; i < Words(size); i++)
        {
            WatchedWord* word = Word(state, offset) + i;
            if ((word->How & how & Atomically) == 0 && IsNews(word, seen, frame->Thread, halves))
                throw Race(frame, word, atomic ? "changed atomically" : "written", line);
            CheckReaders(frame, word, read, frame->Thread, halves, line);
            Stamp(state, word, (ushort)frame->Thread, seen[frame->Thread], halves, how);
        }
    }

    /// <summary>A bulk copy, which a thread begins, writes.</summary>
    public static void WriteAsync(Frame* frame, int agent, uint clock, ulong offset, int bytes, int line)
    {
        WatchState* state = frame->Watch;
        uint* seen = state->Row(frame->Thread, WatchState.Written), read = state->Row(frame->Thread, WatchState.Read);
        for (WatchedWord* word = Word(state, offset), end = word + (bytes / 4); word < end; word++)
        {
            if (IsNews(word, seen, -1, 3)) throw Race(frame, word, "written by a bulk copy", line);
            CheckReaders(frame, word, read, frame->Thread, 3, line);
            if (NeedsFence(state, frame->Thread, word)) throw Unfenced(frame, word, "written by a bulk copy", line);
            Stamp(state, word, (ushort)agent, clock, 3, Async);
        }
    }

    /// <summary>What threads begin together reads: 16 bytes.</summary>
    /// <param name="frames">The first thread.</param>
    /// <param name="frameBytes">From one thread's frame to the next.</param>
    /// <param name="count">Threads, each of which must know that what it reads is there.</param>
    /// <param name="agent">Who reads.</param>
    /// <param name="clock">Its clock.</param>
    /// <param name="offset">Where, in the arena.</param>
    /// <param name="line">The line of the PTX.</param>
    /// <param name="known">The writer and its clock that were found good last.</param>
    public static void ReadAsync(
        Frame* frames, int frameBytes, int count, int agent, uint clock, ulong offset, int line,
        ref (int Writer, uint Clock, int How) known)
    {
        WatchState* state = frames->Watch;
        for (int i = 0; i < 4; i++)
        {
            WatchedWord* word = Word(state, offset) + i;
            if (word->WriteClock != 0 && (word->Writer, word->WriteClock, word->How) != known)
            {
                for (int t = 0; t < count; t++)
                {
                    var frame = (Frame*)((byte*)frames + ((long)t * frameBytes));
                    if (IsNews(word, state->Row(frame->Thread, WatchState.Written), frame->Thread, 3))
                        throw Race(frame, word, "read through the async proxy", line);
                    if (NeedsFence(state, frame->Thread, word)) throw Unfenced(frame, word, "read through the async proxy", line);
                }
                known = (word->Writer, word->WriteClock, word->How);
            }
            AddReader(state, word, (ushort)agent, clock, 3, null);
        }
    }

    /// <summary>Takes a copy of a thread's, which is done, for one that the threads behind a phase of an mbarrier know of.</summary>
    public static void Restamp(WatchState* state, int agent, uint clock, ulong offset, int bytes)
    {
        for (WatchedWord* word = Word(state, offset), end = word + (bytes / 4); word < end; word++)
            (word->Writer, word->WriteClock) = ((ushort)agent, clock);
    }

    /// <summary>Whether what was written last comes before what a thread does now.</summary>
    public static bool Knows(Frame* frame, ulong offset) =>
        !IsNews(Word(frame->Watch, offset), frame->Watch->Row(frame->Thread, WatchState.Written), frame->Thread, 3);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static WatchedWord* Word(WatchState* state, ulong offset) => state->Words + ((offset - state->Start) >> 2);

    private static int Words(int size) => size > 4 ? size / 4 : 1;

    private static byte Halves(ulong offset, int size) => size >= 4 ? (byte)3 : (offset & 2) == 0 ? (byte)1 : (byte)2;

    // Whether the word was written by another at a clock that `seen` does not reach.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsNews(WatchedWord* word, uint* seen, int self, byte halves) =>
        word->WriteClock != 0 && word->Writer != self && (word->Halves & halves) != 0 && word->WriteClock > seen[word->Writer];

    private static bool NeedsFence(WatchState* state, int thread, WatchedWord* word) =>
        word->WriteClock != 0 && (word->How & Async) == 0 && word->WriteClock > state->Row(thread, WatchState.Proxied)[word->Writer];

    private static void CheckReaders(Frame* frame, WatchedWord* word, uint* read, int self, byte halves, int line)
    {
        for (int at = word->Readers; at != 0;)
        {
            WatchReader reader = frame->Watch->Readers[at];
            if (reader.Agent != self && (reader.Halves & halves) != 0 && reader.Clock > read[reader.Agent])
            {
                throw new FaultException(CudaResult.LaunchFailed, line,
                    $"race: the word at {Place(frame, word)} is written here and was read by {Name(frame, reader.Agent)}; "
                    + Missing(frame, reader.Agent));
            }
            at = reader.Next;
        }
    }

    // Readers that `before` knows to be done need not be remembered beside a new one.
    private static void AddReader(WatchState* state, WatchedWord* word, ushort agent, uint clock, ushort halves, uint* before)
    {
        for (int at = word->Readers; at != 0; at = state->Readers[at].Next)
        {
            WatchReader* reader = state->Readers + at;
            bool replaced = reader->Agent == agent || (before is not null && reader->Clock <= before[reader->Agent]);
            if (!replaced || (reader->Halves & ~halves) != 0) continue;
            (reader->Agent, reader->Clock, reader->Halves) = (agent, clock, halves);
            return;
        }
        int added = state->FreeReader;
        if (added != 0)
        {
            state->FreeReader = state->Readers[added].Next;
        }
        else
        {
            if (state->ReaderCount == state->ReaderCapacity)
            {
                state->ReaderCapacity *= 2;
                nuint bytes = (nuint)state->ReaderCapacity * (nuint)sizeof(WatchReader);
                state->Readers = (WatchReader*)NativeMemory.Realloc(state->Readers, bytes);
            }
            added = state->ReaderCount++;
        }
        state->Readers[added] = new WatchReader { Agent = agent, Clock = clock, Halves = halves, Next = word->Readers };
        word->Readers = added;
    }

    private static void Stamp(WatchState* state, WatchedWord* word, ushort agent, uint clock, byte halves, byte how)
    {
        while (word->Readers != 0)
        {
            int at = word->Readers;
            word->Readers = state->Readers[at].Next;
            state->Readers[at].Next = state->FreeReader;
            state->FreeReader = at;
        }
        (word->Writer, word->WriteClock, word->Halves, word->How) = (agent, clock, halves, how);
    }

    private static ulong OffsetOf(Frame* frame, WatchedWord* word) =>
        frame->Watch->Start + (ulong)((byte*)word - (byte*)frame->Watch->Words) / (ulong)sizeof(WatchedWord) * 4;

    private static string Place(Frame* frame, WatchedWord* word) => Faults.Place(frame, OffsetOf(frame, word));

    private static SharedOrders Orders(Frame* frame) => (SharedOrders)GCHandle.FromIntPtr(frame->Watch->Owner).Target!;

    private static string Name(Frame* frame, int agent) => Orders(frame).Name(agent);

    private static string Missing(Frame* frame, int agent) => agent < frame->Watch->Threads
        ? "neither a barrier nor a phase of an mbarrier stands between" : Orders(frame).Missing(agent);

    private static FaultException Race(Frame* frame, WatchedWord* word, string access, int line) => new(CudaResult.LaunchFailed, line,
        $"race: the word at {Place(frame, word)} is {access} here and was written by {Name(frame, word->Writer)}; "
        + Missing(frame, word->Writer))
    {
        Thread = frame->Thread,
    };

    private static FaultException Unfenced(Frame* frame, WatchedWord* word, string access, int line) => new(CudaResult.LaunchFailed, line,
        $"the word at {Place(frame, word)} is {access} here and was written by {Name(frame, word->Writer)} through the generic proxy; "
        + "fence.proxy.async between is missing")
    {
        Thread = frame->Thread,
    };
}
