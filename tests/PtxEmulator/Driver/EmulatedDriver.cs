using System.Diagnostics;
using System.Globalization;
using Gradpath.Kernels.Cuda.Driver;
using Gradpath.PtxEmulator.Compile;
using Gradpath.PtxEmulator.Memory;
using Gradpath.PtxEmulator.Ptx;

namespace Gradpath.PtxEmulator;

/// <summary>
/// The driver without a GPU: runs the PTX that is loaded and looks for faults and races. Work is done when it is queued or, where the
/// options ask for it, when it is waited for; what goes wrong in a kernel is reported by the next call, and from then on by every call, as
/// by a real context.
/// </summary>
/// <remarks>All devices are alike; each has memory of its own, of which one context at a time is in use.</remarks>
internal sealed partial class EmulatedDriver : ICudaDriver, IDisposable
{
    private readonly EmulatorOptions _options;
    private readonly Dictionary<int, int> _contexts = [];
    private readonly ThreadLocal<nint> _current = new();
    private readonly Dictionary<nint, Module> _modules = [];
    private readonly Dictionary<nint, Function> _functions = [];
    private Arena? _arena;
    private Allocations? _allocations;
    private CudaResult _failure;
    private string? _report;
    private nint _lastHandle = 0x100;

    public EmulatedDriver()
        : this(new EmulatorOptions())
    {
    }

    public EmulatedDriver(EmulatorOptions options) => _options = options;

    private sealed record Module(string Name, CompiledModule Code, ulong Variables);

    private sealed record Function(Module Module, CompiledKernel Kernel)
    {
        public int AllowedSharedBytes { get; set; } = 48 * 1024;
    }

    public int Version => 12080;

    public string Compiler => "emulator";

    public bool IsEmulated => true;

    public int DeviceCount => _options.DeviceCount;

    /// <summary>Modules, streams, events and graphs that are not yet unloaded or destroyed.</summary>
    public int LiveModules => _modules.Count;

    /// <summary>The log with which the next module fails to load.</summary>
    public string? FailNextModule { get; set; }

    public CudaDeviceInfo Describe(int ordinal)
    {
        CheckOrdinal("cuDeviceGet", ordinal);
        return new("Emulated GPU", _options.Major, _options.Minor, _options.Multiprocessors, _options.SharedMemoryPerBlock,
            _options.MemoryLimit, 50 << 20, SharedMemoryPerMultiprocessor: _options.SharedMemoryPerMultiprocessor);
    }

    /// <remarks>There is nothing to manage.</remarks>
    public GpuState? State(int ordinal) => null;

    public nint CreateContext(int ordinal)
    {
        CheckOrdinal("cuDevicePrimaryCtxRetain", ordinal);
        _contexts[ordinal] = _contexts.GetValueOrDefault(ordinal) + 1;
        _arena ??= new Arena();
        _allocations ??= new Allocations(_arena);
        return _current.Value = ContextOf(ordinal);
    }

    public void MakeCurrent(nint context)
    {
        if (!_contexts.Keys.Any(o => ContextOf(o) == context)) throw new CudaException("cuCtxSetCurrent", CudaResult.InvalidContext);
        _current.Value = context;
    }

    public void ReleaseContext(int ordinal, nint context)
    {
        if (context != ContextOf(ordinal) || !_contexts.TryGetValue(ordinal, out int count))
            throw new CudaException("cuDevicePrimaryCtxRelease", CudaResult.InvalidContext);
        if (count > 1)
        {
            _contexts[ordinal] = count - 1;
            return;
        }
        _contexts.Remove(ordinal);
        if (_contexts.Count > 0) return;
        Dispose();

        // With a context goes what a kernel has broken in it, and what was made in it.
        if (_failure == CudaResult.Success) return;
        (_failure, _report, _capturing) = (CudaResult.Success, null, null);
        _modules.Clear();
        _functions.Clear();
        _streams.Clear();
        _events.Clear();
        _graphs.Clear();
    }

