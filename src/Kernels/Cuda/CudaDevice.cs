using System.Reflection;
using Gradpath.Kernels.Cuda.Driver;

namespace Gradpath.Kernels.Cuda;

/// <summary>
/// The op set on an NVIDIA GPU of compute capability 8.0 or later: handwritten kernels, shipped as PTX, through the driver alone.
/// All work runs in order on one stream. One partial file per op family holds the launchers.
/// </summary>
public sealed partial class CudaDevice : Device
{
    private readonly ICudaDriver _driver;
    private readonly int _ordinal;
    private readonly CudaOptions _options;
    private readonly CudaDeviceInfo _info;
    private readonly nint _context;
    private readonly nint _stream;
    private readonly Dictionary<string, nint> _modules = [];

    /// <summary>Opens a GPU.</summary>
    /// <param name="driver">The driver.</param>
    /// <param name="ordinal">Which GPU.</param>
    /// <param name="options">How it computes; null for the defaults.</param>
    internal CudaDevice(ICudaDriver driver, int ordinal, CudaOptions? options = null)
    {
        _driver = driver;
        _ordinal = ordinal;
        _options = options ?? CudaOptions.Default;
        _info = driver.Describe(ordinal);
        _context = driver.CreateContext(ordinal);
        _stream = driver.CreateStream();
    }

    /// <inheritdoc />
    public override string Name => $"cuda:{_ordinal}";

    /// <inheritdoc />
    public override string Description => $"{_info.Name} (compute capability {_info.Major}.{_info.Minor}, {_info.Multiprocessors} multiprocessors)";

    /// <inheritdoc />
    public override long FreeMemory => _driver.MemoryInfo().Free;

    /// <inheritdoc />
    public override unsafe Tensor Adopt(nint hostAddress, int[] shape, object keepAlive)
    {
        Tensor tensor = Allocate(shape);
        _driver.CopyToDevice(tensor.Address, hostAddress, tensor.Length * sizeof(float), _stream);
        GC.KeepAlive(keepAlive);
        return tensor;
    }

    /// <inheritdoc />
    public override unsafe void Upload<T>(ReadOnlySpan<T> source, DeviceArray<T> target)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(source.Length, target.Length);
        fixed (T* from = source) _driver.CopyToDevice(target.Address, (nint)from, (long)source.Length * sizeof(T), _stream);
    }

    /// <inheritdoc />
    public override unsafe void Download<T>(DeviceArray<T> source, Span<T> target)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(target.Length, source.Length);
        fixed (T* to = target)
        {
            _driver.CopyToHost((nint)to, source.Address, (long)target.Length * sizeof(T), _stream);
            _driver.Synchronize(_stream);
        }
    }

    /// <inheritdoc />
    public override void Synchronize() => _driver.Synchronize(_stream);

    /// <inheritdoc />
    protected override nint AllocateCore(long bytes)
    {
        nint address = _driver.Allocate(Math.Max(bytes, 4));
        _driver.FillBytes(address, 0, bytes, _stream);
        return address;
    }

    /// <inheritdoc />
    protected override void FreeCore(nint address, long bytes) => _driver.Free(address);

    /// <inheritdoc />
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            foreach (nint module in _modules.Values) _driver.UnloadModule(module);
            _driver.DestroyStream(_stream);
            _driver.ReleaseContext(_ordinal, _context);
        }
        base.Dispose(disposing);
    }

    /// <summary>The kernel in a slot, loaded at its first use from the embedded file that is named like the op family.</summary>
    private Kernel Load(ref Kernel? slot, string file, string name)
    {
        if (slot is not null) return slot;
        if (!_modules.TryGetValue(file, out nint module))
        {
            using Stream resource = Assembly.GetExecutingAssembly().GetManifestResourceStream($"{file}.ptx")!;
            byte[] ptx = new byte[resource.Length];
            resource.ReadExactly(ptx);
            module = _driver.LoadModule($"{file}.ptx", ptx);
            _modules.Add(file, module);
        }
        return slot = new Kernel(name, _driver.GetFunction(module, name));
    }

    private unsafe void Launch(Kernel kernel, Grid grid, int threads, int sharedBytes, params ReadOnlySpan<KernelArgument> arguments)
    {
        if (grid.X == 0 || grid.Y == 0 || grid.Z == 0) return;
        Span<nint> addresses = stackalloc nint[arguments.Length];
        fixed (KernelArgument* first = arguments)
        {
            for (int i = 0; i < arguments.Length; i++) addresses[i] = (nint)(first + i);
            _driver.Launch(kernel.Function, grid, threads, sharedBytes, _stream, addresses);
        }
    }

    private static int Blocks(long elements, int perBlock) => checked((int)((elements + perBlock - 1) / perBlock));
}
