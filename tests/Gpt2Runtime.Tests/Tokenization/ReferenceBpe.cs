using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Gradpath.Gpt2Runtime.Tests.Tokenization;

/// <summary>
/// GPT-2's encoding straight from its definition, as slow as that is: the published regular expression cuts words, and of a word's
/// symbols the adjacent pair with the best rank, the leftmost of equals, is merged until no pair has a rank. Knows no added tokens.
/// </summary>
internal sealed partial class ReferenceBpe
{
    private readonly Dictionary<string, int> _ids;
    private readonly Dictionary<(string, string), int> _ranks = [];

    public ReferenceBpe(Dictionary<string, int> ids, IEnumerable<string> merges)
    {
        _ids = ids;
        foreach (var merge in merges)
        {
            var parts = merge.Split(' ');
            _ranks.Add((parts[0], parts[1]), _ranks.Count);
        }
    }

    public static ReferenceBpe Load(string directory) => new(
        JsonSerializer.Deserialize<Dictionary<string, int>>(File.ReadAllBytes(Path.Combine(directory, "vocab.json")))!,
        File.ReadLines(Path.Combine(directory, "merges.txt")).Skip(1).Where(line => line.Length > 0));

    public int[] Encode(string text) => [.. Words(text).SelectMany(EncodeWord)];

    /// <summary>The words of a text. Characters beyond the basic plane are matched through one of it that has the same class.</summary>
    public static IEnumerable<string> Words(string text)
    {
        var runes = text.EnumerateRunes().ToArray();
        var plain = string.Concat(runes.Select(rune =>
            rune.IsBmp ? (char)rune.Value : Rune.IsLetter(rune) ? 'x' : Rune.IsNumber(rune) ? '1' : '!'));
        foreach (Match match in Pattern().Matches(plain))
            yield return string.Concat(runes.Skip(match.Index).Take(match.Length));
    }

    public IEnumerable<int> EncodeWord(string word)
    {
        var symbols = Encoding.UTF8.GetBytes(word).Select(value => Spelling(value).ToString()).ToList();
        while (true)
        {
            var (best, bestRank) = (-1, int.MaxValue);
            for (var i = 0; i + 1 < symbols.Count; i++)
            {
                if (_ranks.TryGetValue((symbols[i], symbols[i + 1]), out var rank) && rank < bestRank)
                    (best, bestRank) = (i, rank);
            }

            if (best < 0)
                return symbols.Select(symbol => _ids[symbol]);
            symbols[best] += symbols[best + 1];
            symbols.RemoveAt(best + 1);
        }
    }

    /// <summary>The character that stands for a byte: itself where it can be printed, otherwise the next from U+0100 on.</summary>
    public static char Spelling(byte value)
    {
        static bool IsPrinted(int b) => b is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
        return IsPrinted(value) ? (char)value : (char)(256 + Enumerable.Range(0, value).Count(b => !IsPrinted(b)));
    }

    [GeneratedRegex(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")]
    private static partial Regex Pattern();
}
