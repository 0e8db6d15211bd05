using Gradpath.Kernels.Cuda.Driver;

namespace Gradpath.Kernels.Cuda;

/// <summary>
/// Two page-locked buffers through which large host memory travels to the device: while one is on its way, the other is filled, so that
/// loading a mapped file takes as long as reading it or as the bus needs, whichever is longer.
/// </summary>
internal sealed unsafe class PinnedStaging : IDisposable
{
    private readonly ICudaDriver _driver;
    private readonly nint[] _buffers = new nint[2];
    private readonly nint[] _sent = new nint[2];
    private int _next;

    /// <summary>Allocates the buffers.</summary>
    /// <param name="driver">The driver.</param>
    /// <param name="chunkBytes">Size of each.</param>
    public PinnedStaging(ICudaDriver driver, int chunkBytes)
    {
        _driver = driver;
        ChunkBytes = chunkBytes;
        try
        {
            for (int i = 0; i < _buffers.Length; i++)
            {
                _buffers[i] = driver.AllocatePinned(chunkBytes);
                _sent[i] = driver.CreateEvent();
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Size of a buffer.</summary>
    public int ChunkBytes { get; }

    /// <summary>Copies host memory to the device. All of it has been read when this returns.</summary>
    /// <param name="target">Device address.</param>
    /// <param name="source">Host address.</param>
    /// <param name="bytes">Size.</param>
    /// <param name="stream">The stream.</param>
    public void Copy(nint target, nint source, long bytes, nint stream)
    {
        for (long done = 0; done < bytes; done += ChunkBytes)
        {
            long chunk = Math.Min(ChunkBytes, bytes - done);
            int i = _next;
            _next = 1 - i;
            _driver.SynchronizeEvent(_sent[i]);
            Buffer.MemoryCopy((void*)(source + (nint)done), (void*)_buffers[i], ChunkBytes, chunk);
            _driver.CopyToDevice(target + (nint)done, _buffers[i], chunk, stream);
            _driver.RecordEvent(_sent[i], stream);
        }
    }

    /// <summary>Frees the buffers; the copies must be done.</summary>
    public void Dispose()
    {
        for (int i = 0; i < _buffers.Length; i++)
        {
            if (_sent[i] != 0) _driver.DestroyEvent(_sent[i]);
            if (_buffers[i] != 0) _driver.FreePinned(_buffers[i]);
            (_sent[i], _buffers[i]) = (0, 0);
        }
    }
}
