namespace Gradpath.Kernels.Cuda;

/// <summary>A file of kernels, compiled.</summary>
/// <param name="Bytes">What the driver loads.</param>
/// <param name="Log">What the compiler said of it.</param>
/// <param name="Seconds">What compiling took, by the compiler's own clock, when it was compiled.</param>
/// <param name="IsKept">Whether it comes from the cache, where an earlier run has put it.</param>
internal sealed record KernelImage(byte[] Bytes, string Log, double Seconds, bool IsKept);
