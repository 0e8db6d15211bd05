using Gradpath.Cuda.Tests.Driver;
using Gradpath.Kernels;
using Gradpath.Kernels.Cuda;
using Gradpath.Kernels.Cuda.Driver;

namespace Gradpath.Cuda.Tests;

/// <summary>Which GPU is opened, and what is said where none can be.</summary>
public sealed class OpeningTests : IDisposable
{
    private readonly HostDriver _machine = new();
    private readonly WatchedDriver _driver;

    public OpeningTests()
    {
        _driver = new WatchedDriver(_machine);
        CudaDrivers.Replace(() => _driver);
    }

    public void Dispose() => CudaDrivers.Replace(null);

    [Fact]
    public void The_gpu_with_the_most_free_memory_is_chosen_among_those_that_fit()
    {
        CudaDeviceInfo fit = _machine.Devices[0];
        _machine.Devices.Clear();
        _machine.Devices.AddRange(
            [
                fit with { Major = 7, Minor = 5, Name = "Old" },
                fit with { Name = "Busy" },
                fit with { Name = "Free" },
                fit with { Name = "Full" },
            ]);
        (_machine.FreeBytes[0], _machine.FreeBytes[1], _machine.FreeBytes[2], _machine.FreeBytes[3]) = (1L << 40, 100, 900, 10);
        Assert.Equal(new CudaAvailability(true, 4, null), CudaDevice.Availability());
        using (CudaDevice device = CudaDevice.Open())
        {
            Assert.Equal("cuda:2", device.Name);
            Assert.StartsWith("Free (compute capability 8.0", device.Description, StringComparison.Ordinal);
            Assert.Equal(900, device.FreeMemory);
            Assert.Single(_driver.Live, l => l.StartsWith("context", StringComparison.Ordinal));
        }
        Assert.Empty(_driver.Live);
        using (CudaDevice device = CudaDevice.Open(1)) Assert.Equal("cuda:1", device.Name);

        _machine.Reserved.Add(2);
        using (CudaDevice device = CudaDevice.Open()) Assert.Equal("cuda:1", device.Name);
        _machine.Reserved.UnionWith([1, 3]);
        Assert.Contains(
            "cannot be opened: cuDevicePrimaryCtxRetain",
            Assert.Throws<DeviceException>(() => CudaDevice.Open()).Message,
            StringComparison.Ordinal);
        Assert.Empty(_driver.Live);
    }

    /// <summary>Where the management library tells how much is free, no context is made but the one that is wanted.</summary>
    [Fact]
    public void The_gpu_with_the_most_free_memory_is_found_without_contexts()
    {
        CudaDeviceInfo fit = _machine.Devices[0];
        _machine.Devices.Clear();
        _machine.Devices.AddRange([fit, fit with { Major = 7, Minor = 5 }, fit, fit]);
        foreach ((int i, long free) in new[] { (0, 300L), (1, 999L), (2, 700L), (3, 500L) })
        {
            _machine.States[i] = new GpuState(free, 1980, null, "550.54.15");
            _machine.FreeBytes[i] = 1000 - free;
        }
        using (CudaDevice device = CudaDevice.Open())
        {
            Assert.Equal(("cuda:2", 1), (device.Name, _driver.Calls("CreateContext")));
            Assert.Equal(("550.54.15", "12.4"), (device.State!.DriverVersion, device.CudaVersion));
        }

        // One that it does not know, and all are asked in the old way.
        _machine.States.Remove(3);
        using (CudaDevice device = CudaDevice.Open()) Assert.Equal(("cuda:0", 5), (device.Name, _driver.Calls("CreateContext")));
        _machine.States[3] = _machine.States[0];
        _driver.Fault = (call, _) => call == "State" ? CudaResult.InvalidDevice : null;
        using (CudaDevice device = CudaDevice.Open()) Assert.Equal(("cuda:0", 9), (device.Name, _driver.Calls("CreateContext")));
    }

    [Fact]
    public void An_old_gpu_is_named()
    {
        _machine.Devices[0] = _machine.Devices[0] with { Major = 7, Minor = 5, Name = "Old" };
        Assert.Equal("a GPU of compute capability 8.0 or later is needed; there is Old (7.5)", CudaDevice.Availability().Obstacle);
        Assert.Equal(
            "no GPU can be used: a GPU of compute capability 8.0 or later is needed; there is Old (7.5)",
            Assert.Throws<DeviceException>(() => CudaDevice.Open()).Message);
        _machine.Devices.Add(_machine.Devices[0] with { Major = 9, Minor = 0 });
        Assert.Equal(
            "cuda:0 is a Old of compute capability 7.5; 8.0 or later is needed",
            Assert.Throws<DeviceException>(() => CudaDevice.Open(0)).Message);
        Assert.Empty(_driver.Live);
    }

