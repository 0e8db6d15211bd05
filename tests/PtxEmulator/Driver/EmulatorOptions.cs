namespace Gradpath.PtxEmulator;

/// <summary>What the emulated GPU is and what is checked and counted.</summary>
internal sealed record EmulatorOptions
{
    /// <summary>Look for races. Blocks then run one after another, so that a report is the same each time.</summary>
    public bool Races { get; init; } = true;

    /// <summary>Count memory traffic and bank conflicts; slower.</summary>
    public bool Count { get; init; }

    /// <summary>Host threads that run blocks where races are not looked for; at most 16.</summary>
    public int HostThreads { get; init; } = Math.Clamp(Environment.ProcessorCount, 1, Memory.Arena.Windows);

    /// <summary>Bytes of device memory.</summary>
    public long MemoryLimit { get; init; } = 8L << 30;

    /// <summary>Instructions that one thread may run in one launch before it counts as hanging.</summary>
    public long InstructionLimit { get; init; } = 4_000_000_000;

    /// <summary>Compute capability and multiprocessors that the driver tells of.</summary>
    public int Major { get; init; } = 9;

    public int Minor { get; init; }

    public int Multiprocessors { get; init; } = 132;

    /// <summary>Dynamic shared memory that a block may be allowed.</summary>
    public int SharedMemoryPerBlock { get; init; } = 227 * 1024;

    /// <summary>Shared memory of a multiprocessor; 0: the driver does not tell, and it is a block's and a KiB.</summary>
    public int SharedMemoryPerMultiprocessor { get; init; }

    /// <summary>Refuse a launch that the registers or the shared memory of a multiprocessor have no room for.</summary>
    public bool Resources { get; init; } = true;

    /// <summary>
    /// Products are rounded together with a sum behind them, as an assembler may where neither says how it rounds.
    /// </summary>
    public bool Fuse { get; init; }

    /// <summary>How tensor cores add; null: exactly within a group of k's, as none does.</summary>
    public Execution.TensorRounding? TensorCores { get; init; }

    /// <summary>Work is done only when it is waited for, and host memory is met as it is then.</summary>
    public bool Deferred { get; init; }

    /// <summary>Launches are checked and not run; all memory counts as written.</summary>
    public bool DryRun { get; init; }

    /// <summary>Devices that are told of.</summary>
    public int DeviceCount { get; init; } = 1;

    /// <summary>Compute capability, times ten.</summary>
    public int Capability => (10 * Major) + Minor;

    /// <summary>Options for one of the GPUs that kernels are assembled for.</summary>
    /// <param name="target">The GPU.</param>
    public static EmulatorOptions Of(GpuTarget target) => new()
    {
        Major = target.Capability / 10,
        Minor = target.Capability % 10,
        Multiprocessors = target.Multiprocessors,
        SharedMemoryPerBlock = target.SharedMemoryPerMultiprocessor - LaunchRoom.ReservedBytes,
        SharedMemoryPerMultiprocessor = target.SharedMemoryPerMultiprocessor,
    };
}
