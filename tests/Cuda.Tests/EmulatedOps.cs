using System.Runtime.CompilerServices;
using Gradpath.Kernels.Cuda;
using Gradpath.PtxEmulator;

namespace Gradpath.Cuda.Tests;

/// <summary>The device that this project runs the tests of operations on: the emulated GPU.</summary>
internal static class EmulatedOps
{
    // Fewer rows than on the processor, because each costs an emulated warp.
    [ModuleInitializer]
    internal static void Use() => (OpDevices.All, OpDevices.ManyRows) = ([() => new CudaDevice(new EmulatedDriver(), 0)], 3_000);
}
