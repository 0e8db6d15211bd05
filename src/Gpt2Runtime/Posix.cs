using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Gradpath.Gpt2Runtime;

/// <summary>The few calls of a Unix system that .NET has no name for. Where the system lacks one, the answer is the careful one.</summary>
internal static partial class Posix
{
    private const string Library = "libc";
    private const int CurrentFolder = -100;
    private const int EmptyPath = 0x1000;
    private const uint BasicFields = 0x7ff;
    private const int Interrupted = 4;
    private const int ClosedPipe = 32;
    private const int AlreadyThere = 17;

    /// <summary>What lies at a path, links followed.</summary>
    /// <param name="path">The path.</param>
    public static FileKind KindOf(string path)
    {
        if (TryStatus(CurrentFolder, path, 0, out Status status)) return KindOf(status.Mode);
        if (Directory.Exists(path)) return FileKind.Folder;
        if (!File.Exists(path)) return FileKind.Nothing;

        // Without a way to ask, what lies among the devices is taken for one.
        return path.StartsWith("/dev/", StringComparison.Ordinal) && !path.StartsWith("/dev/shm/", StringComparison.Ordinal)
            ? FileKind.Stream : FileKind.Regular;
    }

    /// <summary>Whether an open file is still the one that its path names. True where the system cannot tell.</summary>
    /// <param name="handle">The open file.</param>
    /// <param name="path">Its path.</param>
    public static bool IsAt(SafeFileHandle handle, string path)
    {
        if (!TryStatus((int)handle.DangerousGetHandle(), "", EmptyPath, out Status open)) return File.Exists(path);
        return TryStatus(CurrentFolder, path, 0, out Status named)
            && open.Inode == named.Inode && open.DeviceMajor == named.DeviceMajor && open.DeviceMinor == named.DeviceMinor;
    }

    /// <summary>Brings a folder's list of files to the disk, so that a renamed file has its name after a loss of power.</summary>
    /// <param name="folder">The folder.</param>
    public static void SyncFolder(string folder)
    {
        if (OperatingSystem.IsWindows()) return;
        int descriptor = Open(folder, 0);

        // A folder that may be written to but not read cannot be opened, and is synced with the rest of its disk.
        if (descriptor < 0) return;
        using SafeFileHandle handle = new(descriptor, ownsHandle: true);
        RandomAccess.FlushToDisk(handle);
    }

    /// <summary>Writes bytes to an open descriptor, where it stands.</summary>
    /// <param name="descriptor">Its number.</param>
    /// <param name="bytes">The bytes; none only ask whether it can be written to.</param>
    /// <exception cref="IOException">It cannot be written to.</exception>
    public static unsafe void Write(int descriptor, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            nint done = 0;
            do
            {
                nint count = Write(descriptor, start + done, bytes.Length - done);
                if (count >= 0)
                {
                    done += count;
                    continue;
                }
                int error = Marshal.GetLastPInvokeError();

                // Who reads a pipe has seen enough of it, as where lines of the console go there.
                if (error == ClosedPipe) return;
                if (error != Interrupted) throw new IOException(Marshal.GetPInvokeErrorMessage(error));
            }
            while (done < bytes.Length);
        }
    }

    /// <summary>Gives a file a second name, unless something has that name: of several processes that try at once, one does it.</summary>
    /// <param name="file">The file.</param>
    /// <param name="name">The new name, in a folder of the same disk.</param>
    /// <returns>Whether it was done; null where the system or the disk knows no second names.</returns>
    public static bool? TryLink(string file, string name)
    {
        if (OperatingSystem.IsWindows()) return null;
        if (Link(file, name) == 0) return true;
        return Marshal.GetLastPInvokeError() == AlreadyThere ? false : null;
    }

    private static FileKind KindOf(ushort mode) => (mode & 0xf000) switch
    {
        0x8000 => FileKind.Regular,
        0x4000 => FileKind.Folder,
        0x1000 or 0x2000 => FileKind.Stream,
        0x6000 => FileKind.Disk,
        0xc000 => FileKind.Socket,
        _ => FileKind.Unknown,
    };

    private static bool TryStatus(int folder, string path, int flags, out Status status)
    {
        status = default;
        if (!OperatingSystem.IsLinux()) return false;
        try
        {
            return StatX(folder, path, flags, BasicFields, out status) == 0;
        }
        catch (EntryPointNotFoundException)
        {
            return false;
        }
    }

    [LibraryImport(Library, EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int StatX(int folder, string path, int flags, uint mask, out Status status);

    [LibraryImport(Library, EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Open(string path, int flags);

    [LibraryImport(Library, EntryPoint = "link", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Link(string file, string name);

    [LibraryImport(Library, EntryPoint = "write", SetLastError = true)]
    private static unsafe partial nint Write(int descriptor, byte* bytes, nint count);

    // Linux's struct statx, the same on every processor.
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Status
    {
        [FieldOffset(28)]
        public ushort Mode;

        [FieldOffset(32)]
        public ulong Inode;

        [FieldOffset(136)]
        public uint DeviceMajor;

        [FieldOffset(140)]
        public uint DeviceMinor;
    }
}
