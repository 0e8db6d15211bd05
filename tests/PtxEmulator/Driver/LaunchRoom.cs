using Gradpath.PtxEmulator.Compile;

namespace Gradpath.PtxEmulator;

/// <summary>Whether a multiprocessor has room for a block.</summary>
internal static class LaunchRoom
{
    /// <summary>Shared memory of every block that the driver keeps for itself.</summary>
    public const int ReservedBytes = 1024;

    /// <summary>32-bit registers of a multiprocessor; a warp gets them 256 at a time, and warps count four by four.</summary>
    public const int Registers = 65_536;

    private const int Lanes = 32, WarpRegisters = 256, WarpsAtOnce = 4, MostOfThread = 255;

    /// <summary>
    /// Registers of a thread: the assembler's, or where those are not known what the PTX holds at once. A compiler fits a kernel with
    /// bounds to them and puts what is left over into local memory; without bounds only the most of a thread binds it.
    /// </summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="capability">Compute capability, times ten.</param>
    public static int RegistersOf(CompiledKernel kernel, int capability)
    {
        if (AssembledRegisters.Of(kernel.Name, capability) is { } known) return known;
        int most = kernel.Ptx.HasBounds ? Math.Min(MostOfThread, MostFor(kernel.Ptx.MaxThreads)) : MostOfThread;
        return Math.Min(kernel.LiveRegisters, most);
    }

    /// <summary>What a launch lacks, in words; null where there is room.</summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="options">The GPU.</param>
    /// <param name="threads">Threads of a block.</param>
    /// <param name="sharedBytes">Dynamic shared memory of a block.</param>
    public static string? Missing(CompiledKernel kernel, EmulatorOptions options, int threads, int sharedBytes)
    {
        int registers = RegistersOf(kernel, options.Capability);
        int needed = Warps(threads) * OfWarp(registers);
        if (needed > Registers)
        {
            return $"'{kernel.Name}' with {registers} registers in each of {threads} threads needs {needed} registers; a multiprocessor of "
                + $"compute capability {options.Major}.{options.Minor} has {Registers}";
        }
        int shared = sharedBytes + kernel.StaticSharedBytes + ReservedBytes;
        int most = Math.Max(options.SharedMemoryPerMultiprocessor, options.SharedMemoryPerBlock + ReservedBytes);
        return shared <= most
            ? null
            : $"'{kernel.Name}' needs {shared} bytes of shared memory, the driver's {ReservedBytes} included; a multiprocessor has {most}";
    }

    /// <summary>Registers that a kernel's bounds leave a thread, all of which it gets where it trades them; 0 where it has none.</summary>
    /// <param name="kernel">The kernel.</param>
    public static int Bound(Ptx.PtxKernel kernel) => kernel.MaxRegisters > 0
        ? (kernel.MaxRegisters + 7) / 8 * 8
        : kernel.HasBounds ? Math.Min(256, MostFor(Warps(kernel.MaxThreads) * Lanes * kernel.MinBlocks)) / 8 * 8 : 0;

    private static int Warps(int threads) => (((threads + Lanes - 1) / Lanes) + WarpsAtOnce - 1) / WarpsAtOnce * WarpsAtOnce;

    private static int OfWarp(int registers) => ((registers * Lanes) + WarpRegisters - 1) / WarpRegisters * WarpRegisters;

    private static int MostFor(int threads) => Registers / Warps(threads) / WarpRegisters * WarpRegisters / Lanes;
}
