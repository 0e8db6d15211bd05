using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Gradpath.PtxEmulator.Memory;

/// <summary>
/// The memory of the emulated GPU: one range of addresses, beginning at <see cref="Base"/>, that holds a window for every running
/// block's shared memory and its threads' local memory and, from <see cref="GlobalStart"/> on, global memory. Beside the data
/// stand, for every word of four bytes, a state byte (low half: which bytes were written; high half: which are allocated) and two
/// stamps (who wrote it last, who read it).
/// </summary>
internal sealed unsafe class Arena : IDisposable
{
    /// <summary>Device address of the first byte. No host memory lies there, so a host access to device memory fails.</summary>
    public const ulong Base = 0x0000_6000_0000_0000;

    public const long SharedWindow = 1L << 20;
    public const long LocalWindow = 255L << 20;
    public const int Windows = 16;
    public const long GlobalStart = Windows * (SharedWindow + LocalWindow);
    public const long GlobalBytes = 64L << 30;
    public const long Size = GlobalStart + GlobalBytes;
    private readonly Reservation _data = new(Size), _state = new(Size / 4), _stamps = new(Size * 4);

    public byte* Data => _data.Start;

    public byte* State => _state.Start;

    public ulong* Stamps => (ulong*)_stamps.Start;

    public static ulong SharedAddress(int window) => Base + (ulong)(window * (SharedWindow + LocalWindow));

    public static ulong LocalAddress(int window) => SharedAddress(window) + (ulong)SharedWindow;

    /// <summary>Makes a range allocated and not written; both ends at multiples of four but for the length.</summary>
    public void Open(ulong address, long bytes)
    {
        long offset = (long)(address - Base), words = (bytes + 3) / 4;
        _data.Use(offset, words * 4);
        _state.Use(offset / 4, words);
        _stamps.Use(offset * 4, words * 16);
        NativeMemory.Fill(State + (offset / 4), (nuint)words, 0xF0);
        if (bytes % 4 != 0) State[(offset / 4) + words - 1] = (byte)(((1 << (int)(bytes % 4)) - 1) << 4);
        NativeMemory.Clear(Stamps + (offset / 2), (nuint)words * 16);
    }

    /// <summary>Makes a range unallocated and gives its memory back.</summary>
    public void Close(ulong address, long bytes)
    {
        long offset = (long)(address - Base), words = (bytes + 3) / 4;
        _data.Forget(offset, words * 4);
        _state.Forget(offset / 4, words);
        _stamps.Forget(offset * 4, words * 16);
    }

    /// <summary>Notes that a range was written by the host or a copy.</summary>
    public void MarkWritten(ulong address, long bytes)
    {
        long offset = (long)(address - Base), end = offset + bytes;
        for (; offset < end && offset % 4 != 0; offset++) State[offset / 4] |= (byte)(1 << (int)(offset % 4));
        if (end - offset >= 4)
        {
            NativeMemory.Fill(State + (offset / 4), (nuint)((end - offset) / 4), 0xFF);
            offset = end / 4 * 4;
        }
        for (; offset < end; offset++) State[offset / 4] |= (byte)(1 << (int)(offset % 4));
    }

    /// <summary>Notes that a range holds nothing that may be read.</summary>
    public void MarkUnwritten(ulong address, long bytes)
    {
        long offset = (long)(address - Base), end = offset + bytes;
        for (; offset < end; offset++) State[offset / 4] &= (byte)~(1 << (int)(offset % 4));
    }

    /// <summary>The first byte of a range that was never written; -1 if there is none.</summary>
    public long FindUnwritten(ulong address, long bytes)
    {
        long offset = (long)(address - Base);
        for (long i = 0; i < bytes;)
        {
            if ((offset + i) % 4 == 0 && bytes - i >= 4)
            {
                var words = new ReadOnlySpan<byte>(State + ((offset + i) / 4), (int)Math.Min((bytes - i) / 4, 1 << 20));
                int bad = words.IndexOfAnyExcept((byte)0xFF);
                i += 4L * (bad < 0 ? words.Length : bad);
                if (bad < 0) continue;
            }
            if ((State[(offset + i) / 4] >> (int)((offset + i) % 4) & 1) == 0) return i;
            i++;
        }
        return -1;
    }

    /// <summary>Copies which bytes were written along with a copy of the data.</summary>
    public void CopyState(ulong target, ulong source, long bytes)
    {
        long to = (long)(target - Base), from = (long)(source - Base);
        if (to % 4 == 0 && from % 4 == 0)
        {
            long words = bytes / 4;
            new ReadOnlySpan<byte>(State + (from / 4), checked((int)words)).CopyTo(new Span<byte>(State + (to / 4), (int)words));
            to += words * 4;
            from += words * 4;
            bytes -= words * 4;
        }
        for (long i = 0; i < bytes; i++)
        {
            int bit = (State[(from + i) / 4] >> (int)((from + i) % 4)) & 1;
            ref byte state = ref State[(to + i) / 4];
            int mask = 1 << (int)((to + i) % 4);
            state = (byte)((state & ~mask) | (bit * mask));
        }
    }

    /// <summary>Forgets who read and wrote.</summary>
    public void ClearStamps(long start, long end)
    {
        if (end > start) _stamps.Forget(start * 4, (end - start) * 4);
    }

    /// <summary>The host's pointer to a device address that is known to be good.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte* Host(ulong address) => Data + (address - Base);

    public void Dispose()
    {
        _data.Dispose();
        _state.Dispose();
        _stamps.Dispose();
    }
}
