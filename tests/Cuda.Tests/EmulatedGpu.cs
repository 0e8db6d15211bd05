using Gradpath.Cuda.Tests.Driver;
using Gradpath.Kernels.Cuda;
using Gradpath.PtxEmulator;

namespace Gradpath.Cuda.Tests;

/// <summary>A device on the emulator, with every call to its driver watched.</summary>
internal sealed class EmulatedGpu : IDisposable
{
    private readonly EmulatedDriver _emulator;

    /// <summary>Opens it; without a cache of memory, so that the emulator sees every array with its own bounds and lifetime.</summary>
    public EmulatedGpu(CudaOptions? options = null, bool races = false)
    {
        _emulator = new EmulatedDriver(new EmulatorOptions { Races = races, HostThreads = 1 });
        Driver = new WatchedDriver(_emulator);
        Device = new CudaDevice(Driver, 0, options ?? new CudaOptions { CacheMemory = false });
    }

    public WatchedDriver Driver { get; }

    public CudaDevice Device { get; }

    public void Dispose()
    {
        Device.Dispose();
        _emulator.Dispose();
    }
}
