using System.Runtime.InteropServices;
using System.Text;
using static Gradpath.Kernels.Cuda.Driver.LibCudaNative;

namespace Gradpath.Kernels.Cuda.Driver;

/// <summary>The installed NVIDIA driver.</summary>
internal sealed unsafe partial class LibCuda : ICudaDriver
{
    // Numbers of the driver's interface: device attributes, function attributes, flags.
    private const int ClockRate = 13;
    private const int MultiprocessorCount = 16;
    private const int MemoryClockRate = 36;
    private const int GlobalMemoryBusWidth = 37;
    private const int L2CacheSize = 38;
    private const int CapabilityMajor = 75;
    private const int CapabilityMinor = 76;
    private const int SharedMemoryPerMultiprocessor = 81;
    private const int RegistersPerMultiprocessor = 82;
    private const int SharedMemoryPerBlockOptIn = 97;
    private const int FunctionMaxThreads = 0;
    private const int FunctionSharedBytes = 1;
    private const int FunctionLocalBytes = 3;
    private const int FunctionRegisters = 4;
    private const int FunctionMaxDynamicSharedBytes = 8;
    private const int BusIdBytes = 32;
    private const uint StreamNonBlocking = 1;
    private const int CaptureThreadLocal = 1;

    private readonly Lazy<Nvml?> _nvml;

    /// <summary>Loads and initialises the driver.</summary>
    /// <param name="names">Names of the library; null for the installed driver's.</param>
    /// <param name="nvmlNames">Names of the management library; null for the installed one's.</param>
    /// <exception cref="DeviceException">There is no driver, or it does not start; the message says what is missing.</exception>
    public LibCuda(IReadOnlyList<string>? names = null, IReadOnlyList<string>? nvmlNames = null)
    {
        _nvml = new(() => Nvml.TryOpen(nvmlNames ?? Nvml.Names));
        names ??= LibCudaLibrary.Names;
        if (!LibCudaLibrary.Load(names))
        {
            throw new DeviceException($"no NVIDIA driver is installed ({string.Join(" or ", names)} not found)");
        }
        try
        {
            Check(cuInit(0), nameof(cuInit));
        }
        catch (CudaException e)
        {
            throw new DeviceException($"the NVIDIA driver does not start: {e.Message}", e);
        }
    }

    /// <inheritdoc />
    public int Version
    {
        get
        {
            Check(cuDriverGetVersion(out int version), nameof(cuDriverGetVersion));
            return version;
        }
    }

    /// <inheritdoc />
    public int DeviceCount
    {
        get
        {
            Check(cuDeviceGetCount(out int count), nameof(cuDeviceGetCount));
            return count;
        }
    }

    /// <inheritdoc />
    public CudaDeviceInfo Describe(int ordinal)
    {
        int device = Device(ordinal);
        byte* name = stackalloc byte[256];
        Check(cuDeviceGetName(name, 256, device), nameof(cuDeviceGetName));
        Check(cuDeviceTotalMem_v2(out nuint bytes, device), nameof(cuDeviceTotalMem_v2));
        return new CudaDeviceInfo(
            Marshal.PtrToStringUTF8((nint)name)!,
            Attribute(CapabilityMajor),
            Attribute(CapabilityMinor),
            Attribute(MultiprocessorCount),
            Attribute(SharedMemoryPerBlockOptIn),
            (long)bytes,
            Attribute(L2CacheSize),
            Attribute(ClockRate),
            Attribute(MemoryClockRate),
            Attribute(GlobalMemoryBusWidth),
            Attribute(SharedMemoryPerMultiprocessor),
            Attribute(RegistersPerMultiprocessor));

        int Attribute(int attribute)
        {
            Check(cuDeviceGetAttribute(out int value, attribute, device), nameof(cuDeviceGetAttribute));
            return value;
        }
    }

    /// <inheritdoc />
    public GpuState? State(int ordinal)
    {
        if (_nvml.Value is not { } nvml) return null;
        byte* id = stackalloc byte[BusIdBytes];
        Check(cuDeviceGetPCIBusId(id, BusIdBytes, Device(ordinal)), nameof(cuDeviceGetPCIBusId));
        return nvml.State(Marshal.PtrToStringUTF8((nint)id)!);
    }