    [Fact]
    public void No_gpu_an_old_driver_and_a_missing_driver_are_told_apart()
    {
        _machine.Version = 11040;
        Assert.Contains("supports CUDA 11.4 only", CudaDevice.Availability().Obstacle, StringComparison.Ordinal);
        _machine.Version = 11080;
        Assert.True(CudaDevice.Availability().IsUsable);
        _machine.Devices.Clear();
        Assert.Equal(new CudaAvailability(true, 0, "the NVIDIA driver finds no GPU"), CudaDevice.Availability());
        CudaDrivers.Replace(() => throw new DeviceException("the NVIDIA driver does not start: x"));
        Assert.Equal(new CudaAvailability(true, 0, "the NVIDIA driver does not start: x"), CudaDevice.Availability());
    }

    [Fact]
    public void An_index_that_is_not_there_names_how_many_there_are()
    {
        Assert.Equal(
            "there is no GPU 3: this machine has 1 GPU, numbered from 0", Assert.Throws<DeviceException>(() => CudaDevice.Open(3)).Message);
        Assert.Throws<DeviceException>(() => CudaDevice.Open(-1));
    }

    [Theory]
    [InlineData("CreateContext")]
    [InlineData("CreateStream")]
    public void A_failure_while_opening_leaves_nothing_behind(string call)
    {
        _driver.Fault = (name, _) => name == call ? CudaResult.OutOfMemory : null;
        Assert.Equal(
            $"cuda:0 cannot be opened: {call}: out of memory (CUDA error 2)",
            Assert.Throws<DeviceException>(() => CudaDevice.Open(0)).Message);
        Assert.Empty(_driver.Live);
    }

    [Fact]
    public void A_launch_that_fails_names_kernel_and_grid()
    {
        using CudaDevice device = CudaDevice.Open(0);
        using Tensor x = device.Allocate(3, 4);
        using Tensor v = device.Allocate(4);
        using Tensor mean = device.Allocate(3);
        using Tensor rstd = device.Allocate(3);
        using Tensor y = device.Allocate(3, 4);
        _driver.Fault = (call, _) => call == "Launch" ? CudaResult.LaunchOutOfResources : null;
        var e = Assert.Throws<DeviceException>(() => device.LayerNorm(x, v, v, 0, 3, 4, mean, rstd, y));
        Assert.StartsWith("cuda:0: the kernel layerNorm could not be launched on ", e.Message, StringComparison.Ordinal);
        Assert.Contains(" threads with ", e.Message, StringComparison.Ordinal);
        Assert.EndsWith(
            "Launch: a launch asks for too many registers or too much shared memory (CUDA error 701)", e.Message, StringComparison.Ordinal);
        Assert.IsType<CudaException>(e.InnerException);
    }

    [Fact]
    public void A_failure_of_the_work_names_the_last_kernel_and_disposal_still_succeeds()
    {
        using (CudaDevice device = CudaDevice.Open(0, new CudaOptions { CacheMemory = false }))
        {
            using Tensor x = device.Allocate(3, 4);
            using Tensor v = device.Allocate(4);
            using Tensor mean = device.Allocate(3);
            using Tensor rstd = device.Allocate(3);
            using Tensor y = device.Allocate(3, 4);
            device.LayerNorm(x, v, v, 0, 3, 4, mean, rstd, y);
            _driver.Fault = (_, _) => CudaResult.IllegalAddress;
            var e = Assert.Throws<DeviceException>(device.Synchronize);
            Assert.StartsWith(
                "cuda:0: work on the GPU failed: Synchronize: a kernel touched memory that is not its own (CUDA error 700)",
                e.Message,
                StringComparison.Ordinal);
            Assert.Contains("the last kernel launched is layerNorm", e.Message, StringComparison.Ordinal);
            Assert.Contains("CUDA_LAUNCH_BLOCKING=1", e.Message, StringComparison.Ordinal);
            Assert.Throws<DeviceException>(() => x.ToArray());
        }
    }

    [Fact]
    public void A_call_that_fails_while_freeing_is_not_hidden()
    {
        using CudaDevice device = CudaDevice.Open(0, new CudaOptions { CacheMemory = false });
        Tensor x = device.Allocate(3);
        _driver.Fault = (call, _) => call == "Free" ? CudaResult.InvalidValue : null;
        Assert.Throws<DeviceException>(x.Dispose);
        _driver.Fault = null;
    }

    [Fact]
    public async Task The_context_is_made_current_on_every_thread_that_uses_the_device()
    {
        using CudaDevice one = CudaDevice.Open(0), two = CudaDevice.Open(0);
        int before = _driver.Calls("MakeCurrent");
        one.Synchronize();
        Assert.Equal(before + 1, _driver.Calls("MakeCurrent"));
        one.Synchronize();
        Assert.Equal(before + 1, _driver.Calls("MakeCurrent"));
        two.Synchronize();
        Assert.Equal(before + 2, _driver.Calls("MakeCurrent"));
        var thread = new Thread(() =>
        {
            two.Synchronize();
            two.Synchronize();
        });
        thread.Start();
        await Task.Run(thread.Join);
        Assert.Equal(before + 3, _driver.Calls("MakeCurrent"));
    }
}
