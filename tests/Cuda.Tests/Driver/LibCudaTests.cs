using Gradpath.Kernels;
using Gradpath.Kernels.Cuda.Driver;

namespace Gradpath.Cuda.Tests.Driver;

/// <summary>Every function of the binding reaches the library with its arguments in order and whole, and brings its results back.</summary>
[Collection(nameof(FakeCuda))]
public unsafe class LibCudaTests
{
    private static readonly nint Stream = unchecked((nint)0x7000000000000014);
    private static readonly nint Address = unchecked((nint)0x7f00dddd0100);
    private static readonly nint Host = unchecked((nint)0x7f00eeee0200);
    private const long Bytes = 0x1_2345_6789;

    [SkippableFact]
    public void Devices_and_contexts()
    {
        LibCuda driver = Start();
        Assert.Equal(12040, driver.Version);
        Assert.Equal(3, driver.DeviceCount);
        Assert.Equal(["cuDriverGetVersion", "cuDeviceGetCount"], FakeCuda.Calls());

        // The stand-in answers 1000 + the attribute's number in the driver's interface.
        Assert.Equal(
            new CudaDeviceInfo("Fake GPU", 1075, 1076, 1016, 1097, 0x123456789a, 1038, 1013, 1036, 1037, 1081, 1082), driver.Describe(2));
        Assert.Equal(
            [
                "cuDeviceGet 2",
                "cuDeviceGetName 256 42",
                "cuDeviceTotalMem_v2 42",
                .. new[] { 75, 76, 16, 97, 38, 13, 36, 37, 81, 82 }.Select(a => $"cuDeviceGetAttribute {a} 42"),
            ],
            FakeCuda.Calls());
        nint context = driver.CreateContext(1);
        Assert.Equal(0x7000000000000001, context);
        driver.MakeCurrent(Stream);
        driver.ReleaseContext(1, context);
        Assert.Equal(
            [
                "cuDeviceGet 1", "cuDevicePrimaryCtxRetain 41", "cuCtxSetCurrent 0x7000000000000001", "cuCtxSetCurrent 0x7000000000000014",
                "cuDeviceGet 1", "cuDevicePrimaryCtxRelease_v2 41",
            ],
            FakeCuda.Calls());
        Assert.Equal((0x1111111111, 0x2222222222), driver.MemoryInfo());
    }

    /// <summary>The management library finds a GPU by its place on the bus; what it does not tell is not there.</summary>
    [SkippableFact]
    public void States_of_GPUs()
    {
        LibCuda driver = Start();
        Assert.Equal(new GpuState(5L << 30, 1980, 2619, "550.54.15"), driver.State(0));
        Assert.Equal(new GpuState(70L << 30, 1980, null, "550.54.15"), driver.State(1));
        Assert.Null(driver.State(3));
        Assert.Equal(
            ["cuDeviceGet 0", "cuDeviceGetPCIBusId 32 40", "cuDeviceGet 1", "cuDeviceGetPCIBusId 32 41", "cuDeviceGet 3",
                "cuDeviceGetPCIBusId 32 43"],
            FakeCuda.Calls());
        Assert.Null(Nvml.TryOpen(["libnot-there.so.1"]));
    }

    [SkippableFact]
    public void Modules_and_launches()
    {
        LibCuda driver = Start();
        nint module = driver.LoadModule("X.ptx", ".version 7.8"u8);
        nint function = driver.GetFunction(module, "layerNorm");
        Assert.Equal(new CudaFunctionInfo(504, 501, 503, 500), driver.DescribeFunction(function));
        driver.AllowSharedMemory(function, 65536);
        Assert.Equal(3, driver.ResidentBlocks(function, 256, 65536));
        driver.UnloadModule(module);
        Assert.Equal(
            [
                "cuModuleLoadDataEx [.version 7.8] 4: 5 6=65536 3 4=65536", "cuModuleGetFunction 0x7000000000000002 [layerNorm]",
                .. new[] { 4, 1, 3, 0 }.Select(a => $"cuFuncGetAttribute {a} 0x7000000000000003"),
                "cuFuncSetAttribute 0x7000000000000003 8 65536",
                "cuOccupancyMaxActiveBlocksPerMultiprocessor 0x7000000000000003 256 65536", "cuModuleUnload 0x7000000000000002",
            ],
            FakeCuda.Calls());

        ulong first = 0x7f00123456789abc;
        int second = -7;
        float third = 0.25f;
        long fourth = -1L << 40;
        driver.Launch(function, (70000, 2, 3), 256, 4096, Stream, [(nint)(&first), (nint)(&second), (nint)(&third), (nint)(&fourth)]);
        driver.Launch(function, 1, 32, 0, 0, []);
        Assert.Equal(
            [
                "cuLaunchKernel 0x7000000000000003 (70000 2 3) (256 1 1) 4096 0x7000000000000014 extra (nil): 7f00123456789abc -7 0.25 "
                    + "-1099511627776",
                "cuLaunchKernel 0x7000000000000003 (1 1 1) (32 1 1) 0 (nil) extra (nil):",
            ],
            FakeCuda.Calls());
    }

