using System.Runtime.InteropServices;

namespace Gradpath.Kernels.Cpu;

/// <summary>
/// Working memory of an op that grows to the largest size asked for and is then reused, so that repeated passes allocate nothing.
/// </summary>
internal sealed unsafe class NativeScratch : IDisposable
{
    private void* _memory;
    private long _bytes;

    /// <summary>Releases the memory of a device that nobody disposed of.</summary>
    ~NativeScratch() => Release();

    /// <summary>Memory of at least a size, aligned to 64 bytes; its content is undefined.</summary>
    /// <param name="bytes">The size.</param>
    /// <returns>The address, valid until the next call.</returns>
    public void* Ensure(long bytes)
    {
        if (bytes > _bytes)
        {
            Release();
            _memory = NativeMemory.AlignedAlloc((nuint)bytes, 64);
            _bytes = bytes;
        }
        return _memory;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        Release();
        GC.SuppressFinalize(this);
    }

    private void Release()
    {
        NativeMemory.AlignedFree(_memory);
        _memory = null;
        _bytes = 0;
    }
}