    /// <remarks>The image is the text itself; the log says what a compiler's says first.</remarks>
    public CudaImage Compile(string name, ReadOnlySpan<byte> ptx)
    {
        long start = Stopwatch.GetTimestamp();
        CompiledModule code = Read("cuLinkAddData", name, ptx);
        string log = string.Join('\n', code.Kernels.Values.Select(k => $"ptx info : {k.Ptx.Name}: {k.LiveRegisters} live registers"));
        return new CudaImage(ptx.ToArray(), log, Stopwatch.GetElapsedTime(start).TotalSeconds);
    }

    public nint LoadModule(string name, ReadOnlySpan<byte> image)
    {
        NotWhileCapturing("cuModuleLoadDataEx");
        CompiledModule code = Read("cuModuleLoadDataEx", name, image);
        ulong variables = 0;
        if (code.Ptx.VariableBytes > 0)
        {
            variables = _allocations!.Allocate(code.Ptx.VariableBytes);
            foreach (PtxVariable variable in code.Ptx.Variables) Initialize(variables + (ulong)variable.Offset, variable);
        }
        nint handle = NewHandle();
        _modules.Add(handle, new Module(name, code, variables));
        return handle;
    }

    private CompiledModule Read(string call, string name, ReadOnlySpan<byte> ptx)
    {
        Check(call);
        if (FailNextModule is { } log)
        {
            FailNextModule = null;
            throw new CudaException(call, CudaResult.InvalidPtx, $"{name}: {log}");
        }
        try
        {
            CompiledModule code = ModuleCache.Get(ptx, _options.Count, _options.Fuse);
            CheckTarget(code.Ptx);
            return code;
        }
        catch (PtxException e)
        {
            throw new CudaException(call, CudaResult.InvalidPtx, $"{name}: {e.Message}");
        }
    }