    /// <summary>Numbers travel in the slots themselves, and the wall time comes back there as a float32.</summary>
    [SkippableFact]
    public void Compilations()
    {
        LibCuda driver = Start();
        CudaImage image = driver.Compile("X.ptx", ".version 7.8"u8);
        Assert.Equal("cubin\0made"u8.ToArray(), image.Bytes);
        Assert.Equal(("ptxas info : Used 40 registers", 1.2345), (image.Log, Math.Round(image.Seconds, 6)));
        Assert.Equal(
            [
                "cuLinkCreate_v2 6: 5 6=65536 3 4=65536 12=1 2=0",
                "cuLinkAddData_v2 0x7000000000000008 1 [.version 7.8] 13 [X.ptx] 0 (nil) (nil)",
                "cuLinkComplete 0x7000000000000008",
                "cuLinkDestroy 0x7000000000000008",
            ],
            FakeCuda.Calls());
        foreach (string call in new[] { "cuLinkAddData_v2", "cuLinkComplete" })
        {
            FakeCuda.SetCompilerLog("ptxas error : line 3: unknown symbol");
            FakeCuda.Fail(call, 218);
            var e = Assert.Throws<CudaException>(() => driver.Compile("X.ptx", "x"u8));
            Assert.StartsWith(
                $"{call}: the driver's compiler rejects the PTX (CUDA error 218): X.ptx: ptxas error : line 3: unknown symbol", e.Message,
                StringComparison.Ordinal);
            Assert.Equal("cuLinkDestroy 0x7000000000000008", FakeCuda.Calls()[^1]);
        }
        FakeCuda.SetCompilerLog("");
        FakeCuda.Fail("", 0);
    }

    [SkippableFact]
    public void Memory_and_copies()
    {
        LibCuda driver = Start();
        Assert.Equal(0x7f0000000100, driver.Allocate(Bytes));
        driver.Free(Address);
        Assert.Equal(0x7f0000000200, driver.AllocatePinned(Bytes));
        driver.FreePinned(Host);
        driver.CopyToDevice(Address, Host, Bytes, Stream);
        driver.CopyToHost(Host, Address, Bytes, Stream);
        driver.CopyOnDevice(Address, Address + 256, Bytes, Stream);
        driver.FillBytes(Address, 171, Bytes, Stream);
        Assert.Equal(
            [
                "cuMemAlloc_v2 4886718345", "cuMemFree_v2 7f00dddd0100", "cuMemHostAlloc 4886718345 0", "cuMemFreeHost 0x7f00eeee0200",
                "cuMemcpyHtoDAsync_v2 7f00dddd0100 0x7f00eeee0200 4886718345 0x7000000000000014",
                "cuMemcpyDtoHAsync_v2 0x7f00eeee0200 7f00dddd0100 4886718345 0x7000000000000014",
                "cuMemcpyDtoDAsync_v2 7f00dddd0100 7f00dddd0200 4886718345 0x7000000000000014",
                "cuMemsetD8Async 7f00dddd0100 171 4886718345 0x7000000000000014",
            ],
            FakeCuda.Calls());
    }

