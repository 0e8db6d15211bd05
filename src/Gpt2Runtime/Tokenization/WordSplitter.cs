using System.Text;

namespace Gradpath.Gpt2Runtime.Tokenization;

/// <summary>
/// GPT-2's split of a text into words before byte-pair merging, which is this regular expression with Unicode classes:
/// <c>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c>.
/// Written out by hand because .NET's regular expressions see UTF-16 units: a letter outside the basic plane would not be \p{L}.
/// \s is Unicode's White_Space: 0009-000D, 0020, 0085, 00A0 and the separators; not the control characters 001C-001F.
/// </summary>
internal static class WordSplitter
{
    // Most text is ASCII, for which a table is twice as fast as decoding.
    private static readonly Kind[] AsciiKinds = [.. Enumerable.Range(0, 128).Select(value => KindOf(new Rune(value)))];

    private enum Kind
    {
        Letter,
        Number,
        Space,
        Other,
    }

    /// <summary>Length in UTF-16 units of the first word of a text that is not empty.</summary>
    public static int FirstWord(ReadOnlySpan<char> text)
    {
        var contraction = Contraction(text);
        if (contraction > 0)
            return contraction;

        // " ?" of the next three alternatives: one plain space may lead a run of letters, of numbers or of anything else.
        var lead = text[0] == ' ' && text.Length > 1 ? 1 : 0;
        var kind = KindAt(text[lead..], out _);
        if (kind != Kind.Space)
            return lead + RunLength(text[lead..], kind);

        // \s+(?!\S): white space up to the end of the text, or all but the last one before a word; \s+: the only one.
        var run = RunLength(text, Kind.Space);
        return run == text.Length || run == 1 ? run : run - 1;
    }

    private static int Contraction(ReadOnlySpan<char> text)
    {
        if (text.Length < 2 || text[0] != '\'')
            return 0;
        if (text[1] is 's' or 't' or 'm' or 'd')
            return 2;
        return text.Length > 2 && text[1..3] is "re" or "ve" or "ll" ? 3 : 0;
    }

    private static int RunLength(ReadOnlySpan<char> text, Kind kind)
    {
        var length = 0;
        while (length < text.Length && KindAt(text[length..], out var width) == kind)
            length += width;
        return length;
    }

    private static Kind KindAt(ReadOnlySpan<char> text, out int width)
    {
        width = 1;
        if (char.IsAscii(text[0]))
            return AsciiKinds[text[0]];
        Rune.DecodeFromUtf16(text, out var rune, out width);
        return KindOf(rune);
    }

    private static Kind KindOf(Rune rune)
    {
        if (Rune.IsLetter(rune))
            return Kind.Letter;
        if (Rune.IsNumber(rune))
            return Kind.Number;
        return Rune.IsWhiteSpace(rune) ? Kind.Space : Kind.Other;
    }
}