    /// <inheritdoc />
    public nint CreateContext(int ordinal)
    {
        int device = Device(ordinal);
        Check(cuDevicePrimaryCtxRetain(out nint context, device), nameof(cuDevicePrimaryCtxRetain));
        try
        {
            MakeCurrent(context);
        }
        catch
        {
            _ = cuDevicePrimaryCtxRelease_v2(device);
            throw;
        }
        return context;
    }

    /// <inheritdoc />
    public void MakeCurrent(nint context) => Check(cuCtxSetCurrent(context), nameof(cuCtxSetCurrent));

    /// <inheritdoc />
    public void ReleaseContext(int ordinal, nint context) =>
        Check(cuDevicePrimaryCtxRelease_v2(Device(ordinal)), nameof(cuDevicePrimaryCtxRelease_v2));

    /// <inheritdoc />
    public (long Free, long Total) MemoryInfo()
    {
        Check(cuMemGetInfo_v2(out nuint free, out nuint total), nameof(cuMemGetInfo_v2));
        return ((long)free, (long)total);
    }

    /// <inheritdoc />
    public void UnloadModule(nint module) => Check(cuModuleUnload(module), nameof(cuModuleUnload));

    /// <inheritdoc />
    public nint GetFunction(nint module, string name)
    {
        int result = cuModuleGetFunction(out nint function, module, name);
        return result == 0 ? function : throw Failure(nameof(cuModuleGetFunction), result, $"kernel {name}");
    }

    /// <inheritdoc />
    public CudaFunctionInfo DescribeFunction(nint function)
    {
        return new CudaFunctionInfo(
            Attribute(FunctionRegisters), Attribute(FunctionSharedBytes), Attribute(FunctionLocalBytes), Attribute(FunctionMaxThreads));

        int Attribute(int attribute)
        {
            Check(cuFuncGetAttribute(out int value, attribute, function), nameof(cuFuncGetAttribute));
            return value;
        }
    }

    /// <inheritdoc />
    public int ResidentBlocks(nint function, int threads, int sharedBytes)
    {
        Check(
            cuOccupancyMaxActiveBlocksPerMultiprocessor(out int blocks, function, threads, (nuint)sharedBytes),
            nameof(cuOccupancyMaxActiveBlocksPerMultiprocessor));
        return blocks;
    }

    /// <inheritdoc />
    public void AllowSharedMemory(nint function, int bytes) =>
        Check(cuFuncSetAttribute(function, FunctionMaxDynamicSharedBytes, bytes), nameof(cuFuncSetAttribute));

    /// <inheritdoc />
    public nint Allocate(long bytes)
    {
        Check(cuMemAlloc_v2(out nint address, checked((nuint)bytes)), nameof(cuMemAlloc_v2));
        return address;
    }

    /// <inheritdoc />
    public void Free(nint address) => Check(cuMemFree_v2(address), nameof(cuMemFree_v2));

    /// <inheritdoc />
    public nint AllocatePinned(long bytes)
    {
        Check(cuMemHostAlloc(out nint address, checked((nuint)bytes), 0), nameof(cuMemHostAlloc));
        return address;
    }

    /// <inheritdoc />
    public void FreePinned(nint address) => Check(cuMemFreeHost(address), nameof(cuMemFreeHost));

    /// <inheritdoc />
    public void CopyToDevice(nint target, nint source, long bytes, nint stream) =>
        Check(cuMemcpyHtoDAsync_v2(target, source, checked((nuint)bytes), stream), nameof(cuMemcpyHtoDAsync_v2));

    /// <inheritdoc />
    public void CopyToHost(nint target, nint source, long bytes, nint stream) =>
        Check(cuMemcpyDtoHAsync_v2(target, source, checked((nuint)bytes), stream), nameof(cuMemcpyDtoHAsync_v2));

