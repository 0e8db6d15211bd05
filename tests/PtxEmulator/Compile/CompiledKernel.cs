using Gradpath.PtxEmulator.Execution;
using Gradpath.PtxEmulator.Ptx;

namespace Gradpath.PtxEmulator.Compile;

/// <summary>Runs one thread until it ends, lets others go on or comes to a collective.</summary>
/// <returns>The number of the collective, <see cref="Exited"/> or <see cref="Yielded"/>.</returns>
internal unsafe delegate int ThreadCode(Frame* frame, Worker worker);

/// <summary>A point where a thread stops until the scheduler has done something for it.</summary>
/// <param name="Kind">What is done.</param>
/// <param name="Mode">The modifier that tells variants of a kind apart.</param>
/// <param name="Instruction">Where.</param>
internal sealed record Collective(CollectiveKind Kind, string Mode, Instruction Instruction)
{
    /// <summary>Whether the lanes of a warp that a mask names do it together.</summary>
    public bool OfWarp { get; } = Kind is not (CollectiveKind.Barrier or CollectiveKind.BarrierReduce) && Kind < CollectiveKind.Phase;

    /// <summary>Whether the four warps of a warpgroup do it together.</summary>
    public bool OfWarpgroup { get; } = Kind > CollectiveKind.Phase;

    /// <summary>A warpgroup's product.</summary>
    public WarpgroupProduct? Product { get; init; }

    /// <summary>Groups that may stay under way, or registers of a thread.</summary>
    public int Number { get; init; }
}

internal enum CollectiveKind
{
    Barrier,
    BarrierReduce,
    WarpBarrier,
    Shuffle,
    Vote,
    Reduce,
    Match,
    Matrix,
    LoadMatrix,
    StoreMatrix,
    Elect,

    /// <summary>A thread waits for a phase of an mbarrier.</summary>
    Phase,
    WarpgroupFence,
    WarpgroupProduct,
    WarpgroupCommit,
    WarpgroupWait,
    WarpgroupRegisters,
}

/// <summary>A load, store, copy or atomic operation, as statistics see it.</summary>
/// <param name="Space">Where; generic addresses count by where they point.</param>
/// <param name="Bytes">What one thread moves.</param>
internal sealed record MemoryInstruction(Space Space, bool Store, int Bytes, Instruction Instruction);

/// <summary>An entry point made into code.</summary>
internal sealed class CompiledKernel
{
    public const int Exited = -1, Yielded = -2;

    /// <summary>The thread goes on in another piece of the code; seen within the code alone.</summary>
    public const int Jumped = -3;

    public required PtxKernel Ptx { get; init; }

    public string Name => Ptx.Name;

    public required Lazy<ThreadCode> Code { get; init; }

    public required Collective[] Collectives { get; init; }

    public required MemoryInstruction[] MemoryInstructions { get; init; }

    /// <summary>Whether it uses mbarriers, bulk copies, products of warpgroups or barriers that do not wait.</summary>
    public required bool IsAsynchronous { get; init; }

    /// <summary>Bytes of a thread's frame and registers.</summary>
    public required int FrameBytes { get; init; }

    public required int ParameterBytes { get; init; }

    public required int StaticSharedBytes { get; init; }

    /// <summary>Where dynamic shared memory begins.</summary>
    public required int DynamicSharedOffset { get; init; }

    public required int LocalBytes { get; init; }

    /// <summary>
    /// Most 32-bit registers that hold something still needed, at any one instruction: what a compiler could make do with.
    /// </summary>
    public required int LiveRegisters { get; init; }
}
