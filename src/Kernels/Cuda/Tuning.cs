namespace Gradpath.Kernels.Cuda;

// Plans that were measured on this model of GPU take the place of estimates.
public sealed partial class CudaDevice
{
    /// <summary>What the driver tells of the GPU.</summary>
    internal Driver.CudaDeviceInfo Info => _info;

    /// <summary>The driver's version: 12080 for CUDA 12.8.</summary>
    internal int DriverVersion => _driver.Version;

    /// <inheritdoc />
    internal override bool IsEmulated => _driver.IsEmulated;

    /// <inheritdoc />
    internal override long CacheBytes => _info.L2Bytes;

    /// <inheritdoc />
    internal override string? PlansHash => Plans.Measured?.Hash;

    /// <inheritdoc />
    public override string Identity => PlansHash is { } hash ? $"{Description}, plans {hash}" : Description;

    /// <summary>Opens the same GPU once more.</summary>
    /// <param name="options">How it computes.</param>
    /// <returns>Another device.</returns>
    /// <exception cref="DeviceException">It cannot compute so.</exception>
    internal CudaDevice OpenAnother(CudaOptions options) => new(_driver, _ordinal, options);

    /// <summary>
    /// Takes measured plans. They belong to a device from its beginning: results of one run have the same plans throughout.
    /// </summary>
    /// <param name="file">The plans.</param>
    /// <exception cref="DeviceException">They are another GPU's or of other kernels.</exception>
    internal void UsePlans(GemmPlanFile file)
    {
        if (file.Obstacle(_info) is { } obstacle) throw new DeviceException($"{Name}: the plans cannot be used: {obstacle}");
        Plans.Measured = file;
    }
}
