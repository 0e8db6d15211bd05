namespace Gradpath.Kernels.Cuda;

/// <summary>A kernel as the driver has compiled it for its GPU.</summary>
/// <param name="Name">The entry point.</param>
/// <param name="Threads">Most threads of a block.</param>
/// <param name="Registers">Registers of a thread.</param>
/// <param name="LocalBytes">Local memory of a thread: spills, and arrays that are indexed at run time.</param>
/// <param name="StaticSharedBytes">Shared memory that the code declares.</param>
/// <param name="DynamicSharedBytes">Shared memory that every launch adds; 0 where it depends on the shape.</param>
/// <param name="ResidentBlocks">Blocks of that size that a multiprocessor holds at once.</param>
internal sealed record CudaKernelInfo(
    string Name, int Threads, int Registers, int LocalBytes, int StaticSharedBytes, int DynamicSharedBytes, int ResidentBlocks);