    [SkippableFact]
    public void Streams_events_and_graphs()
    {
        LibCuda driver = Start();
        nint stream = driver.CreateStream();
        driver.Synchronize(stream);
        nint start = driver.CreateEvent();
        driver.RecordEvent(start, stream);
        driver.SynchronizeEvent(start);
        Assert.Equal(1.5f, driver.ElapsedMilliseconds(start, Host));
        driver.DestroyEvent(start);
        driver.BeginCapture(stream);
        nint graph = driver.EndCapture(stream);
        driver.LaunchGraph(graph, stream);
        driver.DestroyGraph(graph);
        driver.DestroyStream(stream);
        Assert.Equal(
            [
                "cuStreamCreate 1", "cuStreamSynchronize 0x7000000000000004", "cuEventCreate 0",
                "cuEventRecord 0x7000000000000006 0x7000000000000004", "cuEventSynchronize 0x7000000000000006",
                "cuEventElapsedTime 0x7000000000000006 0x7f00eeee0200", "cuEventDestroy_v2 0x7000000000000006",
                "cuStreamBeginCapture_v2 0x7000000000000004 1", "cuStreamEndCapture 0x7000000000000004",
                "cuGraphInstantiateWithFlags 0x7000000000000005 0", "cuGraphDestroy 0x7000000000000005",
                "cuGraphLaunch 0x7000000000000007 0x7000000000000004", "cuGraphExecDestroy 0x7000000000000007",
                "cuStreamDestroy_v2 0x7000000000000004",
            ],
            FakeCuda.Calls());
    }

    [SkippableFact]
    public void Every_call_reports_its_failure()
    {
        LibCuda driver = Start();
        var calls = new Dictionary<string, Action>
        {
            ["cuDriverGetVersion"] = () => _ = driver.Version,
            ["cuDeviceGetCount"] = () => _ = driver.DeviceCount,
            ["cuDeviceGet"] = () => driver.Describe(0),
            ["cuDeviceGetName"] = () => driver.Describe(0),
            ["cuDeviceGetAttribute"] = () => driver.Describe(0),
            ["cuDeviceTotalMem_v2"] = () => driver.Describe(0),
            ["cuDeviceGetPCIBusId"] = () => driver.State(0),
            ["cuDevicePrimaryCtxRetain"] = () => driver.CreateContext(0),
            ["cuDevicePrimaryCtxRelease_v2"] = () => driver.ReleaseContext(0, 0),
            ["cuCtxSetCurrent"] = () => driver.MakeCurrent(0),
            ["cuMemGetInfo_v2"] = () => driver.MemoryInfo(),
            ["cuModuleLoadDataEx"] = () => driver.LoadModule("X.ptx", ""u8),
            ["cuLinkCreate_v2"] = () => driver.Compile("X.ptx", ""u8),
            ["cuLinkAddData_v2"] = () => driver.Compile("X.ptx", ""u8),
            ["cuLinkComplete"] = () => driver.Compile("X.ptx", ""u8),
            ["cuModuleUnload"] = () => driver.UnloadModule(0),
            ["cuModuleGetFunction"] = () => driver.GetFunction(0, "f"),
            ["cuFuncGetAttribute"] = () => driver.DescribeFunction(0),
            ["cuFuncSetAttribute"] = () => driver.AllowSharedMemory(0, 0),
            ["cuOccupancyMaxActiveBlocksPerMultiprocessor"] = () => driver.ResidentBlocks(0, 32, 0),
            ["cuMemAlloc_v2"] = () => driver.Allocate(1),
            ["cuMemFree_v2"] = () => driver.Free(0),
            ["cuMemHostAlloc"] = () => driver.AllocatePinned(1),
            ["cuMemFreeHost"] = () => driver.FreePinned(0),
            ["cuMemcpyHtoDAsync_v2"] = () => driver.CopyToDevice(0, 0, 1, 0),
            ["cuMemcpyDtoHAsync_v2"] = () => driver.CopyToHost(0, 0, 1, 0),
            ["cuMemcpyDtoDAsync_v2"] = () => driver.CopyOnDevice(0, 0, 1, 0),
            ["cuMemsetD8Async"] = () => driver.FillBytes(0, 0, 1, 0),
            ["cuStreamCreate"] = () => driver.CreateStream(),
            ["cuStreamDestroy_v2"] = () => driver.DestroyStream(0),
            ["cuStreamSynchronize"] = () => driver.Synchronize(0),
            ["cuEventCreate"] = () => driver.CreateEvent(),
            ["cuEventDestroy_v2"] = () => driver.DestroyEvent(0),
            ["cuEventRecord"] = () => driver.RecordEvent(0, 0),
            ["cuEventSynchronize"] = () => driver.SynchronizeEvent(0),
            ["cuEventElapsedTime"] = () => driver.ElapsedMilliseconds(0, 0),
            ["cuLaunchKernel"] = () => driver.Launch(0, 1, 1, 0, 0, []),
            ["cuStreamBeginCapture_v2"] = () => driver.BeginCapture(0),
            ["cuStreamEndCapture"] = () => driver.EndCapture(0),
            ["cuGraphInstantiateWithFlags"] = () => driver.EndCapture(0),
            ["cuGraphDestroy"] = () => driver.EndCapture(0),
            ["cuGraphLaunch"] = () => driver.LaunchGraph(0, 0),
            ["cuGraphExecDestroy"] = () => driver.DestroyGraph(0),
        };
        foreach ((string name, Action call) in calls)
        {
            FakeCuda.Fail(name, 719);
            var e = Assert.Throws<CudaException>(call);
            Assert.Equal(name, e.Call);
            Assert.Equal(CudaResult.LaunchFailed, e.Result);
            Assert.StartsWith($"{name}: a kernel failed (CUDA error 719)", e.Message, StringComparison.Ordinal);
        }

        // A graph that could be recorded but not made ready to run is destroyed nevertheless.
        FakeCuda.Calls();
        FakeCuda.Fail("cuGraphInstantiateWithFlags", 2);
        Assert.Throws<CudaException>(() => driver.EndCapture(0));
        Assert.Equal("cuGraphDestroy 0x7000000000000005", FakeCuda.Calls()[^1]);

        // A context that cannot be made current is given back.
        FakeCuda.Fail("cuCtxSetCurrent", 2);
        Assert.Throws<CudaException>(() => driver.CreateContext(0));
        Assert.Equal("cuDevicePrimaryCtxRelease_v2 40", FakeCuda.Calls()[^1]);
    }

