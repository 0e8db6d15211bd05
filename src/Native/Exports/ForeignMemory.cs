using System.Buffers;

namespace Gradpath.Native.Exports;

/// <summary>Memory of the caller's as the library takes it. Nobody may keep it after the call.</summary>
/// <param name="address">Its address.</param>
/// <param name="length">Its values.</param>
internal sealed unsafe class ForeignMemory(float* address, int length) : MemoryManager<float>
{
    /// <inheritdoc />
    public override Span<float> GetSpan() => new(address, length);

    /// <inheritdoc />
    public override MemoryHandle Pin(int elementIndex = 0) => new(address + elementIndex);

    /// <inheritdoc />
    public override void Unpin()
    {
    }

    /// <inheritdoc />
    protected override void Dispose(bool disposing)
    {
    }
}
