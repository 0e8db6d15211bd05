using System.Runtime.InteropServices;
using Gradpath.Kernels.Cuda.Driver;

namespace Gradpath.Cuda.Tests.Driver;

/// <summary>
/// A driver whose device memory is the host's: copies and fills are done at once, kernels are not run. Enough for what the device does
/// besides kernels, and nothing stands between the test and the calls.
/// </summary>
internal sealed unsafe class HostDriver : ICudaDriver
{
    private nint _next = 0x100;

    public int Version { get; set; } = 12040;

    public string Compiler { get; set; } = "";

    public int DeviceCount => Devices.Count;

    public List<CudaDeviceInfo> Devices { get; } = [new("Host memory", 8, 0, 4, 166912, 1L << 40, 1 << 20)];

    /// <summary>Free bytes per GPU; where one is missing, half of the total.</summary>
    public Dictionary<int, long> FreeBytes { get; } = [];

    /// <summary>The GPU whose context was made last.</summary>
    public int Current { get; private set; }

    public CudaDeviceInfo Describe(int ordinal) => Devices[ordinal];

    /// <summary>GPUs that somebody else has for himself.</summary>
    public HashSet<int> Reserved { get; } = [];

    /// <summary>What the management library says of each GPU; nothing where it is not installed.</summary>
    public Dictionary<int, GpuState> States { get; } = [];

    public GpuState? State(int ordinal) => States.GetValueOrDefault(ordinal);

    public nint CreateContext(int ordinal)
    {
        if (Reserved.Contains(ordinal)) throw new CudaException("cuDevicePrimaryCtxRetain", CudaResult.InvalidDevice);
        Current = ordinal;
        return _next++;
    }

    public void MakeCurrent(nint context)
    {
    }

    public void ReleaseContext(int ordinal, nint context)
    {
    }

    public (long Free, long Total) MemoryInfo()
    {
        long total = Devices[Current].TotalMemory;
        return (FreeBytes.GetValueOrDefault(Current, total / 2), total);
    }

    public CudaImage Compile(string name, ReadOnlySpan<byte> ptx) =>
        new([.. System.Text.Encoding.UTF8.GetBytes($"image of {name} for {Version}"), 0], $"info: {name}", 0.5);

    public nint LoadModule(string name, ReadOnlySpan<byte> image) => _next++;

    public void UnloadModule(nint module)
    {
    }

    public nint GetFunction(nint module, string name) => _next++;

    public CudaFunctionInfo DescribeFunction(nint function) => new(32, 0, 0, 1024);

    public int ResidentBlocks(nint function, int threads, int sharedBytes) => 2;

    public void AllowSharedMemory(nint function, int bytes)
    {
    }

    // What nobody has written is no zero; at the start, so that large arrays cost nothing.
    public nint Allocate(long bytes)
    {
        nint address = (nint)NativeMemory.AlignedAlloc((nuint)bytes, 256);
        NativeMemory.Fill((void*)address, (nuint)Math.Min(bytes, 4096), 0xcd);
        return address;
    }

    public void Free(nint address) => NativeMemory.AlignedFree((void*)address);

    public nint AllocatePinned(long bytes) => Allocate(bytes);

    public void FreePinned(nint address) => Free(address);

    public void CopyToDevice(nint target, nint source, long bytes, nint stream) =>
        Buffer.MemoryCopy((void*)source, (void*)target, bytes, bytes);

    public void CopyToHost(nint target, nint source, long bytes, nint stream) =>
        Buffer.MemoryCopy((void*)source, (void*)target, bytes, bytes);

    public void CopyOnDevice(nint target, nint source, long bytes, nint stream) =>
        Buffer.MemoryCopy((void*)source, (void*)target, bytes, bytes);

    public void FillBytes(nint target, byte value, long bytes, nint stream) => NativeMemory.Fill((void*)target, (nuint)bytes, value);

    public nint CreateStream() => _next++;

    public void DestroyStream(nint stream)
    {
    }

    public void Synchronize(nint stream)
    {
    }

    public nint CreateEvent() => _next++;

    public void DestroyEvent(nint handle)
    {
    }

    public void RecordEvent(nint handle, nint stream)
    {
    }

    public void SynchronizeEvent(nint handle)
    {
    }

    public float ElapsedMilliseconds(nint start, nint end) => 1;

    public void Launch(nint function, Grid grid, int threads, int sharedBytes, nint stream, ReadOnlySpan<nint> arguments)
    {
    }

    public void BeginCapture(nint stream)
    {
    }

    public nint EndCapture(nint stream) => _next++;

    public void LaunchGraph(nint graph, nint stream)
    {
    }

    public void DestroyGraph(nint graph)
    {
    }
}
