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
    public override long TotalMemory
    {
        get
        {
            Enter();
            try
            {
                return _driver.MemoryInfo().Total;
            }
            catch (CudaException e)
            {
                throw WorkFailed(e);
            }
        }
    }

    private protected override bool IsHostMemory => false;

    private protected override void ReceiveCore(nint source, nint target, long bytes)
    {
        Enter();
        try
        {
            if (bytes < SmallestStaged)
            {
                _driver.CopyToDevice(target, source, bytes, _stream);
            }
            else
            {
                _staging ??= new PinnedStaging(_driver, StagingChunk);
                _staging.Copy(target, source, bytes, _stream);
            }
        }
        catch (CudaException e)
        {
            throw WorkFailed(e);
        }
    }

    private protected override void UploadCore(nint source, nint target, long bytes)
    {
        Enter();
        RefuseWhileRecording("an upload");
        if (bytes == 0) return;
        try
        {
            _driver.CopyToDevice(target, source, bytes, _stream);
        }
        catch (CudaException e)
        {
            throw WorkFailed(e);
        }
    }

    private protected override void DownloadCore(nint source, nint target, long bytes)
    {
        Enter();
        RefuseWhileRecording("a download");
        if (bytes == 0) return;
        try
        {
            _driver.CopyToHost(target, source, bytes, _stream);
            _driver.Synchronize(_stream);
        }
        catch (CudaException e)
        {
            throw WorkFailed(e);
        }
        _recent.Clear();
        _memory.Drain();
    }

    private protected override nint AllocateCore(long bytes, bool zeros)
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
            throw new DeviceException($"{Name} has no room for {Size(bytes)}{Room()}", e)
            {
                IsOutOfMemory = true,
                Advice = e.Result.Advice(),
            };
        }
        catch (CudaException e)
        {
            throw WorkFailed(e);
        }
        if (bytes == 0 || !zeros) return address;
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

    private protected override void FreeCore(nint address, long bytes)
    {
        if (IsClosed) return;
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

    private protected override void FreeFinalizedCore(nint address, long bytes) => _memory.FreeLater(address);

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
