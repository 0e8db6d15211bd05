namespace Gradpath.Kernels.Cuda.Driver;

/// <summary>Where the driver comes from: the installed one, or the one that a test puts in its place.</summary>
internal static class CudaDrivers
{
    private static readonly AsyncLocal<Func<ICudaDriver>?> Replacement = new();
    private static readonly Lock Gate = new();
    private static LibCuda? _installed;

    /// <summary>Whether a driver is installed, working or not.</summary>
    public static bool IsInstalled => Replacement.Value is not null || LibCudaLibrary.Load(LibCudaLibrary.Names);

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
    public static void Replace(Func<ICudaDriver>? make) => Replacement.Value = make;
}