    /// <inheritdoc />
    public void CopyOnDevice(nint target, nint source, long bytes, nint stream) =>
        Check(cuMemcpyDtoDAsync_v2(target, source, checked((nuint)bytes), stream), nameof(cuMemcpyDtoDAsync_v2));

    /// <inheritdoc />
    public void FillBytes(nint target, byte value, long bytes, nint stream) =>
        Check(cuMemsetD8Async(target, value, checked((nuint)bytes), stream), nameof(cuMemsetD8Async));

    /// <inheritdoc />
    public nint CreateStream()
    {
        Check(cuStreamCreate(out nint stream, StreamNonBlocking), nameof(cuStreamCreate));
        return stream;
    }

    /// <inheritdoc />
    public void DestroyStream(nint stream) => Check(cuStreamDestroy_v2(stream), nameof(cuStreamDestroy_v2));

    /// <inheritdoc />
    public void Synchronize(nint stream) => Check(cuStreamSynchronize(stream), nameof(cuStreamSynchronize));

    /// <inheritdoc />
    public nint CreateEvent()
    {
        Check(cuEventCreate(out nint handle, 0), nameof(cuEventCreate));
        return handle;
    }

    /// <inheritdoc />
    public void DestroyEvent(nint handle) => Check(cuEventDestroy_v2(handle), nameof(cuEventDestroy_v2));

    /// <inheritdoc />
    public void RecordEvent(nint handle, nint stream) => Check(cuEventRecord(handle, stream), nameof(cuEventRecord));

    /// <inheritdoc />
    public void SynchronizeEvent(nint handle) => Check(cuEventSynchronize(handle), nameof(cuEventSynchronize));

    /// <inheritdoc />
    public float ElapsedMilliseconds(nint start, nint end)
    {
        Check(cuEventElapsedTime(out float milliseconds, start, end), nameof(cuEventElapsedTime));
        return milliseconds;
    }

    /// <inheritdoc />
    public void Launch(nint function, Grid grid, int threads, int sharedBytes, nint stream, ReadOnlySpan<nint> arguments)
    {
        fixed (nint* first = arguments)
        {
            Check(
                cuLaunchKernel(
                    function, (uint)grid.X, (uint)grid.Y, (uint)grid.Z, (uint)threads, 1, 1, (uint)sharedBytes, stream, first, null),
                nameof(cuLaunchKernel));
        }
    }

    /// <inheritdoc />
    public void BeginCapture(nint stream) => Check(cuStreamBeginCapture_v2(stream, CaptureThreadLocal), nameof(cuStreamBeginCapture_v2));

    /// <inheritdoc />
    public nint EndCapture(nint stream)
    {
        Check(cuStreamEndCapture(stream, out nint graph), nameof(cuStreamEndCapture));
        int result = cuGraphInstantiateWithFlags(out nint executable, graph, 0);
        if (graph != 0) Check(cuGraphDestroy(graph), nameof(cuGraphDestroy));
        Check(result, nameof(cuGraphInstantiateWithFlags));
        return executable;
    }

    /// <inheritdoc />
    public void LaunchGraph(nint graph, nint stream) => Check(cuGraphLaunch(graph, stream), nameof(cuGraphLaunch));

    /// <inheritdoc />
    public void DestroyGraph(nint graph) => Check(cuGraphExecDestroy(graph), nameof(cuGraphExecDestroy));

    private static int Device(int ordinal)
    {
        Check(cuDeviceGet(out int device, ordinal), nameof(cuDeviceGet));
        return device;
    }

    private static void Check(int result, string call)
    {
        if (result != 0) throw Failure(call, result, null);
    }

    // A code without a meaning of ours is told in the driver's words.
    private static CudaException Failure(string call, int code, string? detail)
    {
        var result = (CudaResult)code;
        if (!Enum.IsDefined(result)
            && cuGetErrorName(code, out byte* name) == 0
            && cuGetErrorString(code, out byte* text) == 0)
        {
            string said = $"{Marshal.PtrToStringUTF8((nint)name)}, {Marshal.PtrToStringUTF8((nint)text)}";
            detail = detail is null ? said : $"{said}: {detail}";
        }
        return new CudaException(call, result, detail);
    }
}
