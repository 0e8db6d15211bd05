using Gradpath.Kernels.Cuda.Driver;

namespace Gradpath.Kernels.Cuda;

/// <summary>
/// The op set on an NVIDIA GPU of compute capability 8.0 or later: handwritten kernels, shipped as PTX, through the driver alone.
/// All work runs in order on one stream. One partial file per op family holds the launchers.
/// </summary>
public sealed partial class CudaDevice : Device
{
    /// <summary>The lowest compute capability whose instructions the kernels use, times ten.</summary>
    internal const int LowestCapability = 80;

    private const int AmpleRowsOfLarge = 8192, MultiprocessorsOfLarge = 132, RowUnit = 128;

    private static long _opened;

    [ThreadStatic]
    private static long _current;

    private readonly ICudaDriver _driver;
    private readonly int _ordinal;
    private readonly CudaOptions _options;
    private readonly CudaDeviceInfo _info;
    private readonly nint _context;
    private readonly nint _stream;
    private readonly long _identity = Interlocked.Increment(ref _opened);
    private readonly MemoryPool _memory;
    private readonly Dictionary<string, Module> _modules = [];
    private readonly KernelImages _images;
    private readonly RecentLaunches _recent = new();
    private bool _failed;

    /// <summary>Opens a GPU.</summary>
    /// <param name="driver">The driver.</param>
    /// <param name="ordinal">Which GPU.</param>
    /// <param name="options">How it computes; null for the defaults.</param>
    /// <param name="cache">Where compiled kernels are kept; null for nowhere.</param>
    /// <exception cref="DeviceException">The GPU cannot be used; the message says why.</exception>
    internal CudaDevice(ICudaDriver driver, int ordinal, CudaOptions? options = null, KernelCache? cache = null)
    {
        _driver = driver;
        _ordinal = ordinal;
        _options = options ?? CudaOptions.Default;
        try
        {
            _info = driver.Describe(ordinal);
            if ((10 * _info.Major) + _info.Minor < LowestCapability)
            {
                throw new DeviceException(
                    $"{Name} is a {_info.Name} of compute capability {_info.Major}.{_info.Minor}; 8.0 or later is needed");
            }
            _context = driver.CreateContext(ordinal);
            _current = _identity;
            try
            {
                _stream = driver.CreateStream();
            }
            catch
            {
                driver.ReleaseContext(ordinal, _context);
                throw;
            }
        }
        catch (CudaException e)
        {
            throw new DeviceException($"{Name} cannot be opened: {e.Message}", e) { Advice = e.Result.Advice() };
        }
        _images = new KernelImages(driver, _context, $"{_info.Major}.{_info.Minor}", cache ?? KernelCache.None, PtxOf);
        _memory = new MemoryPool(driver, _options.CacheMemory);
        Plans = new GemmPlans(new GemmGpu(_info, ResidentBlocks));
        Arithmetic = ArithmeticOf(_options, Plans.Gpu.Float32, Plans.Gpu.TensorFloat32);
        if (!_options.UseCublas) return;
        try
        {
            OpenCublas();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc />
    public override DeviceKind Kind => DeviceKind.Cuda;

    /// <inheritdoc />
    public override string Name => $"cuda:{_ordinal}";

    /// <summary>
    /// Rows of a pass that keep the GPU fully busy: enough for the narrowest products to give every multiprocessor about three tiles of
    /// 128 x 128, so 8,192 for the 132 multiprocessors of an H100.
    /// </summary>
    internal override int AmpleRows => Blocks((long)_info.Multiprocessors * AmpleRowsOfLarge / MultiprocessorsOfLarge, RowUnit) * RowUnit;

    /// <inheritdoc />
    internal override int RowsOfCopies(int onCpu) => Math.Max(onCpu, AmpleRows);

    /// <inheritdoc />
    internal override long ContractedFloats => 64 * 1024 * 1024;

    /// <inheritdoc />
    public override string Description =>
        $"{_info.Name} (compute capability {_info.Major}.{_info.Minor}, {_info.Multiprocessors} multiprocessors)";

    /// <inheritdoc />
    public override MatrixPrecision Precision => _options.Precision;

    /// <inheritdoc />
    public override MatrixProvider Multiplier =>
        _options.UseCublas ? MatrixProvider.Cublas : Arithmetic switch
        {
            GemmArithmetic.Ffma => MatrixProvider.Ffma,
            GemmArithmetic.Tf32x3 => MatrixProvider.Tf32x3,
            GemmArithmetic.Fp16x3 => MatrixProvider.Fp16x3,
            _ => MatrixProvider.Own,
        };

    /// <summary>Whether a kernel has broken the context, so that only a device that is opened anew computes.</summary>
    internal bool HasFailed => _failed;

    /// <summary>How it computes.</summary>
    public CudaOptions Options => _options;

    private protected override void SynchronizeCore()
    {
        Enter();
        RefuseWhileRecording("waiting for the GPU");
        try
        {
            _driver.Synchronize(_stream);
        }
        catch (CudaException e)
        {
            throw WorkFailed(e);
        }
        _recent.Clear();
        _memory.Drain();
    }

    private protected override void DisposeCore()
    {
        _images.Dispose();
        Quietly(() => _driver.MakeCurrent(_context));
        Quietly(() => _driver.Synchronize(_stream));
        foreach (Recording recording in _recordings.ToArray()) recording.Dispose();
        _cublas?.Dispose();
        if (_staging is not null) Quietly(_staging.Dispose);
        _memory.Clear(address => Quietly(() => _driver.Free(address)));
        foreach (Module module in _modules.Values) Quietly(() => _driver.UnloadModule(module.Handle));
        Quietly(() => _driver.DestroyStream(_stream));
        Quietly(() => _driver.ReleaseContext(_ordinal, _context));
        _current = 0;
    }

    /// <summary>The kernel in a slot, loaded at its first use from the embedded file that is named like the op family.</summary>
    /// <param name="slot">Where it is kept.</param>
    /// <param name="file">The file without its extension.</param>
    /// <param name="name">The entry point.</param>
    /// <param name="sharedBytes">Most dynamic shared memory that it is launched with.</param>
    private Kernel Load(ref Kernel? slot, string file, string name, int sharedBytes = 0)
    {
        if (slot is not null) return slot;
        Enter();
        try
        {
            nint function = _driver.GetFunction(LoadedModule(file).Handle, name);
            if (sharedBytes > SharedBytesWithoutLeave) _driver.AllowSharedMemory(function, sharedBytes);
            return slot = new Kernel(name, function);
        }
        catch (CudaException e)
        {
            throw Fault($"the kernel {name} could not be loaded", e);
        }
    }

    private unsafe void Launch(Kernel kernel, Grid grid, int threads, int sharedBytes, params ReadOnlySpan<KernelArgument> arguments)
    {
        if (grid.X == 0 || grid.Y == 0 || grid.Z == 0) return;
        Enter();
        _recent.Add(new KernelLaunch(kernel.Name, grid, threads, sharedBytes));
        Span<nint> addresses = stackalloc nint[arguments.Length];
        fixed (KernelArgument* first = arguments)
        {
            for (int i = 0; i < arguments.Length; i++) addresses[i] = (nint)(first + i);
            try
            {
                _driver.Launch(kernel.Function, grid, threads, sharedBytes, _stream, addresses);
            }
            catch (CudaException e)
            {
                throw Fault($"the kernel {kernel.Name} could not be launched {new KernelLaunch("", grid, threads, sharedBytes).Place}", e);
            }
        }
    }

    private static int Blocks(long elements, int perBlock) => checked((int)((elements + perBlock - 1) / perBlock));

    /// <summary>Every operation starts here: the context is made current where another thread or device had it last.</summary>
    private void Enter()
    {
        ObjectDisposedException.ThrowIf(IsClosed, this);
        if (_current != _identity) MakeCurrent();
    }

    private void MakeCurrent()
    {
        try
        {
            SwitchContext();
        }
        catch (CudaException e)
        {
            throw WorkFailed(e);
        }
    }

    private void SwitchContext()
    {
        if (_current == _identity) return;
        _driver.MakeCurrent(_context);
        _current = _identity;
    }

    /// <summary>An error that shows when the device is waited for: one of the kernels since the last wait.</summary>
    private DeviceException WorkFailed(CudaException e) => Fault("work on the GPU failed", e, _recent.ToString());

    /// <summary>An error of the driver with what was done and what to try.</summary>
    private DeviceException Fault(string what, CudaException e, string where = "")
    {
        _failed |= e.Result.IsSticky();
        return new DeviceException($"{Name}: {what}: {e.Message}{where}", e) { Advice = e.Result.Advice() };
    }

    /// <summary>
    /// Runs a release. Once work has failed for good every call reports that first error again, which has been told already.
    /// </summary>
    private void Quietly(Action release)
    {
        try
        {
            release();
        }
        catch (CudaException e) when (_failed || e.Result.IsSticky())
        {
            _failed = true;
        }
    }
}
