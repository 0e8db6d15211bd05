using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace Gradpath.Gpt2Runtime.Checkpoints;

/// <summary>
/// A safetensors file, mapped into memory: 8 bytes header length (little-endian), that many bytes of JSON, then the tensors' data.
/// Opening reads and checks the header only; the data are paged in by whoever reads them.
/// </summary>
internal sealed unsafe class SafetensorsFile : IDisposable
{
    /// <summary>The longest header that is read, as in the format's reference implementation.</summary>
    public const long LongestHeader = 100_000_000;

    private readonly MemoryMappedFile _map;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _start;
    private bool _disposed;

    private SafetensorsFile(string path, long length, MemoryMappedFile map)
    {
        Path = path;
        Length = length;
        _map = map;
        _view = map.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
        byte* pointer = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref pointer);
        _start = pointer + _view.PointerOffset;
        try
        {
            HeaderBytes = CheckHeaderLength();
            Header = SafetensorsHeader.Parse(path, new ReadOnlySpan<byte>(_start + 8, HeaderBytes).ToArray(), length - 8 - HeaderBytes);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Unmaps a file that nobody disposed of.</summary>
    ~SafetensorsFile() => Release();

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Its size in bytes.</summary>
    public long Length { get; }

    /// <summary>Length of the JSON header.</summary>
    public int HeaderBytes { get; }

    /// <summary>The tensors by name.</summary>
    public IReadOnlyDictionary<string, SafetensorsEntry> Entries => Header.Entries;

    /// <summary>The free-form strings of the header.</summary>
    public IReadOnlyDictionary<string, string> Metadata => Header.Metadata;

    private SafetensorsHeader Header { get; }

    /// <summary>Maps a file and checks its header.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The file; dispose of it to unmap it.</returns>
    /// <exception cref="GradpathException">The file cannot be read, or is no sound safetensors file; the message says why.</exception>
    public static SafetensorsFile Open(string path)
    {
        if (!File.Exists(path)) throw new GradpathException($"{path}: no such file");
        try
        {
            // The length is asked of the open handle, since a path may be a symbolic link.
            SafeFileHandle handle = File.OpenHandle(path);
            long length = RandomAccess.GetLength(handle);
            if (length < 8)
            {
                handle.Dispose();
                throw new GradpathException($"{path}: {length} bytes are too few for a safetensors file; fetch it again");
            }
            return new SafetensorsFile(path, length, MemoryMappedFile.CreateFromFile(handle, null, 0, MemoryMappedFileAccess.Read,
                HandleInheritability.None, leaveOpen: false));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new GradpathException($"{path}: cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Finds a tensor.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>The tensor's entry.</returns>
    /// <exception cref="GradpathException">The file has no such tensor.</exception>
    public SafetensorsEntry Require(string name) =>
        Entries.TryGetValue(name, out SafetensorsEntry? entry) ? entry : throw new GradpathException($"{Path}: holds no tensor '{name}'");

    /// <summary>Where a tensor's data lie in memory, for as long as this object lives. Alignment is not guaranteed.</summary>
    /// <param name="entry">A tensor of this file.</param>
    /// <returns>The address of its first byte.</returns>
    public nint AddressOf(SafetensorsEntry entry)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return (nint)(_start + 8 + HeaderBytes + entry.Offset);
    }

    /// <summary>Part of the file's bytes.</summary>
    /// <param name="offset">From the start of the file.</param>
    /// <param name="count">How many.</param>
    /// <returns>The bytes, valid as long as this object is not disposed of.</returns>
    public ReadOnlySpan<byte> Slice(long offset, int count)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (offset < 0 || count < 0 || offset > Length - count) throw new ArgumentOutOfRangeException(nameof(offset));
        return new ReadOnlySpan<byte>(_start + offset, count);
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
        FloatConversion.ToSingle(entry.Dtype, (byte*)AddressOf(entry), values);
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
            throw new GradpathException($"{Path}: tensor '{name}' is of type {entry.Dtype}; U8 is expected");
        return new ReadOnlySpan<byte>((byte*)AddressOf(entry), checked((int)entry.Bytes)).ToArray();
    }

    /// <inheritdoc />
    public void Dispose()
    {
        Release();
        GC.SuppressFinalize(this);
    }

    private int CheckHeaderLength()
    {
        ReadOnlySpan<byte> first = new(_start, 8);
        if (first.SequenceEqual("version "u8))
        {
            throw new GradpathException(
                $"{Path}: is a Git LFS pointer, not the file itself; run `git lfs pull` in its repository, or fetch the file again");
        }
        ulong stated = BinaryPrimitives.ReadUInt64LittleEndian(first);
        if (stated > LongestHeader)
        {
            throw new GradpathException(
                $"{Path}: states a header of {stated} bytes, above the limit of {LongestHeader}: this is not a safetensors file");
        }
        if ((long)stated > Length - 8)
        {
            throw new GradpathException($"{Path}: states a header of {stated} bytes, but only {Length - 8} bytes follow: the file is "
                + "truncated or damaged; fetch it again");
        }
        return (int)stated;
    }

    private void Release()
    {
        if (_disposed) return;
        _disposed = true;
        if (_view is null) return;
        if (_start != null) _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _map.Dispose();
    }
}
