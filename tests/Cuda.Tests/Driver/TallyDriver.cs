using System.Runtime.InteropServices;
using Gradpath.Kernels.Cuda.Driver;

namespace Gradpath.Cuda.Tests.Driver;

/// <summary>
/// An H200 that computes nothing: memory is addresses alone, downloads are zeros. It tallies what a GPU would do (kernels, copies and
/// fills, also those within graphs) and the calls that the host makes for it.
/// </summary>
internal sealed unsafe class TallyDriver : ICudaDriver
{
    private readonly Dictionary<nint, string> _functions = [];
    private readonly Dictionary<nint, List<string>> _graphs = [];
    private List<string>? _capture;
    private nint _next = 0x100;
    private nint _memory = 1 << 20;

    /// <summary>Operations of the device by name, graph nodes included.</summary>
    public Dictionary<string, int> Operations { get; } = [];

    /// <summary>Calls that issue work or wait for it.</summary>
    public int HostCalls { get; private set; }

    /// <summary>All operations of the device.</summary>
    public int Total => Operations.Values.Sum();

    public int Version => 13000;

    public string Compiler => "";

    public int DeviceCount => 1;

    /// <summary>Starts counting again.</summary>
    public void Reset()
    {
        Operations.Clear();
        HostCalls = 0;
    }

    public CudaDeviceInfo Describe(int ordinal) => new("NVIDIA H200", 9, 0, 132, 232448, 141L << 30, 60 << 20);

    public nint CreateContext(int ordinal) => _next++;

    public void MakeCurrent(nint context)
    {
    }

    public void ReleaseContext(int ordinal, nint context)
    {
    }

    public (long Free, long Total) MemoryInfo() => (130L << 30, 141L << 30);

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
        return address;
    }

    public void Free(nint address)
    {
    }

    public nint AllocatePinned(long bytes) => (nint)NativeMemory.AlignedAlloc((nuint)bytes, 256);

    public void FreePinned(nint address) => NativeMemory.AlignedFree((void*)address);

    public void CopyToDevice(nint target, nint source, long bytes, nint stream) => Do("upload");

    public void CopyToHost(nint target, nint source, long bytes, nint stream)
    {
        NativeMemory.Clear((void*)target, (nuint)bytes);
        Do("download");
    }

    public void CopyOnDevice(nint target, nint source, long bytes, nint stream) => Do("copy");

    public void FillBytes(nint target, byte value, long bytes, nint stream) => Do("memset");

    public nint CreateStream() => _next++;

    public void DestroyStream(nint stream)
    {
    }

    public void Synchronize(nint stream) => HostCalls++;

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
        Do(_functions[function]);

    public void BeginCapture(nint stream) => _capture = [];

    public nint EndCapture(nint stream)
    {
        _graphs[_next] = _capture!;
        _capture = null;
        return _next++;
    }

    public void LaunchGraph(nint graph, nint stream)
    {
        HostCalls++;
        foreach (string operation in _graphs[graph]) Add(operation);
    }

    public void DestroyGraph(nint graph) => _graphs.Remove(graph);

    private void Do(string operation)
    {
        if (_capture is not null)
        {
            _capture.Add(operation);
            return;
        }
        HostCalls++;
        Add(operation);
    }

    private void Add(string operation) => Operations[operation] = Operations.GetValueOrDefault(operation) + 1;
}
