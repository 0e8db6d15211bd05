namespace Gradpath.Kernels.Cuda.Driver;

/// <summary>What a GPU is.</summary>
/// <param name="Name">Its product name.</param>
/// <param name="Major">Compute capability, first number.</param>
/// <param name="Minor">Compute capability, second number.</param>
/// <param name="Multiprocessors">Number of multiprocessors.</param>
/// <param name="SharedMemoryPerBlock">Most dynamic shared memory that a block may be allowed, in bytes.</param>
/// <param name="TotalMemory">Bytes of device memory.</param>
/// <param name="L2Bytes">Size of the second-level cache.</param>
/// <param name="ClockKilohertz">Clock of the multiprocessors; this and what follows is 0 where it is not told.</param>
/// <param name="MemoryClockKilohertz">Clock of the memory.</param>
/// <param name="MemoryBusBits">Width of the memory's bus.</param>
/// <param name="SharedMemoryPerMultiprocessor">Shared memory of a multiprocessor, in bytes.</param>
/// <param name="RegistersPerMultiprocessor">32-bit registers of a multiprocessor.</param>
internal sealed record CudaDeviceInfo(
    string Name,
    int Major,
    int Minor,
    int Multiprocessors,
    int SharedMemoryPerBlock,
    long TotalMemory,
    int L2Bytes,
    int ClockKilohertz = 0,
    int MemoryClockKilohertz = 0,
    int MemoryBusBits = 0,
    int SharedMemoryPerMultiprocessor = 0,
    int RegistersPerMultiprocessor = 0)
{
    /// <summary>Peak of the memory: two transfers to a clock; 0 where the driver does not tell.</summary>
    public double MemoryBytesPerSecond => 2e3 * MemoryClockKilohertz * MemoryBusBits / 8;
}
