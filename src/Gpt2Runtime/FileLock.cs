namespace Gradpath.Gpt2Runtime;

/// <summary>
/// The right to do something that one process at a time may do: an exclusive lock on a file of its own. The system takes it back when the
/// process ends, however it ends, so that a file that a killed process has left locks nothing.
/// </summary>
internal sealed class FileLock : IDisposable
{
    private readonly string _path;
    private readonly FileStream _stream;

    private FileLock(string path, FileStream stream)
    {
        _path = path;
        _stream = stream;
    }

    /// <summary>Takes a lock.</summary>
    /// <param name="path">The file, made where it is not there and deleted with the lock.</param>
    /// <returns>The lock; null where another process has it, or another part of this one.</returns>
    /// <exception cref="GradpathException">The file cannot be made.</exception>
    public static FileLock? TryTake(string path)
    {
        string full = Path.GetFullPath(path);
        while (true)
        {
            try
            {
                FileStream stream = new(full, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, 1);

                // Whoever had it before may have deleted the file after it was opened here.
                if (Posix.IsAt(stream.SafeFileHandle, full)) return new FileLock(full, stream);
                stream.Dispose();
            }
            catch (IOException) when (File.Exists(full))
            {
                return null;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new GradpathException($"cannot write {path}: {AtomicFile.Reason(e)}", e);
            }
        }
    }

    /// <summary>Whether nobody has a lock at the moment.</summary>
    /// <param name="path">The file.</param>
    public static bool IsFree(string path)
    {
        if (!File.Exists(path)) return true;
        using FileLock? taken = TryTake(path);
        return taken is not null;
    }

    /// <summary>Gives the lock back.</summary>
    public void Dispose()
    {
        try
        {
            File.Delete(_path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // An empty file stays, which locks nothing.
        }
        finally
        {
            _stream.Dispose();
        }
    }
}
