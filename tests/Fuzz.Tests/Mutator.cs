using System.Buffers.Binary;
using System.Text;
using Gradpath.Gpt2Runtime;

namespace Gradpath.Fuzz.Tests;

/// <summary>
/// Damages files: bits, ranges, lines, tokens of JSON and CSV, encodings. The damage follows from the seed, the reader and the number of
/// the input alone.
/// </summary>
internal sealed class Mutator
{
    private static readonly string[] s_values =
    [
        "0", "-1", "1", "2", "0.5", "-0.0", "1e9", "1e-400", "1e400", "-1e400", "2147483647", "2147483648", "-2147483649", "4294967296",
        "9223372036854775807", "9223372036854775808", "18446744073709551616", "99999999999999999999999999999999999999", "1.0", "8037.0",
        "null", "true", "false", "NaN", "-Infinity", "Infinity", "\"\"", "\"a\"", "\"0\"", "\"NaN\"", "\"\\ud800\"", "\"\\u0000\"",
        "\"\\udc00\\ud800\"", "\"//8=\"", "\"AAAA\"", "\"....\"", "{}", "[]", "[[]]", "{\"a\":{}}", "{\"a\":1,\"a\":2}",
        "[1,2,3]", "[null]",
        "\"version https://git-lfs.github.com/spec/v1\"", "\"../x\"", "\"/dev/null\"", "\"\\u007f\"",
    ];

    private static readonly string[] s_snippets =
    [
        "{", "}", "[", "]", ",", ":", "\"", "\\", "'", "\n", "\r", "\r\n", "\t", " ", "\0", "\u2028", "\u00a0", "\ufeff", "\ud83d\ude00",
        "\u0120", "//", "/*", "*/", "#version", "->", "<q>", "a0.h0", "m0", ";", "version https://git-lfs.github.com/spec/v1\n", "\u007f",
    ];

    private readonly SplitMix64 _random;

    /// <summary>The damage of one input.</summary>
    /// <param name="seed">The seed of the run.</param>
    /// <param name="reader">The reader.</param>
    /// <param name="index">The input's number.</param>
    public Mutator(ulong seed, string reader, long index)
    {
        ulong state = seed;
        foreach (char letter in reader) state = (state * 1099511628211) ^ letter;
        _random = new SplitMix64(unchecked(state + ((ulong)index * 0x9E3779B97F4A7C15)));
    }

    /// <summary>Damages a sample, one to four times.</summary>
    /// <param name="samples">Sound files.</param>
    /// <param name="hasHeader">Whether the files are safetensors, whose header is damaged as text half of the time.</param>
    public byte[] Mutate(IReadOnlyList<byte[]> samples, bool hasHeader)
    {
        byte[] sample = samples[Below(samples.Count)], other = samples[Below(samples.Count)];
        if (!hasHeader || Below(2) == 0) return Damage(sample, other);
        (byte[] header, byte[] data) = Split(sample);
        byte[] damaged = Damage(header, Split(other).Header);
        byte[] file = new byte[8 + damaged.Length + data.Length];
        BinaryPrimitives.WriteInt64LittleEndian(file, damaged.Length);
        damaged.CopyTo(file, 8);
        data.CopyTo(file, 8 + damaged.Length);
        return file;
    }

    private static (byte[] Header, byte[] Data) Split(byte[] file)
    {
        int length = (int)BinaryPrimitives.ReadInt64LittleEndian(file);
        return (file[8..(8 + length)], file[(8 + length)..]);
    }

    private byte[] Damage(byte[] bytes, byte[] other)
    {
        for (int times = Math.Max(1, Below(6) - 2); times > 0; times--) bytes = DamageOnce(bytes, other);
        return bytes;
    }

    private byte[] DamageOnce(byte[] bytes, byte[] other)
    {
        switch (Below(20))
        {
            case 0 or 1:
                byte[] flipped = [.. bytes];
                for (int i = 1 + Below(6); i > 0 && flipped.Length > 0; i--) flipped[Below(flipped.Length)] ^= (byte)(1 << Below(8));
                return flipped;
            case 2:
                byte[] overwritten = [.. bytes];
                for (int i = 1 + Below(4); i > 0 && overwritten.Length > 0; i--) overwritten[Below(overwritten.Length)] = (byte)Below(256);
                return overwritten;
            case 3:
                return bytes[..Below(bytes.Length + 1)];
            case 4:
                (int from, int to) = Range(bytes);
                return [.. bytes[..from], .. bytes[to..]];
            case 5:
                (from, to) = Range(bytes);
                return [.. bytes[..to], .. bytes[from..]];
            case 6:
                (from, to) = Range(other);
                int at = Below(bytes.Length + 1);
                return [.. bytes[..at], .. other[from..to], .. bytes[at..]];
            case 7:
                return Insert(bytes, Encoding.UTF8.GetBytes(s_snippets[Below(s_snippets.Length)]));
            case 8:
                return Lines(bytes);
            case 9:
                return Insert(bytes, Nested());
            case 10:
                return Encode(bytes);
            case 11:
                return Insert(bytes, [(byte)(0x80 + Below(128)), .. Below(2) == 0 ? new byte[] { 0xC0 } : []]);
            case 12:
                return Insert(bytes, Encoding.UTF8.GetBytes(new string((char)('0' + Below(10)), 1 + Below(400))));
            case 13:
                return Key(bytes);
            default:
                return Value(bytes);
        }
    }

