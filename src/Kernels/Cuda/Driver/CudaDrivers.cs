namespace Gradpath.Kernels.Cuda.Driver;

/// <summary>Where the driver comes from: the installed one, or the one that a test puts in its place.</summary>
internal static class CudaDrivers
{
    private static readonly AsyncLocal<Func<ICudaDriver>?> Replacement = new();
    private static readonly AsyncLocal<KernelCache?> ReplacedCache = new();
    private static readonly Lock Gate = new();
    private static LibCuda? _installed;

    /// <summary>Whether a driver is installed, working or not.</summary>
    public static bool IsInstalled => Replacement.Value is not null || LibCudaLibrary.Load(LibCudaLibrary.Names);

    /// <summary>Where compiled kernels are kept.</summary>
    public static KernelCache Cache => Replacement.Value is null
        ? KernelCache.Of(Environment.GetEnvironmentVariable)
        : ReplacedCache.Value ?? KernelCache.None;

    /// <summary>The driver, started.</summary>
    /// <exception cref="DeviceException">There is none, or it does not start.</exception>
    public static ICudaDriver Get()
    {
        if (Replacement.Value is { } make) return make();
        lock (Gate)
        {
            return _installed ??= new LibCuda();
        }
    }

    /// <summary>Puts a driver in the installed one's place for the code that the caller runs, on whatever thread.</summary>
    /// <param name="make">Makes it; null for the installed one.</param>
    /// <param name="cache">Where its images are kept; null for nowhere, so that none of them reaches the user's own.</param>
    public static void Replace(Func<ICudaDriver>? make, KernelCache? cache = null) =>
        (Replacement.Value, ReplacedCache.Value) = (make, cache);
}