    [SkippableFact]
    public void The_message_holds_the_compilers_log_and_the_drivers_words()
    {
        LibCuda driver = Start();
        FakeCuda.SetCompilerLog("ptxas error : line 3: unknown symbol");
        FakeCuda.Fail("cuModuleLoadDataEx", 218);
        var e = Assert.Throws<CudaException>(() => driver.LoadModule("LayerNorm.ptx", "x"u8));
        Assert.Equal(
            "cuModuleLoadDataEx: the driver's compiler rejects the PTX (CUDA error 218): LayerNorm.ptx: ptxas error : line 3: unknown "
                + "symbol",
            e.Message);
        FakeCuda.SetCompilerLog("");
        Assert.EndsWith(
            "LayerNorm.ptx: the compiler left no log",
            Assert.Throws<CudaException>(() => driver.LoadModule("LayerNorm.ptx", "x"u8)).Message, StringComparison.Ordinal);

        FakeCuda.Fail("cuMemAlloc_v2", 805);
        Assert.Equal(
            "cuMemAlloc_v2: the driver failed (CUDA error 805): CUDA_ERROR_MPS_CONNECTION_FAILED, MPS client failed to connect",
            Assert.Throws<CudaException>(() => driver.Allocate(1)).Message);
        FakeCuda.Fail("cuMemAlloc_v2", 12345);
        Assert.Equal("cuMemAlloc_v2: the driver failed (CUDA error 12345)", Assert.Throws<CudaException>(() => driver.Allocate(1)).Message);
    }

    [SkippableFact]
    public void A_driver_that_finds_no_gpu_says_so()
    {
        Start();
        FakeCuda.Fail("cuInit", 100);
        var e = Assert.Throws<DeviceException>(() => new LibCuda());
        Assert.Equal("the NVIDIA driver does not start: cuInit: the driver finds no GPU (CUDA error 100)", e.Message);
    }

    private static LibCuda Start()
    {
        LibCuda driver = FakeCuda.Driver;
        FakeCuda.Fail("", 0);
        FakeCuda.Calls();
        return driver;
    }
}
