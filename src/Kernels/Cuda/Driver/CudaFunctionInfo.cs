namespace Gradpath.Kernels.Cuda.Driver;

/// <summary>What the compiler made of an entry point.</summary>
/// <param name="Registers">Registers of a thread.</param>
/// <param name="StaticSharedBytes">Shared memory that the code declares.</param>
/// <param name="LocalBytes">Local memory of a thread: spills and arrays that are indexed at run time.</param>
/// <param name="MaxThreads">Most threads of a block.</param>
internal sealed record CudaFunctionInfo(int Registers, int StaticSharedBytes, int LocalBytes, int MaxThreads);
