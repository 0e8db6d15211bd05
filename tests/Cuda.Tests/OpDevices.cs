using Gradpath.Kernels.Cuda;
using Gradpath.PtxEmulator;

namespace Gradpath.Kernels.Tests;

/// <summary>The device that the tests of operations run on: the emulated GPU.</summary>
internal static class OpDevices
{
    public static IReadOnlyList<Func<Device>> All { get; } = [() => new CudaDevice(new EmulatedDriver(), 0)];
}
