namespace Gradpath.Gpt2Runtime;

/// <summary>Reads whole files. What the system says of one becomes a message that names it.</summary>
internal static class FileBytes
{
    /// <summary>As many bytes as tell a Git LFS pointer from anything else.</summary>
    public const int PointerLength = 40;

    private static ReadOnlySpan<byte> Pointer => "version https://git-lfs.github.com/spec/"u8;

    /// <summary>The bytes of a file, without a byte order mark.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="GradpathException">The file cannot be read, or is what Git LFS leaves in place of one not fetched.</exception>
    public static ReadOnlyMemory<byte> Read(string path)
    {
        try
        {
            ReadOnlyMemory<byte> bytes = File.ReadAllBytes(path);
            RefusePointer(path, bytes.Span);
            return bytes.Span.StartsWith("\uFEFF"u8) ? bytes[3..] : bytes;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw UnreadableFile.Of(path, error);
        }
    }

    /// <summary>Refuses what Git LFS leaves in place of a file that was not fetched.</summary>
    /// <param name="path">The file, for the message.</param>
    /// <param name="bytes">How it begins.</param>
    /// <exception cref="GradpathException">It is such a pointer.</exception>
    public static void RefusePointer(string path, ReadOnlySpan<byte> bytes)
    {
        if (bytes.StartsWith(Pointer))
        {
            throw new GradpathException(
                $"{path}: is a Git LFS pointer, not the file itself; run `git lfs pull` in its repository, or fetch the file again");
        }
    }
}
