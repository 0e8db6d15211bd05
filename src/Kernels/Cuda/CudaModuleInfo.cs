namespace Gradpath.Kernels.Cuda;

/// <summary>A file of kernels as the driver has compiled it for its GPU.</summary>
/// <param name="File">The file without its extension.</param>
/// <param name="Seconds">What it took to have it here: compiling, or reading it from the cache, and loading.</param>
/// <param name="CompileSeconds">What compiling took by the compiler's own clock, here or when it was put into the cache.</param>
/// <param name="IsKept">Whether it comes from the cache.</param>
/// <param name="Log">What the compiler said of it.</param>
/// <param name="Kernels">Its kernels in the file's order.</param>
internal sealed record CudaModuleInfo(
    string File, double Seconds, double CompileSeconds, bool IsKept, string Log, IReadOnlyList<CudaKernelInfo> Kernels);
