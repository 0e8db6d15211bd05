using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Gradpath.Gpt2Runtime.Checkpoints;

/// <summary>
/// A safetensors file: 8 bytes header length (little-endian), that many bytes of JSON, then the tensors' data. Opening reads and checks
/// the header only; the data are copied by whoever asks for them.
/// </summary>
/// <remarks>The file is not mapped into memory: one that is cut off while it is mapped ends the process without a word.</remarks>
internal sealed class SafetensorsFile : IDisposable
{
    /// <summary>The longest header that is read, as in the format's reference implementation.</summary>
    public const long LongestHeader = 100_000_000;

    private readonly SafeFileHandle _handle;
    private readonly DateTime _written;

    private SafetensorsFile(string path, SafeFileHandle handle)
    {
        Path = path;
        _handle = handle;
        _written = File.GetLastWriteTimeUtc(handle);
        Length = RandomAccess.GetLength(handle);
        Span<byte> first = stackalloc byte[(int)Math.Min(Length, FileBytes.PointerLength)];
        Read(0, first);
        FileBytes.RefusePointer(path, first);
        if (Length < 8) throw new GradpathException($"{path}: {Length} bytes are too few for a safetensors file; {Again}");
        HeaderBytes = CheckHeaderLength(first);
        byte[] header = new byte[HeaderBytes];
        Read(8, header);
        Header = SafetensorsHeader.Parse(path, header, Length - 8 - HeaderBytes);
    }

    /// <summary>What to do about a file that is cut off or damaged: whatever made it makes it again.</summary>
    public const string Again = "fetch or make it again";

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Its size in bytes when it was opened.</summary>
    public long Length { get; }

    /// <summary>Length of the JSON header.</summary>
    public int HeaderBytes { get; }

    /// <summary>The tensors by name.</summary>
    public IReadOnlyDictionary<string, SafetensorsEntry> Entries => Header.Entries;

    /// <summary>The free-form strings of the header.</summary>
    public IReadOnlyDictionary<string, string> Metadata => Header.Metadata;

    private SafetensorsHeader Header { get; }

    /// <summary>Opens a file and checks its header.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The file; dispose of it to close it.</returns>
    /// <exception cref="GradpathException">The file cannot be read, or is no sound safetensors file; the message says why.</exception>
    public static SafetensorsFile Open(string path)
    {
        if (Directory.Exists(path)) throw new GradpathException($"{path}: is a directory, not a safetensors file");
        UnreadableFile.Require(path);
        SafeFileHandle? handle = null;
        try
        {
            handle = File.OpenHandle(path);
            SafetensorsFile file = new(path, handle);
            handle = null;
            return file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw UnreadableFile.Of(path, e);
        }
        finally
        {
            handle?.Dispose();
        }
    }

    /// <summary>Finds a tensor.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>The tensor's entry.</returns>
    /// <exception cref="GradpathException">The file has no such tensor.</exception>
    public SafetensorsEntry Require(string name) =>
        Entries.TryGetValue(name, out SafetensorsEntry? entry) ? entry : throw new GradpathException($"{Path}: holds no tensor "
            + $"{Quoted.Name(name)}");

    /// <summary>Copies part of the file. Several threads may read at once.</summary>
    /// <param name="offset">From the start of the file.</param>
    /// <param name="target">Filled to its end.</param>
    /// <exception cref="GradpathException">The file cannot be read, or has become shorter since it was opened.</exception>
    public void Read(long offset, Span<byte> target)
    {
        ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
        try
        {
            while (!target.IsEmpty)
            {
                int count = RandomAccess.Read(_handle, target, offset);
                if (count == 0) throw Changed();
                offset += count;
                target = target[count..];
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw UnreadableFile.Of(Path, e);
        }
    }

    /// <summary>Copies part of a tensor's data. Several threads may read at once.</summary>
    /// <param name="entry">A tensor of this file.</param>
    /// <param name="offset">From the start of the tensor, in bytes.</param>
    /// <param name="target">Filled to its end.</param>
    /// <inheritdoc cref="Read(long, Span{byte})"/>
    public void Read(SafetensorsEntry entry, long offset, Span<byte> target)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, entry.Bytes - target.Length);
        Read(8 + HeaderBytes + entry.Offset + offset, target);
    }

    /// <summary>
    /// Refuses a file that has been written to since it was opened, as far as its length and its time of change tell. One that another
    /// has taken the place of is not meant: this one is still what it was.
    /// </summary>
    /// <exception cref="GradpathException">It was written to.</exception>
    public void RequireUnchanged()
    {
        ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
        try
        {
            if (RandomAccess.GetLength(_handle) != Length || File.GetLastWriteTimeUtc(_handle) != _written) throw Changed();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw UnreadableFile.Of(Path, e);
        }
    }

    /// <summary>A tensor's elements as float32, whatever floating-point type the file has.</summary>
    /// <param name="name">The tensor.</param>
    /// <returns>A copy, row-major.</returns>
    /// <exception cref="GradpathException">The file has no such tensor, or it is not of a floating-point type.</exception>
    public float[] ReadFloats(string name)
    {
        SafetensorsEntry entry = Require(name);
        FloatConversion.RequireSupported(Path, entry);
        float[] values = new float[entry.Count];
        TensorReader reader = new(this, entry);
        while (reader.Next() is { IsEmpty: false } piece) piece.CopyTo(values.AsSpan((int)(reader.Done - piece.Length)));
        return values;
    }

    /// <summary>The elements of a tensor of one-byte type (U8, BOOL).</summary>
    /// <param name="name">The tensor.</param>
    /// <returns>A copy, row-major.</returns>
    /// <exception cref="GradpathException">The file has no such tensor, or it is of another type.</exception>
    public byte[] ReadBytes(string name)
    {
        SafetensorsEntry entry = Require(name);
        if (entry.Dtype is not ("U8" or "BOOL"))
            throw new GradpathException($"{Path}: tensor {Quoted.Name(name)} is of type {Quoted.Name(entry.Dtype)[1..^1]}; U8 is expected");
        byte[] bytes = new byte[entry.Bytes];
        Read(entry, 0, bytes);
        return bytes;
    }

    /// <inheritdoc />
    public void Dispose() => _handle.Dispose();

    private int CheckHeaderLength(ReadOnlySpan<byte> first)
    {
        ulong stated = BinaryPrimitives.ReadUInt64LittleEndian(first);
        if (stated > LongestHeader)
        {
            throw new GradpathException(
                $"{Path}: states a header of {stated} bytes, above the limit of {LongestHeader}: this is not a safetensors file");
        }
        if ((long)stated > Length - 8)
        {
            throw new GradpathException($"{Path}: states a header of {stated} bytes, but only {Length - 8} bytes follow: the file is "
                + $"truncated or damaged; {Again}");
        }
        return (int)stated;
    }

    private GradpathException Changed() =>
        new($"{Path}: has been written to since it was opened; run again when nothing changes it any more");
}
