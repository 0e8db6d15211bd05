using System.Text;
using Gradpath.Gpt2Runtime;

namespace Gradpath.Programs;

/// <summary>
/// Lines of UTF-8 from a stream, as they come. What is no UTF-8 is refused with its line, where the platform's reader would put other
/// characters in its place.
/// </summary>
/// <param name="stream">The stream; it is closed with this.</param>
internal sealed class TextLineReader(Stream stream) : TextReader
{
    private readonly BufferedStream _bytes = new(stream, 1 << 16);
    private int _line;

    /// <inheritdoc />
    /// <exception cref="GradpathException">The line is not UTF-8.</exception>
    public override string? ReadLine()
    {
        List<byte> line = [];
        int next;
        while ((next = _bytes.ReadByte()) >= 0 && next != '\n') line.Add((byte)next);
        if (next < 0 && line.Count == 0) return null;
        _line++;
        if (next == '\n' && line is [.., (byte)'\r']) line.RemoveAt(line.Count - 1);
        byte[] bytes = [.. line];
        if (FileText.IndexOfInvalid(bytes) is { } at)
            throw new GradpathException($"standard input, line {_line}: not UTF-8 (byte 0x{bytes[at]:X2})");
        ReadOnlySpan<byte> text = _line == 1 && bytes.AsSpan().StartsWith("\uFEFF"u8) ? bytes.AsSpan(3) : bytes;
        return Encoding.UTF8.GetString(text);
    }

    /// <inheritdoc />
    protected override void Dispose(bool disposing)
    {
        if (disposing) _bytes.Dispose();
        base.Dispose(disposing);
    }
}
