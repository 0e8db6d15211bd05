using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Gradpath.Gpt2Runtime;

/// <summary>
/// Foreign text as a message shows it: in quotation marks, on one line and no longer than that. Every message that repeats a piece of a
/// prompt or of a file does it with this.
/// </summary>
internal static partial class Quoted
{
    private const int LongestText = 60;
    private const int LongestList = 12;

    /// <summary>A text: control characters are escaped, and what is longer than a line ends in three dots.</summary>
    public static string Text(ReadOnlySpan<char> text)
    {
        var shown = new StringBuilder("\"", LongestText + 8);
        foreach (var rune in text[..Math.Min(text.Length, LongestText + 1)].EnumerateRunes())
        {
            if (shown.Length > LongestText)
                return shown.Append("...\"").ToString();
            if (Rune.IsControl(rune) || rune.Value is 0x2028 or 0x2029)
                shown.Append(rune.Value switch { '\n' => "\\n", '\r' => "\\r", '\t' => "\\t", var other => $"\\u{other:x4}" });
            else
                shown.Append(rune.ToString());
        }

        return shown.Append(text.Length > LongestText + 1 ? "...\"" : "\"").ToString();
    }

    /// <summary>A name as messages about files have it: in single quotation marks, on one line, and cut off where it is longer.</summary>
    public static string Name(ReadOnlySpan<char> name)
    {
        var shown = Text(name);
        return $"'{shown[1..^1]}'";
    }

    /// <summary>What the platform says of malformed JSON, without the rest of the file, which it quotes at times.</summary>
    public static string Reason(JsonException error)
    {
        const int Begin = 60, End = 120;
        // The position is counted otherwise than elsewhere, and options of the reader are nothing that a user can change.
        var message = Technical().Replace(error.Message.ReplaceLineEndings(" "), "").TrimEnd('.', ' ');
        var place = error.BytePositionInLine is { } at ? $" (byte {at + 1} of the line)" : "";
        return (message.Length <= Begin + End ? message : $"{message[..Begin]}...{message[^End..]}") + place;
    }

    /// <summary>Token ids: the first of them, and how many there are where that is not all.</summary>
    public static string Ids(ReadOnlySpan<int> ids) => ids.Length <= LongestList
        ? $"[{string.Join(", ", ids.ToArray())}]"
        : $"[{string.Join(", ", ids[..LongestList].ToArray())}, ... {ids.Length} in all]";

    [GeneratedRegex(@"( Path: \S+ \|)? LineNumber: \d+ \| BytePositionInLine: \d+\.| Change the reader options\."
        + @"|,? when '?isFinalBlock'? is true")]
    private static partial Regex Technical();
}
