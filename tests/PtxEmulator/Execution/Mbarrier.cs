namespace Gradpath.PtxEmulator.Execution;

/// <summary>An mbarrier: a phase is over when all that it counts have arrived and all bytes that it was told to expect.</summary>
/// <param name="address">Where it lies in shared memory.</param>
/// <param name="count">Arrivals of a phase.</param>
/// <param name="thread">The thread that made it.</param>
/// <param name="known">Numbers for what threads know; 0 where races are not looked for.</param>
internal sealed class Mbarrier(uint address, uint count, int thread, int known)
{
    public uint Address { get; } = address;

    public uint Count { get; } = count;

    public int Thread { get; } = thread;

    /// <summary>Whether a fence stands behind its making.</summary>
    public bool Fenced { get; set; }

    /// <summary>Phases that are over.</summary>
    public uint Phase { get; private set; }

    /// <summary>Arrivals that the phase still wants.</summary>
    public uint Pending { get; private set; } = count;

    /// <summary>Bytes that the phase was told of, and those that have come.</summary>
    public long Expected { get; set; }

    public long Come { get; set; }

    /// <summary>What arriving threads have let others know, and what of it those learn that wait for the last phase.</summary>
    public uint[] Told { get; } = new uint[known];

    public uint[] Known { get; } = new uint[known];

    /// <summary>The numbers of bulk copies and of other copies that tell it.</summary>
    public int BulkAgent { get; init; }

    public int CopyAgent { get; init; }

    /// <summary>Whether the phase of a parity is over, as mbarrier.try_wait.parity asks.</summary>
    /// <param name="parity">The parity.</param>
    public bool IsOver(uint parity) => (Phase & 1) != (parity & 1);

    /// <summary>Threads arrive.</summary>
    /// <param name="arrivals">Their number, at most <see cref="Pending"/>.</param>
    public void Arrive(uint arrivals) => Pending -= arrivals;

    /// <summary>Ends the phase where nothing is missing.</summary>
    /// <param name="agents">Agents of a row of what is known; 0 where races are not looked for.</param>
    public void TryEnd(int agents)
    {
        if (Pending > 0 || Expected != Come) return;
        Phase++;
        (Pending, Expected, Come) = (Count, 0, 0);
        Told.CopyTo(Known, 0);
        if (agents == 0) return;
        for (int row = 0; row < Memory.WatchState.Rows; row++)
        {
            Known[(row * agents) + BulkAgent] = Phase;
            // Bulk copies are of the async proxy itself; the others are not.
            if (row != Memory.WatchState.Proxied) Known[(row * agents) + CopyAgent] = Phase;
        }
    }

    /// <summary>What the phase lacks.</summary>
    public string Lacking()
    {
        string bytes = Expected == Come ? ""
            : $"; expect_tx told it of {Expected} bytes, of which "
                + (Come > Expected ? $"{Come} have come" : $"{Expected - Come} are missing");
        return $"phase {Phase} of the mbarrier at shared address 0x{Address:x}: {Pending} of {Count} arrivals are missing{bytes}";
    }
}
