using Gradpath.Kernels.Cuda;
using Gradpath.PtxEmulator;

namespace Gradpath.Kernels.Tests;

/// <summary>The device that the tests of operations run on: the emulated GPU.</summary>
internal static class OpDevices
{
    /// <summary>
    /// Rows enough to show that a number of rows has no bound; fewer than elsewhere, because each costs an emulated warp.
    /// </summary>
    public const int ManyRows = 3_000;

    public static IReadOnlyList<Func<Device>> All { get; } = [() => new CudaDevice(new EmulatedDriver(), 0)];
}
