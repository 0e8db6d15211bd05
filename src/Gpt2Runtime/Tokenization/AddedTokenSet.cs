using System.Buffers;
using System.Globalization;
using System.Text;

namespace Gradpath.Gpt2Runtime.Tokenization;

/// <summary>
/// Finds added tokens in a text, as Hugging Face's tokenizers do: from left to right, the longest where several begin at one place;
/// first those that are not normalized, then, in what is left, those that are.
/// </summary>
internal sealed class AddedTokenSet
{
    private readonly Matcher? _first;
    private readonly Matcher? _second;
    private readonly bool _splitSpecialTokens;

    /// <param name="tokens">The tokens, each content once.</param>
    /// <param name="splitSpecialTokens">Whether special tokens in a text are ordinary text.</param>
    public AddedTokenSet(IEnumerable<AddedToken> tokens, bool splitSpecialTokens)
    {
        var byOrder = tokens.ToLookup(token => token.Normalized);
        _first = Matcher.For(byOrder[false]);
        _second = Matcher.For(byOrder[true]);
        _splitSpecialTokens = splitSpecialTokens;
    }

    /// <summary>A piece of a text: an added token, or ordinary text where there is none.</summary>
    internal readonly record struct Piece(int Start, int Length, AddedToken? Token);

    /// <summary>Whether a text may hold an added token; most texts are told apart from those that do at the speed of a search.</summary>
    public bool MayOccurIn(ReadOnlySpan<char> text) => _first?.MayOccurIn(text) == true || _second?.MayOccurIn(text) == true;

    /// <summary>Cuts a text into added tokens and what lies between them.</summary>
    /// <returns>The pieces in order.</returns>
    public List<Piece> Split(ReadOnlySpan<char> text)
    {
        var pieces = new List<Piece>();
        Split(text, 0, _first, pieces);
        if (_second is null)
            return pieces;

        var finer = new List<Piece>(pieces.Count);
        foreach (var piece in pieces)
        {
            if (piece.Token is null)
                Split(text.Slice(piece.Start, piece.Length), piece.Start, _second, finer);
            else
                finer.Add(piece);
        }

        return finer;
    }

    private void Split(ReadOnlySpan<char> text, int offset, Matcher? matcher, List<Piece> pieces)
    {
        // "taken" is where the text begins that no token has; the search goes on behind each match, even one that does not count.
        int taken = 0, from = 0;
        while (matcher is not null && matcher.Find(text, from) is ({ } token, var start))
        {
            var end = start + token.Content.Length;
            from = end;
            if ((token.Special && _splitSpecialTokens) || (token.SingleWord && (EndsWord(text[..start]) || BeginsWord(text[end..]))))
                continue;
            if (token.StripsLeft)
            {
                // A token of white space that the one before it has taken is gone with it.
                start = taken + text[taken..Math.Max(start, taken)].TrimEnd().Length;
                if (start >= end)
                    continue;
            }

            if (token.StripsRight)
                end = text.Length - text[Math.Max(end, taken)..].TrimStart().Length;
            if (taken < start)
                pieces.Add(new Piece(offset + taken, start - taken, null));
            pieces.Add(new Piece(offset + start, end - start, token));
            taken = end;
        }

        if (taken < text.Length)
            pieces.Add(new Piece(offset + taken, text.Length - taken, null));
    }

    private static bool EndsWord(ReadOnlySpan<char> text) =>
        Rune.DecodeLastFromUtf16(text, out var rune, out _) == OperationStatus.Done && IsWordCharacter(rune);

    private static bool BeginsWord(ReadOnlySpan<char> text) =>
        Rune.DecodeFromUtf16(text, out var rune, out _) == OperationStatus.Done && IsWordCharacter(rune);

    // \w of Unicode's regular expressions (UTS 18): alphabetic characters (to which encircled Latin letters belong), marks, decimal
    // digits, connector punctuation and the two joiners.
    private static bool IsWordCharacter(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter => true,
        UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter or UnicodeCategory.LetterNumber => true,
        UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark => true,
        UnicodeCategory.DecimalDigitNumber or UnicodeCategory.ConnectorPunctuation => true,
        _ => rune.Value is 0x200C or 0x200D or (>= 0x24B6 and <= 0x24E9)
            or (>= 0x1F130 and <= 0x1F149) or (>= 0x1F150 and <= 0x1F169) or (>= 0x1F170 and <= 0x1F189),
    };

    /// <summary>Finds the leftmost of some texts, and of those that begin there the longest.</summary>
    private sealed class Matcher
    {
        private readonly Dictionary<string, AddedToken>.AlternateLookup<ReadOnlySpan<char>> _tokens;
        private readonly Dictionary<char, int[]> _lengths;
        private readonly SearchValues<char> _firstCharacters;

        private Matcher(Dictionary<string, AddedToken> tokens)
        {
            _tokens = tokens.GetAlternateLookup<ReadOnlySpan<char>>();
            _lengths = tokens.Keys.GroupBy(content => content[0])
                .ToDictionary(group => group.Key, group => group.Select(content => content.Length).Distinct().OrderDescending().ToArray());
            _firstCharacters = SearchValues.Create([.. _lengths.Keys]);
        }

        public static Matcher? For(IEnumerable<AddedToken> tokens)
        {
            var byContent = tokens.ToDictionary(token => token.Content, StringComparer.Ordinal);
            return byContent.Count == 0 ? null : new Matcher(byContent);
        }

        public bool MayOccurIn(ReadOnlySpan<char> text) => text.ContainsAny(_firstCharacters);

        public (AddedToken? Token, int Start) Find(ReadOnlySpan<char> text, int from)
        {
            for (var start = from; start < text.Length; start++)
            {
                var step = text[start..].IndexOfAny(_firstCharacters);
                if (step < 0)
                    break;
                start += step;
                foreach (var length in _lengths[text[start]])
                {
                    if (length <= text.Length - start && _tokens.TryGetValue(text.Slice(start, length), out var token))
                        return (token, start);
                }
            }

            return (null, text.Length);
        }
    }
}
