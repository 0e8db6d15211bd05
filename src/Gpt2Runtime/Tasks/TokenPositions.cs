using System.Globalization;

namespace Gradpath.Gpt2Runtime.Tasks;

/// <summary>
/// Which tokens of a prompt something applies to, in the words of the command line: <c>all</c>, <c>end</c> (the last token), a number
/// (from 0, begin token included; negative from the end: -1 is the last), a key position that the prompts name (<c>S1+1</c>, see
/// <see cref="PromptPair.KeyPositions"/>), or several of these with commas between.
/// </summary>
public sealed record TokenPositions
{
    private readonly string[] _parts;

    private TokenPositions(string[] parts)
    {
        _parts = parts;
        Text = string.Join(',', parts);
    }

    /// <summary>What names of positions are, as the end of a message.</summary>
    internal const string NamesAre = "a name has letters, is not all or end, and has no comma in it";

    /// <summary>Every token.</summary>
    public static TokenPositions All { get; } = new(["all"]);

    /// <summary>The last token.</summary>
    public static TokenPositions End { get; } = new(["end"]);

    /// <summary>The positions in words; equal texts are equal positions.</summary>
    public string Text { get; }

    /// <summary>Reads positions.</summary>
    /// <param name="text">As described above; upper and lower case are the same.</param>
    /// <returns>The positions. Names are looked up when they are resolved.</returns>
    /// <exception cref="GradpathException">The text is empty or a part of it is.</exception>
    public static TokenPositions Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string[] parts = text.Split(',', StringSplitOptions.TrimEntries);
        if (parts.Any(p => p.Length == 0))
        {
            throw new GradpathException($"'{text}' names no position; give all, end, a number (negative from the end), a key position "
                + "such as S2, or several with commas between.");
        }
        string[] known = [.. parts.Select(p => p.ToUpperInvariant() switch { "ALL" => "all", "END" => "end", string other => other })
            .Distinct(StringComparer.Ordinal)];
        return known.Contains("all", StringComparer.Ordinal) ? All : new TokenPositions(known);
    }

    /// <summary>The tokens of either.</summary>
    /// <param name="first">Positions.</param>
    /// <param name="second">Other positions.</param>
    /// <returns>All of them.</returns>
    public static TokenPositions Or(TokenPositions first, TokenPositions second)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        return first.Equals(second) ? first : Parse($"{first.Text},{second.Text}");
    }

    /// <summary>The tokens of a prompt.</summary>
    /// <param name="pair">The prompts.</param>
    /// <param name="number">The pair's number from 1, for messages.</param>
    /// <returns>One flag per token.</returns>
    /// <exception cref="GradpathException">The prompt has no such token; the message says which positions it has.</exception>
    public bool[] Of(PromptPair pair, int number)
    {
        ArgumentNullException.ThrowIfNull(pair);
        bool[] chosen = new bool[pair.Length];
        foreach (string part in _parts)
        {
            if (part == "all") Array.Fill(chosen, true);
            else chosen[IndexOf(part, pair, number)] = true;
        }
        return chosen;
    }

    /// <inheritdoc />
    public bool Equals(TokenPositions? other) => other?.Text == Text;

    /// <inheritdoc />
    public override int GetHashCode() => Text.GetHashCode(StringComparison.Ordinal);

    /// <inheritdoc />
    public override string ToString() => Text;

    /// <summary>Whether a text means something else than a key position of that name.</summary>
    internal static bool Reserved(string name) => name.Trim().Length == 0 || name != name.Trim() || name.Contains(',')
        || string.Equals(name, "all", StringComparison.OrdinalIgnoreCase) || int.TryParse(name, CultureInfo.InvariantCulture, out _);

    private static int IndexOf(string part, PromptPair pair, int number)
    {
        if (part == "end") return pair.Length - 1;
        string name = pair.Id is null ? $"prompt pair {number}" : $"prompt pair {number} ({pair.Id})";
        if (int.TryParse(part, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int index))
        {
            int from = index < 0 ? pair.Length + index : index;
            return (uint)from < (uint)pair.Length
                ? from
                : throw new GradpathException($"{name}: there is no position {Quoted.Name(part)[1..^1]} in a prompt of {pair.Length} "
                    + $"tokens; numbers go from "
                    + $"{-pair.Length} to {pair.Length - 1}.");
        }
        foreach ((string key, int position) in pair.KeyPositions)
        {
            if (string.Equals(key, part, StringComparison.OrdinalIgnoreCase)) return position;
        }
        string names = pair.KeyPositions.Count > 0
            ? $"its prompts name {string.Join(", ", pair.KeyPositions.Keys)}"
            : "these prompts name none (prompts of ioi do, and JSON files whose rows have a field positions)";
        throw new GradpathException($"{name}: there is no position {Quoted.Name(part)}; {names}; all, end and numbers can be used with "
            + $"any prompts.");
    }
}
