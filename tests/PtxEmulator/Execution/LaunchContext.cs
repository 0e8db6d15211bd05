using Gradpath.Kernels.Cuda.Driver;
using Gradpath.PtxEmulator.Compile;
using Gradpath.PtxEmulator.Memory;

namespace Gradpath.PtxEmulator.Execution;

/// <summary>One launch: what runs, how often, with which arguments.</summary>
/// <param name="Kernel">The code.</param>
/// <param name="Grid">Blocks.</param>
/// <param name="Threads">Threads of a block.</param>
/// <param name="DynamicSharedBytes">Shared memory beyond what the code declares.</param>
/// <param name="Arguments">The arguments as they lie in parameter memory.</param>
/// <param name="ModuleBase">Device address of the module's variables.</param>
/// <param name="Number">The launch's number in stamps, from 1.</param>
/// <param name="Arena">Memory.</param>
/// <param name="Options">What is checked and counted.</param>
/// <param name="Statistics">Where it is counted; null where it is not.</param>
internal sealed record LaunchContext(
    CompiledKernel Kernel,
    Grid Grid,
    int Threads,
    int DynamicSharedBytes,
    byte[] Arguments,
    ulong ModuleBase,
    ulong Number,
    Arena Arena,
    EmulatorOptions Options,
    KernelStatistics? Statistics)
{
    public int SharedBytes => DynamicSharedBytes > 0 ? Kernel.DynamicSharedOffset + DynamicSharedBytes : Kernel.StaticSharedBytes;

    public long Blocks => (long)Grid.X * Grid.Y * Grid.Z;
}
