using Gradpath.Kernels.Cuda.Driver;

namespace Gradpath.Kernels.Cuda;

public sealed partial class CudaDevice
{
    // Below this a copy through the driver's own staging is as fast.
    private const int SmallestStaged = 1 << 20;
    private const int StagingChunk = 16 << 20;

    private PinnedStaging? _staging;

    /// <inheritdoc />
    public override long FreeMemory
    {
        get
        {
            Enter();
            try
            {
                return _driver.MemoryInfo().Free + _memory.KeptBytes;
            }
            catch (CudaException e)
            {
                throw WorkFailed(e);
            }
        }
    }

    /// <inheritdoc />
    public override Tensor Adopt(nint hostAddress, int[] shape, object keepAlive)
    {
        Tensor tensor = Allocate(shape);
        long bytes = tensor.Length * sizeof(float);
        try
        {
            if (bytes < SmallestStaged)
            {
                _driver.CopyToDevice(tensor.Address, hostAddress, bytes, _stream);
            }
            else
            {
                _staging ??= new PinnedStaging(_driver, StagingChunk);
                _staging.Copy(tensor.Address, hostAddress, bytes, _stream);
            }
            GC.KeepAlive(keepAlive);
            return tensor;
        }
        catch (CudaException e)
        {
            tensor.Dispose();
            throw WorkFailed(e);
        }
    }

    /// <inheritdoc />
    public override unsafe void Upload<T>(ReadOnlySpan<T> source, DeviceArray<T> target)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(source.Length, target.Length);
        Enter();
        RefuseWhileRecording("an upload");
        if (source.IsEmpty) return;
        try
        {
            fixed (T* from = source) _driver.CopyToDevice(target.Address, (nint)from, (long)source.Length * sizeof(T), _stream);
        }
        catch (CudaException e)
        {
            throw WorkFailed(e);
        }
    }

    /// <inheritdoc />
    public override unsafe void Download<T>(DeviceArray<T> source, Span<T> target)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(target.Length, source.Length);
        Enter();
        RefuseWhileRecording("a download");
        if (target.IsEmpty) return;
        try
        {
            fixed (T* to = target)
            {
                _driver.CopyToHost((nint)to, source.Address, (long)target.Length * sizeof(T), _stream);
                _driver.Synchronize(_stream);
            }
        }
        catch (CudaException e)
        {
            throw WorkFailed(e);
        }
        _memory.Drain();
    }

    /// <inheritdoc />
    protected override nint AllocateCore(long bytes)
    {
        Enter();
        RefuseWhileRecording("an allocation");
        nint address;
        try
        {
            address = _memory.Allocate(bytes);
        }
        catch (CudaException e) when (e.Result == CudaResult.OutOfMemory)
        {
            throw new DeviceException($"{Name} has no room for {Size(bytes)}{Room()}; use a smaller --batch-size", e);
        }
        catch (CudaException e)
        {
            throw WorkFailed(e);
        }
        if (bytes == 0) return address;
        try
        {
            _driver.FillBytes(address, 0, bytes, _stream);
            return address;
        }
        catch (CudaException e)
        {
            Quietly(() => _memory.Free(address));
            throw WorkFailed(e);
        }
    }

    /// <inheritdoc />
    protected override void FreeCore(nint address, long bytes)
    {
        if (_disposed) return;
        if (_recording is not null)
        {
            _memory.FreeLater(address);
            return;
        }
        try
        {
            SwitchContext();
            _memory.Free(address);
        }
        catch (CudaException e)
        {
            // The error that made the context useless has been reported where it happened.
            if (!_failed) throw WorkFailed(e);
        }
    }

    /// <inheritdoc />
    protected override void FreeFinalizedCore(nint address, long bytes) => _memory.FreeLater(address);

    private string Room()
    {
        try
        {
            (long free, long total) = _driver.MemoryInfo();
            return $": {Size(free)} of {Size(total)} are free, {Size(AllocatedBytes)} are in this run's use";
        }
        catch (CudaException)
        {
            // The numbers are an extra; the failure itself is told without them.
            return "";
        }
    }

    private static string Size(long bytes) => bytes switch
    {
        >= 1L << 30 => $"{bytes / (double)(1L << 30):F1} GiB",
        >= 1L << 20 => $"{bytes / (double)(1L << 20):F1} MiB",
        _ => $"{bytes} bytes",
    };
}
