namespace Gradpath.Gpt2Runtime.Graph;

/// <summary>
/// NaN, Infinity and -Infinity as Python writes them into JSON, which has no such numbers. They become strings of the same length that
/// nobody writes (of the character U+007F), so that a reader of JSON gets past them and can tell them from text.
/// </summary>
internal static class BareNumbers
{
    private const byte Mark = 0x7F;

    private static ReadOnlySpan<byte> NaN => "NaN"u8;

    private static ReadOnlySpan<byte> Infinity => "Infinity"u8;

    /// <summary>Puts them in quotation marks.</summary>
    /// <param name="json">The text.</param>
    /// <returns>The text itself where it has none, else a copy.</returns>
    public static ReadOnlySpan<byte> Quote(ReadOnlySpan<byte> json)
    {
        if (json.IndexOf(NaN) < 0 && json.IndexOf(Infinity) < 0) return json;
        byte[]? copy = null;
        bool isText = false;
        for (int i = 0; i < json.Length; i++)
        {
            byte at = json[i];
            if (at == (byte)'\\' && isText) i++;
            else if (at == (byte)'"') isText = !isText;
            if (isText || Length(json[i..]) is not (> 0 and var length)) continue;
            copy ??= json.ToArray();
            Span<byte> place = copy.AsSpan(i, length);
            place.Fill(Mark);
            place[0] = place[^1] = (byte)'"';
            i += length - 1;
        }
        return copy ?? json;
    }

    /// <summary>Whether a string is one of them.</summary>
    /// <param name="text">The string, without its quotation marks.</param>
    public static bool IsOne(ReadOnlySpan<byte> text) => text.Length > 0 && text.IndexOfAnyExcept(Mark) < 0;

    /// <summary>Whether a string is one of them.</summary>
    /// <param name="text">The string, or null.</param>
    public static bool IsOne(string? text) => text is { Length: > 0 } && text.All(c => c == Mark);

    /// <summary>Whether a string is what NaN has become.</summary>
    /// <param name="text">The string, without its quotation marks.</param>
    public static bool IsNaN(ReadOnlySpan<byte> text) => IsOne(text) && text.Length == NaN.Length - 2;

    /// <summary>Whether a string is what NaN has become.</summary>
    /// <param name="text">The string, or null.</param>
    public static bool IsNaN(string? text) => IsOne(text) && text!.Length == NaN.Length - 2;

    private static int Length(ReadOnlySpan<byte> json)
    {
        if (json[0] is not ((byte)'N' or (byte)'I' or (byte)'-')) return 0;
        if (json.StartsWith(NaN)) return NaN.Length;
        int sign = json[0] == (byte)'-' ? 1 : 0;
        return json[sign..].StartsWith(Infinity) ? sign + Infinity.Length : 0;
    }
}
