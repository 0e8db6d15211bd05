namespace Gradpath.Kernels.Cuda;

/// <summary>A file of kernels as the driver has compiled it for its GPU.</summary>
/// <param name="File">The file without its extension.</param>
/// <param name="Seconds">What compiling and loading took; little where the driver had it in its cache.</param>
/// <param name="Kernels">Its kernels in the file's order.</param>
internal sealed record CudaModuleInfo(string File, double Seconds, IReadOnlyList<CudaKernelInfo> Kernels);