    // PTX for a capability runs on that and on later ones; with the letter a on that one alone.
    private void CheckTarget(PtxModule module)
    {
        string target = module.Target, number = target.StartsWith("sm_", StringComparison.Ordinal) ? target[3..].TrimEnd('a') : "";
        if (!int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int capability)) return;
        bool alone = target.EndsWith('a');
        if (capability > _options.Capability)
        {
            throw new PtxException(
                module.TargetLine, $".target '{target}' is higher than the GPU's compute capability {_options.Major}.{_options.Minor}");
        }
        if (alone && capability != _options.Capability)
        {
            throw new PtxException(module.TargetLine, $".target '{target}' cannot be compiled for the GPU's compute capability "
                + $"{_options.Major}.{_options.Minor}: it is for one alone");
        }
    }

    // Variables that are given no content are zero.
    private unsafe void Initialize(ulong address, PtxVariable variable)
    {
        byte[] content = variable.Content ?? new byte[variable.Bytes];
        content.CopyTo(new Span<byte>(_arena!.Host(address), content.Length));
        _arena.MarkWritten(address, content.Length);
    }

    public void UnloadModule(nint module)
    {
        Check("cuModuleUnload");
        WaitForAll("cuModuleUnload");
        Module unloaded = Get(_modules, module, "cuModuleUnload");
        if (unloaded.Variables != 0) _allocations!.Free(unloaded.Variables);
        _modules.Remove(module);
        foreach (nint function in _functions.Where(f => f.Value.Module == unloaded).Select(f => f.Key).ToArray())
            _functions.Remove(function);
    }

    public nint GetFunction(nint module, string name)
    {
        Check("cuModuleGetFunction");
        Module from = Get(_modules, module, "cuModuleGetFunction");
        if (!from.Code.Kernels.TryGetValue(name, out CompiledKernel? kernel))
        {
            throw new CudaException("cuModuleGetFunction", CudaResult.NotFound, $"{from.Name} has no entry '{name}'");
        }
        nint handle = NewHandle();
        _functions.Add(handle, new Function(from, kernel));
        return handle;
    }

    /// <remarks>Registers are those that hold something at once in the PTX, at most: a compiler may do with fewer or take more.</remarks>
    public CudaFunctionInfo DescribeFunction(nint function)
    {
        CompiledKernel kernel = Get(_functions, function, "cuFuncGetAttribute").Kernel;
        return new(LaunchRegisters(kernel), kernel.StaticSharedBytes, kernel.LocalBytes, kernel.Ptx.MaxThreads);
    }

    /// <remarks>A multiprocessor of compute capability 9.0, with the registers of <see cref="DescribeFunction"/>.</remarks>
    public int ResidentBlocks(nint function, int threads, int sharedBytes)
    {
        const string call = "cuOccupancyMaxActiveBlocksPerMultiprocessor";
        const int mostThreads = 2048, mostBlocks = 32, registers = 65_536, reservedBytes = 1024;
        Check(call);
        CompiledKernel kernel = Get(_functions, function, call).Kernel;
        int warps = (threads + 31) / 32, each = (LaunchRegisters(kernel) + 7) / 8 * 8;
        int shared = sharedBytes + kernel.StaticSharedBytes + reservedBytes;
        return new[]
        {
            mostBlocks, mostThreads / (32 * warps), registers / Math.Max(1, 32 * warps * each),
            (_options.SharedMemoryPerBlock + reservedBytes) / shared,
        }.Min();
    }

    // A launch has what its bounds leave a thread; warpgroups that hold more take it from each other.
    private static int LaunchRegisters(CompiledKernel kernel) => LaunchRoom.Bound(kernel.Ptx) is > 0 and var bound
        ? Math.Min(kernel.LiveRegisters, bound)
        : kernel.LiveRegisters;

    public void AllowSharedMemory(nint function, int bytes)
    {
        Check("cuFuncSetAttribute");
        Function allowed = Get(_functions, function, "cuFuncSetAttribute");
        if (bytes < 0 || bytes + allowed.Kernel.StaticSharedBytes > _options.SharedMemoryPerBlock)
        {
            throw new CudaException("cuFuncSetAttribute", CudaResult.InvalidValue,
                $"{bytes} bytes of shared memory for '{allowed.Kernel.Name}'; the most are "
                + $"{_options.SharedMemoryPerBlock - allowed.Kernel.StaticSharedBytes}");
        }
        allowed.AllowedSharedBytes = Math.Max(bytes, 48 * 1024);
    }

    public void Dispose()
    {
        ForgetPending();
        foreach (Execution.Worker worker in _workers) worker.Dispose();
        _workers.Clear();
        _arena?.Dispose();
        _arena = null;
        _allocations = null;
    }

    private static nint ContextOf(int ordinal) => 0x10 + ordinal;

    private void CheckOrdinal(string call, int ordinal)
    {
        if (_options.DeviceCount == 0) throw new CudaException(call, CudaResult.NoDevice);
        if ((uint)ordinal >= (uint)_options.DeviceCount)
            throw new CudaException(call, CudaResult.InvalidDevice, $"device {ordinal} of {_options.DeviceCount}");
    }

    private nint NewHandle() => _lastHandle += 0x10;

    private static T Get<T>(Dictionary<nint, T> table, nint handle, string call) =>
        table.TryGetValue(handle, out T? found) ? found : throw new CudaException(call, CudaResult.InvalidHandle, $"handle 0x{handle:x}");

    // A context that a kernel has failed in is of no more use, and none is current on a thread that did not make it so.
    private void Check(string call)
    {
        if (_current.Value == 0 || _arena is null) throw new CudaException(call, CudaResult.InvalidContext);
        if (_failure != CudaResult.Success) throw new CudaException(call, _failure, _report);
    }

    private void Fail(CudaResult result, string report)
    {
        if (_failure != CudaResult.Success) return;
        _failure = result;
        _report = report;
    }
}
