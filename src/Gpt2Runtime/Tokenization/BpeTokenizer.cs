using System.Collections.Concurrent;
using System.Text;

namespace Gradpath.Gpt2Runtime.Tokenization;

/// <summary>
/// GPT-2's byte-level byte-pair encoding, from a vocabulary (vocab.json: token to id) and its merges (merges.txt: best first).
/// A text is split into words; each word starts as its UTF-8 bytes and the best-ranked adjacent pair is merged until none is left.
/// Safe to use from several threads.
/// </summary>
public sealed class BpeTokenizer
{
    /// <summary>The text of the token that starts and separates documents.</summary>
    public const string EndOfTextToken = "<|endoftext|>";

    // Words beyond this many are encoded without being remembered, so that endless input does not fill the memory.
    private const int CacheLimit = 1 << 17;

    private readonly Vocabulary _vocabulary;
    private readonly ConcurrentDictionary<string, int[]> _words = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int[]>.AlternateLookup<ReadOnlySpan<char>> _wordsBySpan;
    private int _wordCount;

    private BpeTokenizer(Vocabulary vocabulary)
    {
        _vocabulary = vocabulary;
        _wordsBySpan = _words.GetAlternateLookup<ReadOnlySpan<char>>();
        EndOfText = TokenId(EndOfTextToken);
    }

    /// <summary>Number of ids: the largest id plus one.</summary>
    public int VocabularySize => _vocabulary.Tokens.Length;

    /// <summary>Id of the token <c>&lt;|endoftext|&gt;</c>, or null where the vocabulary has none.</summary>
    public int? EndOfText { get; }

    /// <summary>Reads vocab.json and merges.txt of a model directory.</summary>
    /// <param name="directory">The directory that holds both.</param>
    /// <returns>The tokenizer.</returns>
    /// <exception cref="GradpathException">A file is missing or malformed; names the file and the line.</exception>
    public static BpeTokenizer Load(string directory) => new(Vocabulary.Load(directory));

    /// <summary>The token ids of a text. Special tokens in it are ordinary text; a lone surrogate counts as U+FFFD.</summary>
    /// <param name="text">The text, which may be empty.</param>
    /// <returns>Its ids, without a begin token.</returns>
    /// <exception cref="GradpathException">The vocabulary lacks a byte that the text needs.</exception>
    public int[] Encode(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var ids = new List<int>((text.Length / 3) + 1);
        var rest = text.AsSpan();
        while (!rest.IsEmpty)
        {
            var length = WordSplitter.FirstWord(rest);
            ids.AddRange(EncodeWord(rest[..length]));
            rest = rest[length..];
        }

        return [.. ids];
    }

    /// <summary>The text of token ids: their bytes as UTF-8, where broken sequences become U+FFFD.</summary>
    /// <param name="ids">Token ids of this vocabulary.</param>
    /// <returns>The text.</returns>
    /// <exception cref="GradpathException">An id outside the vocabulary.</exception>
    public string Decode(ReadOnlySpan<int> ids)
    {
        var bytes = new List<byte>(ids.Length * 4);
        foreach (var id in ids)
        {
            var token = id >= 0 && id < VocabularySize ? _vocabulary.Tokens[id] : null;
            if (token is null)
                throw new GradpathException($"Token id {id} is not in the vocabulary of {VocabularySize} tokens.");
            foreach (var character in token)
            {
                if (ByteAlphabet.TryToByte(character, out var value))
                    bytes.Add(value);
                else
                    bytes.AddRange(Encoding.UTF8.GetBytes([character]));
            }
        }

        return Encoding.UTF8.GetString([.. bytes]);
    }

    /// <summary>The id of the token with exactly this text (a leading space counts), or null where there is no such token.</summary>
    /// <param name="text">The token's text, for example <c>" Mary"</c>.</param>
    /// <returns>The id or null.</returns>
    public int? TokenId(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return _vocabulary.Ids.TryGetValue(ByteAlphabet.Spell(text), out var id) ? id : null;
    }

    /// <summary>The id that a text is encoded as where that is one token, otherwise null.</summary>
    /// <param name="text">The text, for example <c>" Mary"</c>.</param>
    /// <returns>The id or null.</returns>
    public int? SingleToken(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        // A text whose bytes are no token cannot be one; asking first also spares vocabularies that lack some bytes an error.
        if (TokenId(text) is null || WordSplitter.FirstWord(text) != text.Length)
            return null;
        var ids = EncodeWord(text);
        return ids.Length == 1 ? ids[0] : null;
    }

    private int[] EncodeWord(ReadOnlySpan<char> word)
    {
        if (_wordsBySpan.TryGetValue(word, out var known))
            return known;

        var ids = Merge(word);
        if (Volatile.Read(ref _wordCount) < CacheLimit && _wordsBySpan.TryAdd(word, ids))
            Interlocked.Increment(ref _wordCount);
        return ids;
    }

    private int[] Merge(ReadOnlySpan<char> word)
    {
        var bytes = new byte[Encoding.UTF8.GetMaxByteCount(word.Length)];
        var count = Encoding.UTF8.GetBytes(word, bytes);
        var ids = new int[count];
        for (var i = 0; i < count; i++)
        {
            ids[i] = _vocabulary.ByteIds[bytes[i]];
            if (ids[i] < 0)
                throw new GradpathException(
                    $"The vocabulary has no token for byte {bytes[i]} of \"{word}\": {_vocabulary.Source} is not a complete byte-level vocabulary.");
        }

        // ranks[i] is the rank of the pair (i, i + 1). A merge changes only the two pairs beside it.
        var ranks = new int[count];
        for (var i = 0; i + 1 < count; i++)
            ranks[i] = Rank(ids[i], ids[i + 1]);
        while (count > 1)
        {
            // The leftmost of equal ranks, so that "aaa" merges its first two.
            var best = 0;
            for (var i = 1; i + 1 < count; i++)
            {
                if (ranks[i] < ranks[best])
                    best = i;
            }

            if (ranks[best] == int.MaxValue)
                break;

            ids[best] = _vocabulary.Merges[(ids[best], ids[best + 1])].Id;
            ids.AsSpan(best + 2, count - best - 2).CopyTo(ids.AsSpan(best + 1));
            ranks.AsSpan(best + 2, count - best - 2).CopyTo(ranks.AsSpan(best + 1));
            count--;
            if (best + 1 < count)
                ranks[best] = Rank(ids[best], ids[best + 1]);
            if (best > 0)
                ranks[best - 1] = Rank(ids[best - 1], ids[best]);
        }

        return ids[..count];
    }

    private int Rank(int left, int right) =>
        _vocabulary.Merges.TryGetValue((left, right), out var merge) ? merge.Rank : int.MaxValue;
}
