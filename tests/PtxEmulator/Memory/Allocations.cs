using Gradpath.Kernels.Cuda.Driver;

namespace Gradpath.PtxEmulator.Memory;

/// <summary>
/// Which parts of global memory are allocated. Each allocation begins at a multiple of 256 and is followed by at least 256 bytes
/// that are nobody's. Addresses of freed memory come back only when all others have been used, so that a stale one is found out.
/// </summary>
internal sealed class Allocations(Arena arena)
{
    private const long Align = 256;
    private readonly SortedDictionary<ulong, long> _live = [];
    private readonly Dictionary<ulong, long> _freed = [];
    private ulong _next = Arena.Base + Arena.GlobalStart + Align;

    public int Count => _live.Count;

    public long Bytes { get; private set; }

    /// <summary>End of the addresses that were ever used, as distance from the arena's start.</summary>
    public long Used => (long)(_next - Arena.Base);

    public ulong Allocate(long bytes)
    {
        long room = ((bytes + Align - 1) / Align * Align) + Align;
        ulong address = _next;
        if (_next + (ulong)room < Arena.Base + Arena.Size - 4096)
        {
            _next += (ulong)room;
        }
        else
        {
            address = _freed.FirstOrDefault(f => f.Value >= bytes).Key;
            if (address == 0) throw new CudaException("cuMemAlloc", CudaResult.OutOfMemory, "the emulator has no addresses left");
            _freed.Remove(address);
        }
        arena.Open(address, bytes);
        _live.Add(address, bytes);
        Bytes += bytes;
        return address;
    }

    public void Free(ulong address)
    {
        if (!_live.Remove(address, out long bytes))
        {
            string what = _freed.TryGetValue(address, out long freed)
                ? $"double free: the {freed} bytes at 0x{address:x} were freed before"
                : $"0x{address:x} is not the start of an allocation; {Describe(address)}";
            throw new CudaException("cuMemFree", CudaResult.InvalidValue, what);
        }
        arena.Close(address, bytes);
        _freed[address] = bytes;
        Bytes -= bytes;
    }

    /// <summary>Whether a range lies within one allocation.</summary>
    public bool Contains(ulong address, long bytes)
    {
        (ulong start, long length) = Below(_live, address);
        return start != 0 && bytes >= 0 && address - start <= (ulong)length && (long)(address - start) + bytes <= length;
    }

    /// <summary>What is known of an address.</summary>
    public string Describe(ulong address)
    {
        (ulong start, long length) = Below(_live, address);
        (ulong freedStart, long freedLength) = Below(_freed, address);
        if (freedStart > start && address - freedStart < (ulong)freedLength)
            return $"use after free: it lies {address - freedStart} bytes into an allocation of {freedLength} bytes that was freed";
        if (start == 0) return "no allocation lies before it";
        return address - start < (ulong)length
            ? $"it lies {address - start} bytes into an allocation of {length} bytes"
            : $"it lies {address - start - (ulong)length} bytes behind the end of an allocation of {length} bytes";
    }

    private static (ulong Start, long Bytes) Below(IEnumerable<KeyValuePair<ulong, long>> ranges, ulong address)
    {
        (ulong Start, long Bytes) best = default;
        foreach ((ulong start, long bytes) in ranges)
        {
            if (start <= address && start >= best.Start) best = (start, bytes);
        }
        return best;
    }
}
