namespace Gradpath.Kernels.Cuda.Driver;

/// <summary>How a GPU is just now.</summary>
/// <param name="FreeBytes">Free device memory.</param>
/// <param name="ClockMHz">Clock of the multiprocessors; null where it is not told.</param>
/// <param name="MemoryClockMHz">Clock of the memory; null where it is not told.</param>
/// <param name="DriverVersion">The driver's own version, such as 550.54.15; null where it is not told.</param>
internal sealed record GpuState(long FreeBytes, int? ClockMHz, int? MemoryClockMHz, string? DriverVersion);
