using Gradpath.Kernels.Cuda.Driver;
using Gradpath.PtxEmulator.Execution;

namespace Gradpath.PtxEmulator.Compile;

/// <summary>Ends of a kernel by its own doing.</summary>
internal static class Traps
{
    public static void Trap(int line) => throw new FaultException(CudaResult.LaunchFailed, line, "the kernel gave up (trap)");

    public static void BranchIndex(int line) =>
        throw new FaultException(CudaResult.LaunchFailed, line, "the index of a branch is beyond its list of targets");
}
