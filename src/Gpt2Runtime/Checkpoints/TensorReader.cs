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
    private byte[] _bytes = [];
    private float[] _values = [];

    /// <summary>Number of elements read so far.</summary>
    public long Done { get; private set; }

    /// <summary>Reads the next elements.</summary>
    /// <returns>They, good until the next call; none at the end.</returns>
    /// <exception cref="GradpathException">The file cannot be read any more.</exception>
    public Span<float> Next()
    {
        int count = (int)Math.Min(Piece, entry.Count - Done);
        if (count == 0) return [];
        if (_values.Length == 0) _values = new float[count];
        Span<float> values = _values.AsSpan(0, count);
        Read(Done, values);
        Done += count;
        return values;
    }

    /// <summary>Reads elements from any place.</summary>
    /// <param name="from">The first one.</param>
    /// <param name="values">Filled to its end; at most <see cref="Piece"/> long.</param>
    /// <exception cref="GradpathException">The file cannot be read any more.</exception>
    public void Read(long from, Span<float> values)
    {
        if (entry.Dtype == "F32")
        {
            file.Read(entry, from * sizeof(float), MemoryMarshal.AsBytes(values));
            return;
        }
        if (_bytes.Length == 0) _bytes = new byte[Math.Min(Piece, entry.Count) * _width];
        Span<byte> bytes = _bytes.AsSpan(0, values.Length * _width);
        file.Read(entry, from * _width, bytes);
        FloatConversion.ToSingle(entry.Dtype, bytes, values);
    }
}
