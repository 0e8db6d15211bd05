using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Gradpath.Kernels.Cpu;

/// <summary>The op set on the processor: managed SIMD, all cores, no native dependency. The default where no GPU is found.</summary>
public sealed unsafe partial class CpuDevice : Device
{
    /// <summary>Most threads that a device has.</summary>
    public const int MostWorkers = 1024;

    private const int Alignment = 64;

    private readonly WorkerPool _pool;
    private readonly GemmKernel _gemmKernel;
    private float* _gemmScratch;

    /// <summary>Opens the processor as a device.</summary>
    /// <param name="workers">Number of threads, or 0 for one per core that the process may use.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is below 0 or above <see cref="MostWorkers"/>.</exception>
    /// <exception cref="OutOfMemoryException">The system has not so many threads left.</exception>
    public CpuDevice(int workers = 0)
        : this(workers, GemmKernel.Best)
    {
    }

    /// <summary>
    /// Opens the processor as a device that multiplies matrices with given inner loops; for tests of loops not chosen here.
    /// </summary>
    /// <param name="workers">Number of threads, or 0 for one per core that the process may use.</param>
    /// <param name="gemmKernel">The inner loops.</param>
    internal CpuDevice(int workers, in GemmKernel gemmKernel)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(workers);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(workers, MostWorkers);
        _pool = new WorkerPool(workers > 0 ? workers : Environment.ProcessorCount);
        _gemmKernel = gemmKernel;
        _gemmScratch = (float*)NativeMemory.AlignedAlloc(SerialGemm.ScratchBytes(gemmKernel, _pool.Workers), 4096);
    }

    /// <summary>Number of threads that compute.</summary>
    public int Workers => _pool.Workers;

    /// <summary>The threads that compute.</summary>
    internal WorkerPool Pool => _pool;

    /// <inheritdoc />
    public override DeviceKind Kind => DeviceKind.Cpu;

    /// <inheritdoc />
    public override string Name => "cpu";

    /// <inheritdoc />
    public override string Description => $"CPU ({Instructions}, {Workers} {(Workers == 1 ? "thread" : "threads")})";

    /// <inheritdoc />
    public override string Identity => $"CPU ({Instructions})";

    private static string Instructions => $"{RuntimeInformation.ProcessArchitecture}, {InstructionSets.Widest.Description()}";

    /// <inheritdoc />
    public override long FreeMemory
    {
        get
        {
            GCMemoryInfo info = GC.GetGCMemoryInfo();
            return Math.Max(0, info.TotalAvailableMemoryBytes - Environment.WorkingSet);
        }
    }

    /// <inheritdoc />
    public override long TotalMemory => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    private protected override bool IsHostMemory => true;

    private protected override void ReceiveCore(nint source, nint target, long bytes) => UploadCore(source, target, bytes);

    private protected override void UploadCore(nint source, nint target, long bytes) =>
        Buffer.MemoryCopy((void*)source, (void*)target, bytes, bytes);

    private protected override void DownloadCore(nint source, nint target, long bytes) =>
        Buffer.MemoryCopy((void*)source, (void*)target, bytes, bytes);

    private protected override nint AllocateCore(long bytes, bool zeros)
    {
        try
        {
            // The system hands out large blocks as zero pages, which the threads that compute then touch first, in parallel. The block's
            // own address stands just below the aligned one.
            byte* block = (byte*)NativeMemory.AllocZeroed((nuint)(bytes + Alignment + sizeof(nint)));
            nint aligned = ((nint)block + sizeof(nint) + Alignment - 1) & ~(nint)(Alignment - 1);
            ((nint*)aligned)[-1] = (nint)block;
            if (!zeros && PoisonsMemory) NativeMemory.Fill((void*)aligned, (nuint)bytes, byte.MaxValue);
            return aligned;
        }
        catch (OutOfMemoryException e)
        {
            string message = string.Create(CultureInfo.InvariantCulture, $"the CPU device could not allocate {bytes / 1048576.0:F0} MiB");
            throw new DeviceException(message, e) { IsOutOfMemory = true };
        }
    }

    private protected override void FreeCore(nint address, long bytes) => NativeMemory.Free((void*)((nint*)address)[-1]);

    private protected override void DisposeCore()
    {
        _pool.Dispose();
        _attention.Dispose();
        _attentionKeys.Dispose();
        _contraction.Dispose();
        _contractionSlices.Dispose();
        _proximity.Dispose();
        NativeMemory.AlignedFree(_gemmScratch);
        _gemmScratch = null;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float* P(Tensor tensor) => (float*)tensor.Address;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T* P<T>(DeviceArray<T> array)
        where T : unmanaged => (T*)array.Address;
}
