namespace Gradpath.Gpt2Runtime;

/// <summary>
/// Writes a file so that a reader sees either the old content or all of the new one: the content goes to a file aside, in the same
/// directory, reaches the disk, and is then renamed. If anything fails on the way, the file aside is deleted and the old file stays.
/// </summary>
internal static class AtomicFile
{
    /// <summary>Writes a file; one that exists is replaced.</summary>
    /// <remarks>A symbolic link keeps pointing where it did: its target is replaced. Device files such as <c>/dev/stdout</c> are written to
    /// directly.</remarks>
    /// <param name="path">The file. Its directory must exist.</param>
    /// <param name="write">Writes the content. What it throws leaves the old file untouched and is passed on, except for
    /// <see cref="IOException"/>.</param>
    /// <exception cref="GradpathException">The directory does not exist, the path names a directory, or the disk refused the
    /// write.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(write);
        string target = Path.GetFullPath(path);
        if (Directory.Exists(target)) throw new GradpathException($"cannot write {path}: it is a directory; name a file in it");
        string directory = Path.GetDirectoryName(target)!;
        if (!Directory.Exists(directory))
            throw new GradpathException($"cannot write {path}: the directory {directory} does not exist; create it first");

        string? aside = null;
        try
        {
            if (!OperatingSystem.IsWindows() && target.StartsWith("/dev/", StringComparison.Ordinal))
            {
                using FileStream device = new(target, FileMode.Open, FileAccess.Write);
                write(device);
                return;
            }
            FileInfo info = new(target);
            if (info.LinkTarget is not null) target = info.ResolveLinkTarget(returnFinalTarget: true)!.FullName;
            aside = $"{target}.{Guid.NewGuid().ToString("N")[..12]}.part";
            using (FileStream stream = new(aside, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1 << 16))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(aside, target, overwrite: true);
            aside = null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new GradpathException($"cannot write {path}: {e.Message}", e);
        }
        finally
        {
            if (aside is not null) DeleteQuietly(aside);
        }
    }

    /// <summary>Refuses a path that <see cref="Write"/> would refuse, so that a long run does not fail at its end.</summary>
    /// <param name="path">The file to be written later.</param>
    /// <exception cref="GradpathException">Its directory does not exist or cannot be written to, or the path names a directory.</exception>
    public static void RequireWritable(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string target = Path.GetFullPath(path);
        if (Directory.Exists(target)) throw new GradpathException($"cannot write {path}: it is a directory; name a file in it");
        string directory = Path.GetDirectoryName(target)!;
        if (!Directory.Exists(directory))
            throw new GradpathException($"cannot write {path}: the directory {directory} does not exist; create it first");
        if (directory.StartsWith("/dev", StringComparison.Ordinal)) return;
        try
        {
            string probe = Path.Combine(directory, $".{Guid.NewGuid():N}.part");
            new FileStream(probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose).Dispose();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new GradpathException($"cannot write {path}: {e.Message}", e);
        }
    }

    private static void DeleteQuietly(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The error that brought us here says more than this one.
        }
    }
}
