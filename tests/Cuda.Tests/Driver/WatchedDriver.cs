using Gradpath.Kernels.Cuda.Driver;

namespace Gradpath.Cuda.Tests.Driver;

/// <summary>
/// A driver seen through: counts the calls by name, keeps account of everything that must be given back, and fails where a test wants it
/// to. A handle that was never given out or is given back twice is an error here, whatever the driver below makes of it.
/// </summary>
/// <param name="inner">The driver that does the work.</param>
internal sealed class WatchedDriver(ICudaDriver inner) : ICudaDriver
{
    private readonly Dictionary<string, int> _calls = [];
    private readonly Dictionary<(string Kind, nint Handle), long> _live = [];
    private readonly Dictionary<nint, nint> _contextOfStream = [];
    private readonly Dictionary<nint, string> _kernels = [];
    private readonly ThreadLocal<nint> _context = new();
    private readonly List<string> _compiled = [];
    private nint _stream;
    private int _compiling;

    /// <summary>Asked before each call, by its name and how often it has been made before; not null makes the call fail so.</summary>
    public Func<string, int, CudaResult?>? Fault { get; set; }

    /// <summary>Asked before each launch, by the kernel's name; not null makes the launch fail so.</summary>
    public Func<string, CudaResult?>? KernelFault { get; set; }

    /// <summary>Told of each compilation before it is done, by the file's name, on its own thread.</summary>
    public Action<string>? Compiling { get; set; }

    /// <summary>Told of each module before it is loaded: the file's name and the image.</summary>
    public Action<string, byte[]>? Loading { get; set; }

    /// <summary>The files that were compiled, in order.</summary>
    public string[] Compiled
    {
        get
        {
            lock (_compiled) return [.. _compiled];
        }
    }

    /// <summary>The kernels that were launched or recorded.</summary>
    public HashSet<string> Launched { get; } = [];

    /// <summary>Whether new memory is filled with a number that means nothing, so that none of it counts as unwritten.</summary>
    public bool ClearsMemory { get; init; }

    /// <summary>What has not been given back.</summary>
    public IEnumerable<string> Live => _live.Keys.Select(k => $"{k.Kind} {k.Handle:x}");

    /// <summary>Sizes of the device memory given out.</summary>
    public IEnumerable<long> LiveSizes => _live.Where(p => p.Key.Kind == "memory").Select(p => p.Value);

    /// <summary>Kernels recorded in a capture do not count as launches.</summary>
    public bool Capturing { get; private set; }

    public int Version => inner.Version;

    public string Compiler => inner.Compiler;

    public bool IsEmulated => inner.IsEmulated;

    public int DeviceCount => inner.DeviceCount;

    /// <summary>How often a function was called.</summary>
    public int Calls(string name)
    {
        lock (_calls) return _calls.GetValueOrDefault(name);
    }

    /// <summary>Starts counting again.</summary>
    public void Reset()
    {
        lock (_calls) _calls.Clear();
    }

    public CudaDeviceInfo Describe(int ordinal) => inner.Describe(ordinal);

    public GpuState? State(int ordinal)
    {
        Note(nameof(State));
        return inner.State(ordinal);
    }

    public nint CreateContext(int ordinal)
    {
        Note(nameof(CreateContext));
        nint context = inner.CreateContext(ordinal);
        _context.Value = context;
        return Take("context", context, 1);
    }

    public void MakeCurrent(nint context)
    {
        Note(nameof(MakeCurrent));
        inner.MakeCurrent(context);
        _context.Value = context;
    }

    public void ReleaseContext(int ordinal, nint context)
    {
        Note(nameof(ReleaseContext));
        if (_compiling > 0) throw new InvalidOperationException("a context is released while something is compiled in it");
        Give("context", context);
        inner.ReleaseContext(ordinal, context);
    }

    public (long Free, long Total) MemoryInfo()
    {
        Note(nameof(MemoryInfo));
        return inner.MemoryInfo();
    }

    public CudaImage Compile(string name, ReadOnlySpan<byte> ptx)
    {
        Note(nameof(Compile));
        if (_context.Value == 0) throw new InvalidOperationException("a compilation without a context");
        lock (_compiled) _compiled.Add(name);
        Interlocked.Increment(ref _compiling);
        try
        {
            Compiling?.Invoke(name);
            return inner.Compile(name, ptx);
        }
        finally
        {
            Interlocked.Decrement(ref _compiling);
        }
    }

    public nint LoadModule(string name, ReadOnlySpan<byte> image)
    {
        Note(nameof(LoadModule));
        Loading?.Invoke(name, image.ToArray());
        return Take("module", inner.LoadModule(name, image), 1);
    }

    public void UnloadModule(nint module)
    {
        Note(nameof(UnloadModule));
        Give("module", module);
        inner.UnloadModule(module);
    }

    public nint GetFunction(nint module, string name)
    {
        Note(nameof(GetFunction));
        nint function = inner.GetFunction(module, name);
        _kernels[function] = name;
        return function;
    }

    public CudaFunctionInfo DescribeFunction(nint function) => inner.DescribeFunction(function);

