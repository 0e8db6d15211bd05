namespace Gradpath.PtxEmulator;

/// <summary>What a kernel did over all its launches.</summary>
internal sealed class KernelStatistics
{
    public required string Name { get; init; }

    public long Launches { get; set; }

    public long Blocks { get; set; }

    /// <summary>Threads of a block and dynamic shared memory, of the last launch.</summary>
    public int Threads { get; set; }

    public int DynamicSharedBytes { get; set; }

    /// <summary>PTX instructions, summed over threads; those under a false predicate count too.</summary>
    public long Instructions { get; set; }

    /// <summary>Bytes of global memory that threads asked for; asynchronous copies included.</summary>
    public long GlobalBytesRead { get; set; }

    public long GlobalBytesWritten { get; set; }

    /// <summary>Accesses of whole warps to global memory, and the 32-byte sectors that they touched.</summary>
    public long GlobalRequests { get; set; }

    public long GlobalSectorsRead { get; set; }

    public long GlobalSectorsWritten { get; set; }

    /// <summary>Accesses of whole warps to shared memory; vector accesses count once for each phase.</summary>
    public long SharedRequests { get; set; }

    /// <summary>Turns beyond the first that those took because different words lay in one of 32 banks.</summary>
    public long SharedConflicts { get; set; }

    /// <summary>Products and sums of tensor cores.</summary>
    public long MatrixFlops { get; set; }

    internal void Add(KernelStatistics other)
    {
        GlobalBytesRead += other.GlobalBytesRead;
        GlobalBytesWritten += other.GlobalBytesWritten;
        GlobalRequests += other.GlobalRequests;
        GlobalSectorsRead += other.GlobalSectorsRead;
        GlobalSectorsWritten += other.GlobalSectorsWritten;
        SharedRequests += other.SharedRequests;
        SharedConflicts += other.SharedConflicts;
        MatrixFlops += other.MatrixFlops;
    }
}
