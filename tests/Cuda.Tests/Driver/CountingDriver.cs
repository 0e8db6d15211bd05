using System.Runtime.InteropServices;
using Gradpath.Kernels.Cuda.Driver;

namespace Gradpath.Cuda.Tests.Driver;

/// <summary>
/// A driver of a large GPU that computes nothing and counts what it is asked to do, by the kernel's name, and by <c>upload</c>,
/// <c>download</c>, <c>copy</c> and <c>memset</c>. An operation of a graph counts whenever the graph is launched. Device memory is made of
/// addresses alone, so works on models of any size take no memory; what is downloaded is zeros.
/// </summary>
internal sealed unsafe class CountingDriver : ICudaDriver
{
    private readonly Dictionary<nint, string> _functions = [];
    private readonly Dictionary<nint, List<string>> _graphs = [];
    private readonly Dictionary<nint, long> _sizes = [];
    private readonly Dictionary<string, int> _operations = [];
    private readonly Dictionary<string, int> _hostCalls = [];
    private List<string>? _capture;
    private nint _next = 0x100;
    private nint _memory = 1 << 30;

    public int Version => 13000;

    public string Compiler => "";

    public int DeviceCount => 1;

    /// <summary>What the device did, by name, those of graphs included.</summary>
    public IReadOnlyDictionary<string, int> Operations => _operations;

    /// <summary>What the host asked for: operations outside of graphs by name, and <c>graph</c> for each launch of one.</summary>
    public IReadOnlyDictionary<string, int> HostCalls => _hostCalls;

    /// <summary>All that the device did.</summary>
    public int Total => _operations.Values.Sum();

    /// <summary>How often the host called for work.</summary>
    public int HostTotal => _hostCalls.Values.Sum();

    /// <summary>Starts counting again.</summary>
    public void Reset()
    {
        _operations.Clear();
        _hostCalls.Clear();
    }

    public CudaDeviceInfo Describe(int ordinal) => new("NVIDIA H200", 9, 0, 132, 232448, 141L << 30, 60 << 20);

    public nint CreateContext(int ordinal) => _next++;

    public void MakeCurrent(nint context)
    {
    }

    public void ReleaseContext(int ordinal, nint context)
    {
    }

    public (long Free, long Total) MemoryInfo() => ((139L << 30) - _sizes.Values.Sum(), 141L << 30);

    public GpuState? State(int ordinal) => null;

    public CudaImage Compile(string name, ReadOnlySpan<byte> ptx) => new([0], "", 0);

    public nint LoadModule(string name, ReadOnlySpan<byte> image) => _next++;

    public void UnloadModule(nint module)
    {
    }

    public nint GetFunction(nint module, string name)
    {
        _functions[_next] = name;
        return _next++;
    }

    public CudaFunctionInfo DescribeFunction(nint function) => new(32, 0, 0, 1024);

    public int ResidentBlocks(nint function, int threads, int sharedBytes) => 2;

    public void AllowSharedMemory(nint function, int bytes)
    {
    }

    public nint Allocate(long bytes)
    {
        nint address = _memory;
        _memory += (nint)((bytes + 511) / 512 * 512);
        _sizes[address] = bytes;
        return address;
    }

    public void Free(nint address) => _sizes.Remove(address);

    public nint AllocatePinned(long bytes) => (nint)NativeMemory.AlignedAlloc((nuint)bytes, 256);

    public void FreePinned(nint address) => NativeMemory.AlignedFree((void*)address);

    public void CopyToDevice(nint target, nint source, long bytes, nint stream) => Note("upload");

    public void CopyToHost(nint target, nint source, long bytes, nint stream)
    {
        NativeMemory.Clear((void*)target, (nuint)bytes);
        Note("download");
    }

    public void CopyOnDevice(nint target, nint source, long bytes, nint stream) => Note("copy");

    public void FillBytes(nint target, byte value, long bytes, nint stream) => Note("memset");

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

    public void Launch(nint function, Grid grid, int threads, int sharedBytes, nint stream, ReadOnlySpan<nint> arguments) =>
        Note(_functions[function]);

    public void BeginCapture(nint stream) => _capture = [];

    public nint EndCapture(nint stream)
    {
        _graphs[_next] = _capture!;
        _capture = null;
        return _next++;
    }

    public void LaunchGraph(nint graph, nint stream)
    {
        foreach (string operation in _graphs[graph]) Count(_operations, operation);
        Count(_hostCalls, "graph");
    }

    public void DestroyGraph(nint graph) => _graphs.Remove(graph);

    private void Note(string operation)
    {
        if (_capture is not null)
        {
            _capture.Add(operation);
            return;
        }
        Count(_operations, operation);
        Count(_hostCalls, operation);
    }

    private static void Count(Dictionary<string, int> counts, string operation) =>
        counts[operation] = counts.GetValueOrDefault(operation) + 1;
}