    public int ResidentBlocks(nint function, int threads, int sharedBytes) => inner.ResidentBlocks(function, threads, sharedBytes);

    public void AllowSharedMemory(nint function, int bytes)
    {
        Note(nameof(AllowSharedMemory));
        inner.AllowSharedMemory(function, bytes);
    }

    public nint Allocate(long bytes)
    {
        Note(nameof(Allocate));
        nint address = Take("memory", inner.Allocate(bytes), bytes);
        if (ClearsMemory) inner.FillBytes(address, 0xcd, bytes, _stream);
        return address;
    }

    public void Free(nint address)
    {
        Note(nameof(Free));
        Give("memory", address);
        inner.Free(address);
    }

    public nint AllocatePinned(long bytes)
    {
        Note(nameof(AllocatePinned));
        return Take("pinned memory", inner.AllocatePinned(bytes), bytes);
    }

    public void FreePinned(nint address)
    {
        Note(nameof(FreePinned));
        Give("pinned memory", address);
        inner.FreePinned(address);
    }

    public void CopyToDevice(nint target, nint source, long bytes, nint stream)
    {
        Note(nameof(CopyToDevice));
        On(stream);
        inner.CopyToDevice(target, source, bytes, stream);
    }

    public void CopyToHost(nint target, nint source, long bytes, nint stream)
    {
        Note(nameof(CopyToHost));
        On(stream);
        inner.CopyToHost(target, source, bytes, stream);
    }

    public void CopyOnDevice(nint target, nint source, long bytes, nint stream)
    {
        Note(nameof(CopyOnDevice));
        On(stream);
        inner.CopyOnDevice(target, source, bytes, stream);
    }

    public void FillBytes(nint target, byte value, long bytes, nint stream)
    {
        Note(nameof(FillBytes));
        On(stream);
        inner.FillBytes(target, value, bytes, stream);
    }

    public nint CreateStream()
    {
        Note(nameof(CreateStream));
        _stream = Take("stream", inner.CreateStream(), 1);
        _contextOfStream[_stream] = _context.Value;
        return _stream;
    }

    public void DestroyStream(nint stream)
    {
        Note(nameof(DestroyStream));
        Give("stream", stream);
        inner.DestroyStream(stream);
    }

    public void Synchronize(nint stream)
    {
        Note(nameof(Synchronize));
        On(stream);
        inner.Synchronize(stream);
    }

    public nint CreateEvent()
    {
        Note(nameof(CreateEvent));
        return Take("event", inner.CreateEvent(), 1);
    }

    public void DestroyEvent(nint handle)
    {
        Note(nameof(DestroyEvent));
        Give("event", handle);
        inner.DestroyEvent(handle);
    }

    public void RecordEvent(nint handle, nint stream)
    {
        Note(nameof(RecordEvent));
        On(stream);
        inner.RecordEvent(handle, stream);
    }

    public void SynchronizeEvent(nint handle)
    {
        Note(nameof(SynchronizeEvent));
        inner.SynchronizeEvent(handle);
    }

    public float ElapsedMilliseconds(nint start, nint end) => inner.ElapsedMilliseconds(start, end);

    public void Launch(nint function, Grid grid, int threads, int sharedBytes, nint stream, ReadOnlySpan<nint> arguments)
    {
        Note(Capturing ? "RecordLaunch" : nameof(Launch));
        On(stream);
        string name = _kernels[function];
        Launched.Add(name);
        if (KernelFault?.Invoke(name) is { } result) throw new CudaException("cuLaunchKernel", result);
        inner.Launch(function, grid, threads, sharedBytes, stream, arguments);
    }

    public void BeginCapture(nint stream)
    {
        Note(nameof(BeginCapture));
        On(stream);
        inner.BeginCapture(stream);
        Capturing = true;
    }

    public nint EndCapture(nint stream)
    {
        Capturing = false;
        Note(nameof(EndCapture));
        return Take("graph", inner.EndCapture(stream), 1);
    }

    public void LaunchGraph(nint graph, nint stream)
    {
        Note(nameof(LaunchGraph));
        On(stream);
        inner.LaunchGraph(graph, stream);
    }

    public void DestroyGraph(nint graph)
    {
        Note(nameof(DestroyGraph));
        Give("graph", graph);
        inner.DestroyGraph(graph);
    }

    private void Note(string call)
    {
        int before;
        lock (_calls)
        {
            before = _calls.GetValueOrDefault(call);
            _calls[call] = before + 1;
        }
        if (Fault?.Invoke(call, before) is { } result) throw new CudaException(call, result);
    }

    // A call works on the context that is current, whatever it is given.
    private void On(nint stream)
    {
        if (_contextOfStream[stream] != _context.Value) throw new InvalidOperationException("a call on another context's stream");
    }

    private nint Take(string kind, nint handle, long size)
    {
        _live.Add((kind, handle), size);
        return handle;
    }

    private void Give(string kind, nint handle)
    {
        if (!_live.Remove((kind, handle))) throw new InvalidOperationException($"{kind} {handle:x} is given back that is not there");
    }
}
