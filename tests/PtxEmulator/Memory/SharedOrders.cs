using System.Numerics;
using System.Runtime.InteropServices;
using Gradpath.Kernels.Cuda.Driver;
using Gradpath.PtxEmulator.Execution;

namespace Gradpath.PtxEmulator.Memory;

/// <summary>Keeps what the threads of a block know of each other, for <see cref="SharedWatch"/>.</summary>
internal sealed unsafe class SharedOrders : IDisposable
{
    private const int Others = 128;
    private readonly WatchState* _state = (WatchState*)NativeMemory.AllocZeroed((nuint)sizeof(WatchState));
    private readonly List<(string Name, string Missing)> _others = [];
    private readonly GCHandle _self;
    private uint[] _meeting = [];
    private long _clockCapacity, _wordCapacity;

    public SharedOrders() => _self = GCHandle.Alloc(this, GCHandleType.Weak);

    ~SharedOrders() => Dispose();

    /// <summary>What the threads' frames point to.</summary>
    public WatchState* State => _state;

    /// <summary>Numbers that stand for what a thread knows: three rows.</summary>
    public int Length => WatchState.Rows * _state->Agents;

    /// <summary>Makes ready for a block.</summary>
    /// <param name="threads">Its threads.</param>
    /// <param name="start">Where its shared memory begins in the arena.</param>
    /// <param name="sharedBytes">The size of it.</param>
    public void Begin(int threads, ulong start, int sharedBytes)
    {
        _others.Clear();
        (_state->Threads, _state->Agents, _state->Start) = (threads, (threads + Others + 7) / 8 * 8, start);
        _state->Owner = GCHandle.ToIntPtr(_self);
        long clocks = (long)threads * Length, words = (sharedBytes + 15) / 16 * 4;
        if (clocks > _clockCapacity)
        {
            NativeMemory.Free(_state->Clocks);
            _state->Clocks = (uint*)NativeMemory.Alloc((nuint)(_clockCapacity = clocks), sizeof(uint));
        }
        if (words > _wordCapacity)
        {
            NativeMemory.Free(_state->Words);
            _state->Words = (WatchedWord*)NativeMemory.Alloc((nuint)(_wordCapacity = words), (nuint)sizeof(WatchedWord));
        }
        if (_state->Readers is null)
        {
            _state->ReaderCapacity = 4096;
            _state->Readers = (WatchReader*)NativeMemory.Alloc(4096, (nuint)sizeof(WatchReader));
        }
        (_state->ReaderCount, _state->FreeReader) = (1, 0);
        NativeMemory.Clear(_state->Clocks, (nuint)clocks * sizeof(uint));
        NativeMemory.Clear(_state->Words, (nuint)words * (nuint)sizeof(WatchedWord));
        for (int thread = 0; thread < threads; thread++)
        {
            for (int row = 0; row < 2; row++) _state->Row(thread, row)[thread] = 1;
        }
        if (_meeting.Length < Length) _meeting = new uint[Length];
    }

    /// <summary>A number for one who acts beside the threads.</summary>
    /// <param name="name">Who it is.</param>
    /// <param name="missing">What a thread has not done that has not waited for it.</param>
    /// <param name="line">The line of the PTX.</param>
    public int Add(string name, string missing, int line)
    {
        if (_others.Count == Others)
            throw new FaultException(CudaResult.LaunchFailed, line,
                $"more than {Others} mbarriers, warpgroups and storing threads in one block");
        _others.Add((name, missing));
        return _state->Threads + _others.Count - 1;
    }

    /// <summary>Who an agent is.</summary>
    /// <param name="agent">Its number.</param>
    public string Name(int agent) => agent < _state->Threads ? $"thread {agent} of the same block" : _others[agent - _state->Threads].Name;

    /// <summary>What is missing where its work is met too early.</summary>
    /// <param name="agent">Its number, which is none of a thread's.</param>
    public string Missing(int agent) => _others[agent - _state->Threads].Missing;

    /// <summary>A thread lets others know what it did so far.</summary>
    /// <param name="thread">The thread.</param>
    /// <param name="known">What they learn, which is added to.</param>
    public void Release(int thread, uint[] known)
    {
        Largest(known, new ReadOnlySpan<uint>(_state->Row(thread, 0), Length));
        Advance(thread);
    }

    /// <summary>A thread learns what others have let it know.</summary>
    /// <param name="thread">The thread.</param>
    /// <param name="known">What they did.</param>
    public void Acquire(int thread, uint[] known) => Largest(new Span<uint>(_state->Row(thread, 0), Length), known);

    /// <summary>A thread or all of them learn that an agent has done its work up to a clock.</summary>
    /// <param name="thread">The thread.</param>
    /// <param name="agent">The agent.</param>
    /// <param name="clock">The clock.</param>
    public void Learn(int thread, int agent, uint clock)
    {
        for (int row = 0; row < WatchState.Rows; row++)
        {
            uint* known = _state->Row(thread, row) + agent;
            *known = Math.Max(*known, clock);
        }
    }

    /// <summary>Threads meet and learn all of each other.</summary>
    /// <param name="threads">The threads.</param>
    /// <param name="more">What else they learn.</param>
    public void Meet(IEnumerable<int> threads, uint[]? more = null)
    {
        Span<uint> known = _meeting.AsSpan(0, Length);
        known.Clear();
        if (more is not null) Largest(known, more);
        foreach (int thread in threads) Largest(known, new ReadOnlySpan<uint>(_state->Row(thread, 0), Length));
        foreach (int thread in threads)
        {
            known.CopyTo(new Span<uint>(_state->Row(thread, 0), Length));
            Advance(thread);
        }
    }

    /// <summary>Threads meet so that what they read before comes before what they write afterwards.</summary>
    /// <param name="threads">The threads.</param>
    public void MeetReads(IEnumerable<int> threads)
    {
        Span<uint> known = _meeting.AsSpan(0, _state->Agents);
        known.Clear();
        foreach (int thread in threads) Largest(known, new ReadOnlySpan<uint>(_state->Row(thread, WatchState.Read), known.Length));
        foreach (int thread in threads)
        {
            known.CopyTo(new Span<uint>(_state->Row(thread, WatchState.Read), known.Length));
            Advance(thread);
        }
    }

    /// <summary>A thread's fence between the proxies: all writes that it knows of are seen through the async proxy, too.</summary>
    /// <param name="thread">The thread.</param>
    public void FenceProxy(int thread)
    {
        Largest(new Span<uint>(_state->Row(thread, WatchState.Proxied), _state->Agents),
            new ReadOnlySpan<uint>(_state->Row(thread, WatchState.Written), _state->Agents));
        Advance(thread);
    }

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        if (!_self.IsAllocated) return;
        NativeMemory.Free(_state->Clocks);
        NativeMemory.Free(_state->Words);
        NativeMemory.Free(_state->Readers);
        NativeMemory.Free(_state);
        _self.Free();
    }

    // What the thread does from now on is none of what others were told of.
    private void Advance(int thread)
    {
        uint now = ++_state->Row(thread, WatchState.Written)[thread];
        _state->Row(thread, WatchState.Read)[thread] = now;
    }

    private static void Largest(Span<uint> to, ReadOnlySpan<uint> from)
    {
        from = from[..to.Length];
        int n = 0;
        for (; n + Vector<uint>.Count <= to.Length; n += Vector<uint>.Count)
            Vector.Max(new Vector<uint>(to[n..]), new Vector<uint>(from[n..])).CopyTo(to[n..]);
        for (; n < to.Length; n++) to[n] = Math.Max(to[n], from[n]);
    }
}
