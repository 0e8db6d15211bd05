using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace Gradpath.Gpt2Runtime;

/// <summary>
/// The text of a file that people or other programs write: UTF-8 with or without its mark, or UTF-16. Anything else is refused with the
/// line where it is not text. Nothing becomes U+FFFD.
/// </summary>
internal static class FileText
{
    /// <summary>The text as UTF-8 without a mark.</summary>
    /// <param name="path">The file, for messages.</param>
    /// <param name="bytes">All of it.</param>
    /// <param name="lineMark">What stands between the file and the number of a line in messages.</param>
    /// <returns>The bytes themselves where they are UTF-8, else a copy.</returns>
    /// <exception cref="GradpathException">It is neither UTF-8 nor UTF-16.</exception>
    public static ReadOnlyMemory<byte> ToUtf8(string path, ReadOnlyMemory<byte> bytes, string lineMark = ", line ")
    {
        ReadOnlySpan<byte> span = bytes.Span;
        if (span.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE, 0, 0]) || span.StartsWith((ReadOnlySpan<byte>)[0, 0, 0xFE, 0xFF]))
            throw new GradpathException($"{path}: the file is UTF-32; save it as UTF-8");
        if (span.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE])) return FromUtf16(path, span[2..], bigEndian: false, lineMark);
        if (span.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF])) return FromUtf16(path, span[2..], bigEndian: true, lineMark);
        if (span.StartsWith("\uFEFF"u8)) bytes = bytes[3..];

        // UTF-16 without a mark: a file of ours begins with an ASCII letter, a bracket or a quotation mark, and text has no zero bytes.
        if (span.Length >= 2 && span[0] != 0 && span[1] == 0) return FromUtf16(path, span, bigEndian: false, lineMark);
        if (span.Length >= 2 && span[0] == 0 && span[1] != 0) return FromUtf16(path, span, bigEndian: true, lineMark);
        if (IndexOfInvalid(bytes.Span) is { } at)
        {
            string what = $"not UTF-8 (byte 0x{bytes.Span[at]:X2}); save the file as UTF-8 or UTF-16";
            throw new GradpathException(Say(path, lineMark, Line(bytes.Span[..at]), what));
        }
        return bytes;
    }

    /// <summary>Where bytes stop being UTF-8; null where they are.</summary>
    public static int? IndexOfInvalid(ReadOnlySpan<byte> bytes)
    {
        if (Utf8.IsValid(bytes)) return null;
        int at = 0;
        while (Rune.DecodeFromUtf8(bytes[at..], out _, out int length) == OperationStatus.Done) at += length;
        return at;
    }

    /// <summary>The number of the line that begins or goes on behind some bytes.</summary>
    public static int Line(ReadOnlySpan<byte> before) => 1 + before.Count((byte)'\n');

    private static byte[] FromUtf16(string path, ReadOnlySpan<byte> bytes, bool bigEndian, string lineMark)
    {
        UnicodeEncoding encoding = new(bigEndian, byteOrderMark: false, throwOnInvalidBytes: true);
        try
        {
            return Encoding.UTF8.GetBytes(encoding.GetString(bytes));
        }
        catch (DecoderFallbackException error)
        {
            int line = Line(bytes[..Math.Clamp(error.Index, 0, bytes.Length)]);
            throw new GradpathException(Say(path, lineMark, line, "not UTF-16 (half of a character); save the file as UTF-8"), error);
        }
    }

    private static string Say(string path, string lineMark, int line, string what) =>
        string.Create(CultureInfo.InvariantCulture, $"{path}{lineMark}{line}: {what}");
}
