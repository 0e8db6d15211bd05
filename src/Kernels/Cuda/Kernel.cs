namespace Gradpath.Kernels.Cuda;

/// <summary>A kernel that is loaded: the driver's handle and the name that errors show.</summary>
internal sealed record Kernel(string Name, nint Function);
