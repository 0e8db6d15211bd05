using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Gradpath.PtxEmulator.Memory;

/// <summary>A range of the process's addresses, zero at first, that takes memory only where it is touched.</summary>
internal sealed unsafe partial class Reservation : IDisposable
{
    private const int ReadWrite = 3, PrivateAnonymousNoReserve = 0x2 | 0x20 | 0x4000, PrivateAnonymousMac = 0x2 | 0x1000, Fixed = 0x10;
    private const uint Commit = 0x1000, Reserve = 0x2000, Release = 0x8000, Decommit = 0x4000, PageReadWrite = 4;
    private readonly nuint _bytes;

    public Reservation(long bytes)
    {
        _bytes = (nuint)bytes;
        if (OperatingSystem.IsWindows()) Start = VirtualAlloc(null, _bytes, Reserve, PageReadWrite);
        else Start = Map(null, _bytes, Flags);
        if (Start is null) throw new Win32Exception(Marshal.GetLastPInvokeError(), $"{bytes} bytes of address space");
    }

    public byte* Start { get; private set; }

    private static int Flags => OperatingSystem.IsMacOS() ? PrivateAnonymousMac : PrivateAnonymousNoReserve;

    /// <summary>Makes a range usable; systems that do so at the first touch need nothing.</summary>
    public void Use(long offset, long bytes)
    {
        if (OperatingSystem.IsWindows() && bytes > 0 && VirtualAlloc(Start + offset, (nuint)bytes, Commit, PageReadWrite) is null)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError(), $"{bytes} bytes of memory");
        }
    }

    /// <summary>Gives the memory of whole pages of 64 KiB within a range back; zero is read there afterwards.</summary>
    public void Forget(long offset, long bytes)
    {
        const long page = 65536;
        long first = (offset + page - 1) / page * page, end = (offset + bytes) / page * page;
        NativeMemory.Clear(Start + offset, (nuint)Math.Min(bytes, first - offset));
        if (end <= first)
        {
            if (first < offset + bytes) NativeMemory.Clear(Start + first, (nuint)(offset + bytes - first));
            return;
        }
        NativeMemory.Clear(Start + end, (nuint)(offset + bytes - end));
        if (OperatingSystem.IsWindows())
        {
            VirtualFree(Start + first, (nuint)(end - first), Decommit);
            Use(first, end - first);
        }
        else if (Map(Start + first, (nuint)(end - first), Flags | Fixed) is null)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError(), "giving memory back");
        }
    }

    public void Dispose()
    {
        if (Start is null) return;
        if (OperatingSystem.IsWindows()) VirtualFree(Start, 0, Release);
        else Unmap(Start, _bytes);
        Start = null;
        GC.SuppressFinalize(this);
    }

    ~Reservation() => Dispose();

    private static byte* Map(byte* at, nuint bytes, int flags)
    {
        nint result = MMap((nint)at, bytes, ReadWrite, flags, -1, 0);
        return result == -1 ? null : (byte*)result;
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint MMap(nint at, nuint bytes, int protection, int flags, int file, long offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int Unmap(byte* at, nuint bytes);

    [LibraryImport("kernel32", SetLastError = true)]
    private static partial byte* VirtualAlloc(byte* at, nuint bytes, uint kind, uint protection);

    [LibraryImport("kernel32", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool VirtualFree(byte* at, nuint bytes, uint kind);
}
