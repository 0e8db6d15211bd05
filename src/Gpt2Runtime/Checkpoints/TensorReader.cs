using System.Runtime.InteropServices;

namespace Gradpath.Gpt2Runtime.Checkpoints;

/// <summary>
/// Reads a tensor of a floating-point type as float32, one piece after the other, so that no second copy of it is ever held.
/// </summary>
/// <param name="file">The file.</param>
/// <param name="entry">The tensor.</param>
internal sealed class TensorReader(SafetensorsFile file, SafetensorsEntry entry)
{
    /// <summary>Elements of a piece: what a processor's cache holds.</summary>
    public const int Piece = 1 << 17;

    private readonly int _width = SafetensorsEntry.BitsOf(entry.Dtype) / 8;
    private readonly byte[] _bytes = new byte[Math.Min(Piece, entry.Count) * SafetensorsEntry.BitsOf(entry.Dtype) / 8];
    private readonly float[] _values = new float[entry.Dtype == "F32" ? 0 : Math.Min(Piece, entry.Count)];

    /// <summary>Number of elements read so far.</summary>
    public long Done { get; private set; }

    /// <summary>Reads the next elements.</summary>
    /// <returns>They, good until the next call; none at the end.</returns>
    /// <exception cref="GradpathException">The file cannot be read any more.</exception>
    public Span<float> Next()
    {
        int count = (int)Math.Min(Piece, entry.Count - Done);
        if (count == 0) return [];
        Span<float> values = Read(Done, count);
        Done += count;
        return values;
    }

    /// <summary>Reads elements from any place.</summary>
    /// <param name="from">The first one.</param>
    /// <param name="count">How many; at most <see cref="Piece"/>.</param>
    /// <returns>They, good until the next call.</returns>
    /// <exception cref="GradpathException">The file cannot be read any more.</exception>
    public Span<float> Read(long from, int count)
    {
        Span<byte> bytes = _bytes.AsSpan(0, count * _width);
        file.Read(entry, from * _width, bytes);
        if (entry.Dtype == "F32") return MemoryMarshal.Cast<byte, float>(bytes);
        FloatConversion.ToSingle(entry.Dtype, bytes, _values.AsSpan(0, count));
        return _values.AsSpan(0, count);
    }
}