    private (int From, int To) Range(byte[] bytes)
    {
        int from = Below(bytes.Length + 1);
        return (from, Math.Min(bytes.Length, from + Below(Below(4) == 0 ? 400 : 30)));
    }

    private byte[] Insert(byte[] bytes, byte[] what)
    {
        int at = Below(bytes.Length + 1);
        return [.. bytes[..at], .. what, .. bytes[at..]];
    }

    // A line twice, away, or in another place.
    private byte[] Lines(byte[] bytes)
    {
        List<byte[]> lines = [];
        for (int start = 0; start < bytes.Length;)
        {
            int end = Array.IndexOf(bytes, (byte)'\n', start);
            end = end < 0 ? bytes.Length : end + 1;
            lines.Add(bytes[start..end]);
            start = end;
        }
        if (lines.Count == 0) return bytes;
        int line = Below(lines.Count);
        byte[] taken = lines[line];
        if (Below(3) > 0) lines.RemoveAt(line);
        if (Below(3) > 0) lines.Insert(Below(lines.Count + 1), taken);
        return [.. lines.SelectMany(l => l)];
    }

    private byte[] Nested()
    {
        int depth = Below(8) == 0 ? 20_000 : 1 + Below(200);
        string open = Below(2) == 0 ? "[" : "{\"a\":";
        string close = open == "[" ? "]" : "}";
        string inner = string.Concat(Enumerable.Repeat(open, depth)) + "1";
        return Encoding.UTF8.GetBytes(Below(2) == 0 ? inner : inner + string.Concat(Enumerable.Repeat(close, depth)));
    }

    private byte[] Encode(byte[] bytes)
    {
        string text = Encoding.UTF8.GetString(bytes);
        return Below(6) switch
        {
            0 => [0xEF, 0xBB, 0xBF, .. bytes],
            1 => [0xFF, 0xFE, .. Encoding.Unicode.GetBytes(text)],
            2 => [0xFE, 0xFF, .. Encoding.BigEndianUnicode.GetBytes(text)],
            3 => Encoding.Unicode.GetBytes(text),
            4 => [0xFF, 0xFE, 0, 0, .. Encoding.UTF32.GetBytes(text)],
            _ => Encoding.Latin1.GetBytes(text),
        };
    }

    // Another value in the place of a number, a text or a word.
    private byte[] Value(byte[] bytes)
    {
        (int start, int end) = Token(bytes, isKey: false);
        byte[] value = Below(12) == 0 ? Nested() : Encoding.UTF8.GetBytes(s_values[Below(s_values.Length)]);
        if (Below(4) == 0 && end - start > 0)
        {
            (int from, int to) = Token(bytes, isKey: false);
            value = bytes[from..to];
        }
        return [.. bytes[..start], .. value, .. bytes[end..]];
    }

    // A key in the place of another one: missing here, twice there.
    private byte[] Key(byte[] bytes)
    {
        (int start, int end) = Token(bytes, isKey: true);
        (int from, int to) = Token(bytes, isKey: true);
        return [.. bytes[..start], .. bytes[from..to], .. bytes[end..]];
    }

    // The next run of letters and digits, or text in quotation marks, behind a random place.
    private (int Start, int End) Token(byte[] bytes, bool isKey)
    {
        for (int attempt = 0; attempt < 8; attempt++)
        {
            int start = Below(bytes.Length + 1);
            while (start < bytes.Length && !Begins(bytes[start])) start++;
            int end = start;
            if (start < bytes.Length && bytes[start] == (byte)'"')
            {
                end++;
                while (end < bytes.Length && bytes[end] != (byte)'"') end++;
                end = Math.Min(bytes.Length, end + 1);
            }
            else
            {
                while (end < bytes.Length && Continues(bytes[end])) end++;
            }
            bool isAtKey = end < bytes.Length && bytes[end] == (byte)':';
            if (isKey == isAtKey || attempt == 7) return (start, end);
        }
        return (0, 0);
    }

    private static bool Begins(byte b) => b == (byte)'"' || Continues(b);

    private static bool Continues(byte b) => char.IsAsciiLetterOrDigit((char)b) || b is (byte)'-' or (byte)'.' or (byte)'+';

    private int Below(int count) => _random.Below(count);
}
