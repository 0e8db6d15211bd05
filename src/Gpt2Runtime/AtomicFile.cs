using System.Text;

namespace Gradpath.Gpt2Runtime;

/// <summary>
/// Writes a file so that a reader sees either the old content or all of the new one: the content goes to a file aside, in the same
/// folder, reaches the disk, and is then renamed. If anything fails on the way, the file aside is deleted and the old file stays.
/// </summary>
/// <remarks>
/// A link keeps pointing where it did: its target is replaced, and keeps its mode. What is no file is never replaced: standard output
/// (<c>-</c>, <c>/dev/stdout</c>), other open descriptors, named pipes and devices of characters (<c>/dev/null</c>) are written to as they
/// are; folders, disks, sockets and links to nothing are refused.
/// </remarks>
internal static class AtomicFile
{
    // Whether what this thread writes is left to the system to bring to the disk.
    [ThreadStatic]
    private static bool t_unsynced;

    /// <summary>Told before each step that changes what a kill would leave; null but in tests.</summary>
    internal static Action<string>? Step { get; set; }

    /// <summary>Writes a file; one that exists is replaced.</summary>
    /// <param name="path">The file, or <c>-</c> for standard output. Its folder must exist.</param>
    /// <param name="write">Writes the content. What it throws leaves the old file untouched and is passed on, except for
    /// <see cref="IOException"/>.</param>
    /// <exception cref="GradpathException">The path names something that cannot be written, or the disk refused the write.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(write);
        OutputTarget target = Checked(path);
        try
        {
            if (target.IsStream) WriteStream(target, write);
            else WriteFile(target, write);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(path, e);
        }
    }

    /// <summary>Writes a text as UTF-8, as <see cref="Write(string, Action{Stream})"/> writes.</summary>
    /// <param name="path">The file.</param>
    /// <param name="text">The text.</param>
    /// <exception cref="GradpathException">The file cannot be written.</exception>
    public static void Write(string path, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Write(path, stream => stream.Write(bytes));
    }

    /// <summary>
    /// Writes files whose loss costs less than waiting for the disk. A process that ends, however it ends, still leaves the old file or all
    /// of the new one; a machine that loses power may leave an empty one.
    /// </summary>
    /// <param name="write">Writes the files, on this thread.</param>
    public static void WithoutSync(Action write)
    {
        ArgumentNullException.ThrowIfNull(write);
        bool before = t_unsynced;
        t_unsynced = true;
        try
        {
            write();
        }
        finally
        {
            t_unsynced = before;
        }
    }

    /// <summary>
    /// Refuses a path that <see cref="Write(string, Action{Stream})"/> would refuse, so that a long run does not fail at its end.
    /// </summary>
    /// <param name="path">The file to be written later.</param>
    /// <exception cref="GradpathException">The path names something that cannot be written.</exception>
    public static void RequireWritable(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        OutputTarget target = Checked(path);
        try
        {
            if (target.Kind == FileKind.Descriptor) Posix.Write(target.Descriptor, []);
            else if (!target.IsStream) AsideFile.Create(target.Path).Dispose();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(path, e);
        }
    }

    /// <summary>Deletes what writers in this process have not finished, for a process that ends without waiting for them.</summary>
    public static void Abandon() => AsideFile.Abandon();

    /// <summary>The format that a file's name asks for.</summary>
    /// <param name="path">The file.</param>
    /// <param name="ofStreams">What streams get, whose names say nothing.</param>
    /// <returns>The extension with its dot, in small letters.</returns>
    public static string Extension(string path, string ofStreams) =>
        OutputTarget.Of(path).IsStream ? ofStreams : Path.GetExtension(path).ToLowerInvariant();

    /// <summary>What the platform says of a file that it could not write, without the file's name behind a colon.</summary>
    /// <param name="e">What it threw.</param>
    public static string Reason(Exception e)
    {
        int place = e.Message.LastIndexOf(" : '", StringComparison.Ordinal);
        return place > 0 ? e.Message[..place] : e.Message;
    }

    // A folder that takes no files is said of the file that goes aside first, whose name nobody knows.
    private static GradpathException Unwritable(string path, Exception e) => new(
        $"cannot write {path}: {(e is FileNotFoundException ? "its folder takes no files" : Reason(e))}", e);

    private static void WriteFile(OutputTarget target, Action<Stream> write)
    {
        Step?.Invoke("create");
        using AsideFile aside = AsideFile.Create(target.Path);
        if (target.Kind == FileKind.Regular && !OperatingSystem.IsWindows())
            File.SetUnixFileMode(aside.Stream.SafeFileHandle, File.GetUnixFileMode(target.Path));
        Step?.Invoke("write");
        write(aside.Stream);
        if (!t_unsynced) Step?.Invoke("sync");
        aside.Stream.Flush(flushToDisk: !t_unsynced);
        Step?.Invoke("rename");
        aside.MoveTo(target.Path);
        if (!t_unsynced)
        {
            Step?.Invoke("sync folder");
            Posix.SyncFolder(Path.GetDirectoryName(target.Path)!);
        }
        Step?.Invoke("written");
    }

    private static void WriteStream(OutputTarget target, Action<Stream> write)
    {
        using Stream stream = target.Kind == FileKind.Descriptor
            ? new BufferedStream(new DescriptorStream(target.Descriptor), 1 << 16)
            : new FileStream(target.Path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        write(stream);
    }

    private static OutputTarget Checked(string path)
    {
        OutputTarget target = OutputTarget.Of(path);
        string? fault = target.Kind switch
        {
            FileKind.Folder => "it is a directory; name a file in it",
            FileKind.Disk => "it is a disk; name a file",
            FileKind.Socket => "it is a socket; name a file",
            FileKind.DanglingLink => $"it is a link to {target.Path}, which does not exist; name another file or remove the link",
            FileKind.Unknown => "it is no file; name another",
            FileKind.Regular when new FileInfo(target.Path).IsReadOnly => "it is protected from writing; name another file",
            FileKind.Regular or FileKind.Nothing when Path.GetDirectoryName(target.Path) is var folder && !Directory.Exists(folder) =>
                $"the directory {folder} does not exist; create it first",
            _ => null,
        };
        return fault is null ? target : throw new GradpathException($"cannot write {path}: {fault}");
    }
}
