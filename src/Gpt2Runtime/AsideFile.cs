using System.Buffers;
using System.Collections.Concurrent;
using System.Text;

namespace Gradpath.Gpt2Runtime;

/// <summary>
/// The file aside that a target's content goes to first: <c>circuit.json.1f2e3d4c5b6a.part</c>. Its writer holds a shared lock on it,
/// which the system takes back when the writer ends, however it ends. So whoever gets an exclusive lock on such a file knows that nobody
/// writes it any more, and may delete it. Readers take shared locks, so that a file can be read from the moment it has its name.
/// </summary>
internal sealed class AsideFile : IDisposable
{
    private const string Extension = ".part";
    private const int TagLength = 12;
    private const int MostTries = 20;

    // File systems allow 255 bytes for a name.
    private const int MostNameBytes = 255 - 1 - TagLength - 5;

    private static readonly SearchValues<char> s_tagLetters = SearchValues.Create("0123456789abcdef");

    private static readonly ConcurrentDictionary<AsideFile, bool> s_open = new();

    private bool _moved;

    private AsideFile(string path, FileStream stream)
    {
        Path = path;
        Stream = stream;
        s_open[this] = true;
    }

    /// <summary>The path.</summary>
    public string Path { get; }

    /// <summary>The content.</summary>
    public FileStream Stream { get; }

    /// <summary>Makes the file for a target, and deletes those that killed writers of the same target have left.</summary>
    /// <param name="target">The target's full path; its folder exists.</param>
    /// <exception cref="IOException">The folder refused it.</exception>
    public static AsideFile Create(string target)
    {
        AsideFile file = Open(target);
        try
        {
            if (LocksHold(file.Path)) DeleteStale(target);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Gives the file its target's name.</summary>
    /// <param name="target">The target.</param>
    public void MoveTo(string target)
    {
        File.Move(Path, target, overwrite: true);
        _moved = true;
    }

    /// <summary>Deletes all files that have not become their targets. The process is about to end: nobody goes on writing them.</summary>
    public static void Abandon()
    {
        foreach (AsideFile file in s_open.Keys) file.Delete();
    }

    /// <summary>Closes the file, and deletes it where it has not become the target.</summary>
    public void Dispose()
    {
        Delete();
        s_open.TryRemove(this, out _);
        Stream.Dispose();
    }

    private void Delete()
    {
        try
        {
            if (!_moved) File.Delete(Path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The error that brought us here says more than this one; the next writer deletes the file.
        }
    }

    private static AsideFile Open(string target)
    {
        string start = Start(target);
        for (int tries = 1; ; tries++)
        {
            string path = $"{start}{Guid.NewGuid().ToString("N")[..TagLength]}{Extension}";
            try
            {
                FileStream stream = new(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read | FileShare.Delete, bufferSize: 1 << 16);

                // Another writer may have found the file before it was locked, and deleted it.
                if (Posix.IsAt(stream.SafeFileHandle, path)) return new AsideFile(path, stream);
                stream.Dispose();
            }
            catch (IOException) when (tries < MostTries)
            {
                // Locked for a moment by a writer that looks for stale files; the next name is another one.
            }
        }
    }

    private static void DeleteStale(string target)
    {
        string start = Start(target);
        foreach (string path in Directory.EnumerateFiles(System.IO.Path.GetDirectoryName(target)!, $"*{Extension}"))
        {
            if (!path.StartsWith(start, StringComparison.Ordinal) || path.Length != start.Length + TagLength + Extension.Length) continue;
            if (path.AsSpan(start.Length, TagLength).IndexOfAnyExcept(s_tagLetters) < 0) TryDelete(path);
        }
    }

    private static void TryDelete(string path)
    {
        try
        {
            new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose).Dispose();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Somebody writes it, has just deleted or renamed it, or it belongs to another user.
        }
    }

    // Some network file systems take no locks: there a stale file cannot be told from one that is being written.
    private static bool LocksHold(string path)
    {
        try
        {
            new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.None).Dispose();
            return false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }

    // All that such a file's path has before its tag; a name near the limit of file systems is cut.
    private static string Start(string target)
    {
        string name = System.IO.Path.GetFileName(target);
        while (Encoding.UTF8.GetByteCount(name) > MostNameBytes) name = name[..^1];
        return System.IO.Path.Combine(System.IO.Path.GetDirectoryName(target)!, $"{name}.");
    }
}
