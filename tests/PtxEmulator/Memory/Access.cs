using System.Runtime.CompilerServices;
using Gradpath.PtxEmulator.Execution;

namespace Gradpath.PtxEmulator.Memory;

/// <summary>
/// Turns the address of a load or store into a host pointer after checking it: within its state space, aligned, allocated, written
/// before it is read and not in a race.
/// </summary>
/// <remarks>Most of a kernel's time goes by here, so these are compiled well from the first call on.</remarks>
internal static unsafe class Access
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static byte* LoadGlobal(Frame* frame, ulong address, int size, int line)
    {
        ulong offset = address - Arena.Base;
        if (offset - Arena.GlobalStart >= Arena.GlobalBytes - 64) throw Faults.Outside("global", "read", frame, address, size, line);
        return Load(frame, offset, size, line);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static byte* StoreGlobal(Frame* frame, ulong address, int size, int line)
    {
        ulong offset = address - Arena.Base;
        if (offset - Arena.GlobalStart >= Arena.GlobalBytes - 64) throw Faults.Outside("global", "write", frame, address, size, line);
        return Store(frame, offset, size, line);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static byte* LoadShared(Frame* frame, ulong address, int size, int line)
    {
        if (address >= (ulong)frame->SharedBytes || address + (ulong)size > (ulong)frame->SharedBytes)
            throw Faults.Outside("shared", "read", frame, address, size, line);
        return Load(frame, frame->SharedBase + address - Arena.Base, size, line);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static byte* StoreShared(Frame* frame, ulong address, int size, int line)
    {
        if (address >= (ulong)frame->SharedBytes || address + (ulong)size > (ulong)frame->SharedBytes)
            throw Faults.Outside("shared", "write", frame, address, size, line);
        return Store(frame, frame->SharedBase + address - Arena.Base, size, line);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static byte* LoadLocal(Frame* frame, ulong address, int size, int line)
    {
        if (address >= (ulong)frame->LocalBytes || address + (ulong)size > (ulong)frame->LocalBytes)
            throw Faults.Outside("local", "read", frame, address, size, line);
        return CheckLoad(frame, frame->LocalBase + address - Arena.Base, size, line);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static byte* StoreLocal(Frame* frame, ulong address, int size, int line)
    {
        if (address >= (ulong)frame->LocalBytes || address + (ulong)size > (ulong)frame->LocalBytes)
            throw Faults.Outside("local", "write", frame, address, size, line);
        return CheckStore(frame, frame->LocalBase + address - Arena.Base, size, line);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static byte* LoadGeneric(Frame* frame, ulong address, int size, int line)
    {
        ulong offset = address - Arena.Base;
        if (offset >= Arena.Size - 64) throw Faults.Outside("generic", "read", frame, address, size, line);
        if (offset >= Arena.GlobalStart || Shared(frame, address)) return Load(frame, offset, size, line);
        if (Local(frame, address, size)) return CheckLoad(frame, offset, size, line);
        throw Faults.Outside("generic", "read", frame, address, size, line);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static byte* StoreGeneric(Frame* frame, ulong address, int size, int line)
    {
        ulong offset = address - Arena.Base;
        if (offset >= Arena.Size - 64) throw Faults.Outside("generic", "write", frame, address, size, line);
        if (offset >= Arena.GlobalStart || Shared(frame, address)) return Store(frame, offset, size, line);
        if (Local(frame, address, size)) return CheckStore(frame, offset, size, line);
        throw Faults.Outside("generic", "write", frame, address, size, line);
    }

    /// <summary>A word that an atomic operation reads and writes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static byte* Atomic(Frame* frame, ulong address, int size, int space, int line)
    {
        if (space == 1)
        {
            if (address >= (ulong)frame->SharedBytes || address + (ulong)size > (ulong)frame->SharedBytes)
                throw Faults.Outside("shared", "atomic access", frame, address, size, line);
            address += frame->SharedBase;
        }
        ulong offset = address - Arena.Base;
        if (offset >= Arena.Size - 64 || (offset < Arena.GlobalStart && !Shared(frame, address)))
        {
            throw Faults.Outside("global", "atomic access", frame, address, size, line);
        }
        byte* pointer = CheckLoad(frame, offset, size, line);
        if (frame->Stamps is not null) Races.Atomic(frame, offset, size, line);
        return pointer;
    }

    private static bool Shared(Frame* frame, ulong address) => address - frame->SharedBase < (ulong)frame->SharedBytes;

    private static bool Local(Frame* frame, ulong address, int size) =>
        address - frame->LocalBase < (ulong)frame->LocalBytes && address - frame->LocalBase + (ulong)size <= (ulong)frame->LocalBytes;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte* Load(Frame* frame, ulong offset, int size, int line)
    {
        byte* pointer = CheckLoad(frame, offset, size, line);
        if (frame->Stamps is not null) Races.Read(frame, offset, size, line);
        return pointer;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte* Store(Frame* frame, ulong offset, int size, int line)
    {
        byte* pointer = CheckStore(frame, offset, size, line);
        if (frame->Stamps is not null) Races.Write(frame, offset, size, line);
        return pointer;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte* CheckLoad(Frame* frame, ulong offset, int size, int line)
    {
        if ((offset & (ulong)(size - 1)) != 0) throw Faults.Misaligned("read", frame, offset, size, line);
        byte* state = frame->State + (offset >> 2);
        bool good = size switch
        {
            4 => *state == 0xFF,
            16 => *(uint*)state == 0xFFFFFFFF,
            8 => *(ushort*)state == 0xFFFF,
            2 => (*state >> (int)(offset & 3) & 0x33) == 0x33,
            _ => (*state >> (int)(offset & 3) & 0x11) == 0x11,
        };
        if (!good) throw Faults.Load(frame, offset, size, line);
        return frame->Data + offset;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte* CheckStore(Frame* frame, ulong offset, int size, int line)
    {
        if ((offset & (ulong)(size - 1)) != 0) throw Faults.Misaligned("write", frame, offset, size, line);
        byte* state = frame->State + (offset >> 2);
        bool good;
        switch (size)
        {
            case 4:
                good = *state >= 0xF0;
                if (good) *state = 0xFF;
                break;
            case 16:
                good = (*(uint*)state & 0xF0F0F0F0) == 0xF0F0F0F0;
                if (good) *(uint*)state = 0xFFFFFFFF;
                break;
            case 8:
                good = (*(ushort*)state & 0xF0F0) == 0xF0F0;
                if (good) *(ushort*)state = 0xFFFF;
                break;
            default:
                int mask = ((1 << size) - 1) << (int)(offset & 3);
                good = (*state >> 4 & mask) == mask;
                if (good) *state |= (byte)mask;
                break;
        }
        if (!good) throw Faults.Store(frame, offset, size, line);
        return frame->Data + offset;
    }
}
