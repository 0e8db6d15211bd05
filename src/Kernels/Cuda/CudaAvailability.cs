namespace Gradpath.Kernels.Cuda;

/// <summary>Whether this machine has a GPU that a <see cref="CudaDevice"/> can run on.</summary>
/// <param name="DriverInstalled">Whether an NVIDIA driver is installed.</param>
/// <param name="Devices">How many GPUs it finds, fit or not.</param>
/// <param name="Obstacle">What is missing; null where at least one GPU can be used.</param>
public sealed record CudaAvailability(bool DriverInstalled, int Devices, string? Obstacle)
{
    /// <summary>Whether at least one GPU can be used.</summary>
    public bool IsUsable => Obstacle is null;
}
