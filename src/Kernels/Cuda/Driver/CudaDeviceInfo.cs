namespace Gradpath.Kernels.Cuda.Driver;

/// <summary>What a GPU is.</summary>
/// <param name="Name">Its product name.</param>
/// <param name="Major">Compute capability, first number.</param>
/// <param name="Minor">Compute capability, second number.</param>
/// <param name="Multiprocessors">Number of multiprocessors.</param>
/// <param name="SharedMemoryPerBlock">Most dynamic shared memory that a block may be allowed, in bytes.</param>
/// <param name="TotalMemory">Bytes of device memory.</param>
/// <param name="L2Bytes">Size of the second-level cache.</param>
internal sealed record CudaDeviceInfo(
    string Name, int Major, int Minor, int Multiprocessors, int SharedMemoryPerBlock, long TotalMemory, int L2Bytes);
