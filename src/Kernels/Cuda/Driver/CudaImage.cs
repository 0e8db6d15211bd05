namespace Gradpath.Kernels.Cuda.Driver;

/// <summary>PTX as the driver has compiled and linked it for a GPU.</summary>
/// <param name="Bytes">The image, which loads without being compiled.</param>
/// <param name="Log">What the compiler says of the kernels: their registers, spills and memory.</param>
/// <param name="Seconds">What compiling took by the compiler's own clock.</param>
internal sealed record CudaImage(byte[] Bytes, string Log, double Seconds);
