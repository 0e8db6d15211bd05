namespace Gradpath.PtxEmulator.Memory;

/// <summary>Who touched a word of shared memory, as <see cref="SharedWatch"/> keeps it.</summary>
internal struct WatchedWord
{
    /// <summary>The writer's clock then; 0: not yet written.</summary>
    public uint WriteClock;

    public ushort Writer;

    /// <summary>Which halves of the word.</summary>
    public byte Halves;

    /// <summary>Written through the async proxy, or by an atomic operation.</summary>
    public byte How;

    /// <summary>The first of those who read it since; 0: none.</summary>
    public int Readers;
}

/// <summary>One who read a word.</summary>
internal struct WatchReader
{
    public uint Clock;
    public ushort Agent;
    public ushort Halves;

    /// <summary>The next; 0: none.</summary>
    public int Next;
}

/// <summary>
/// What is known of a block's shared memory. Agents are the threads and, behind them, what acts on its own: bulk copies, by the mbarrier
/// that they tell, bulk stores, by their thread, and products, by their warpgroup.
/// </summary>
internal unsafe struct WatchState
{
    /// <summary>Rows of a thread.</summary>
    public const int Written = 0, Read = 1, Proxied = 2, Rows = 3;

    /// <summary>Where the block's shared memory begins in the arena, in bytes.</summary>
    public ulong Start;

    public int Threads;

    /// <summary>Length of a row.</summary>
    public int Agents;

    /// <summary>Of every thread by agent the clock up to which that agent's writes, its reads, and its writes behind a fence between the
    /// proxies come before what the thread does now.</summary>
    public uint* Clocks;

    public WatchedWord* Words;

    public WatchReader* Readers;

    public int ReaderCount;

    public int ReaderCapacity;

    public int FreeReader;

    /// <summary>The <see cref="SharedOrders"/> that it belongs to, which knows names.</summary>
    public nint Owner;

    public readonly uint* Row(int thread, int row) => Clocks + ((((long)thread * Rows) + row) * Agents);
}
