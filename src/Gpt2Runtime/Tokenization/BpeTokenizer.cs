using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace Gradpath.Gpt2Runtime.Tokenization;

/// <summary>
/// GPT-2's tokenizer as a checkpoint directory describes it; the ids are those of Hugging Face's GPT-2 tokenizer. Added tokens,
/// special ones among them, are found first. What lies between is split into words, and each word is encoded by byte-pair merging.
/// Safe to use from several threads.
/// </summary>
public sealed class BpeTokenizer
{
    /// <summary>GPT-2's own special token, which starts and separates documents.</summary>
    public const string EndOfTextToken = "<|endoftext|>";

    // Longer words, and words beyond this many, are encoded without being remembered, so that endless input does not fill the memory.
    private const int LongestRemembered = 100;
    private const int CacheLimit = 1 << 17;

    private readonly TokenizerDefinition _definition;
    private readonly Vocabulary _vocabulary;
    private readonly AddedTokenSet _addedTokens;
    private readonly Dictionary<string, int> _addedIds;
    private readonly Dictionary<int, string> _addedTexts;
    private readonly Task<WordEncoder> _encoder;
    private readonly ConcurrentDictionary<string, int[]> _words = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int[]>.AlternateLookup<ReadOnlySpan<char>> _wordsBySpan;
    private int _wordCount;

    private BpeTokenizer(TokenizerDefinition definition)
    {
        _definition = definition;
        _vocabulary = definition.Vocabulary;
        var added = definition.Special.Tokens;
        _addedTokens = new AddedTokenSet(added, definition.Special.Config.SplitSpecialTokens);
        _addedIds = added.ToDictionary(token => token.Content, token => token.Id, StringComparer.Ordinal);
        _addedTexts = added.ToDictionary(token => token.Id, token => token.Content);

        // The library takes a while to build its tables for a large vocabulary; whoever loads a tokenizer has other things to do first.
        _encoder = Task.Run(() => new WordEncoder(_vocabulary));
        _wordsBySpan = _words.GetAlternateLookup<ReadOnlySpan<char>>();
        VocabularySize = Math.Max(_vocabulary.Tokens.Length, _addedTexts.Keys.Append(-1).Max() + 1);
    }

    /// <summary>Number of ids: the largest id plus one, added tokens included.</summary>
    public int VocabularySize { get; }

    /// <summary>
    /// The token that prompts begin with, or null where the checkpoint has none: the one that its tokenizer files name, else
    /// <see cref="EndOfTextToken"/>, else <c>bos_token_id</c> of config.json.
    /// </summary>
    public BeginToken? BeginToken => _definition.Special.Begin;

    /// <summary>Where <see cref="BeginToken"/> comes from, for people; empty where there is none.</summary>
    public string BeginTokenSource => _definition.Special.BeginSource;

    /// <summary>The files that hold the vocabulary, for people: <c>tokenizer.json</c>, or <c>vocab.json and merges.txt</c>.</summary>
    public string Files => _definition.Files;

    /// <summary>What a user should know of: files that contradict each other, and which one counts. One sentence each.</summary>
    public IReadOnlyList<string> Warnings => _definition.Warnings;

    /// <summary>Whether a directory holds tokenizer.json, vocab.json or merges.txt.</summary>
    /// <param name="directory">The directory.</param>
    /// <returns>True where <see cref="Load"/> finds a vocabulary, or names what of it is missing.</returns>
    public static bool HasVocabulary(string directory)
    {
        ArgumentNullException.ThrowIfNull(directory);
        return TokenizerFiles.HasVocabulary(directory);
    }

    /// <summary>
    /// Reads the tokenizer of a checkpoint directory: tokenizer.json, or vocab.json and merges.txt; and where they are there,
    /// added_tokens.json, tokenizer_config.json, special_tokens_map.json and <c>bos_token_id</c> of config.json.
    /// </summary>
    /// <param name="directory">The directory that holds them.</param>
    /// <returns>The tokenizer.</returns>
    /// <exception cref="GradpathException">A file is missing, malformed or of another kind of tokenizer; names file and place.</exception>
    public static BpeTokenizer Load(string directory) => new(TokenizerDefinition.Read(directory));

    /// <summary>The token ids of a text. Added and special tokens in it are single tokens; half of a surrogate pair is U+FFFD.</summary>
    /// <param name="text">The text, which may be empty.</param>
    /// <returns>Its ids. No begin token is put in front.</returns>
    /// <exception cref="GradpathException">The vocabulary lacks a byte that the text needs.</exception>
    public int[] Encode(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        text = WellFormed(text);
        var ids = new List<int>((text.Length / 3) + 1);
        if (!_addedTokens.MayOccurIn(text))
        {
            EncodeOrdinary(text, ids);
        }
        else
        {
            foreach (var piece in _addedTokens.Split(text))
            {
                if (piece.Token is { } token)
                    ids.Add(token.Id);
                else
                    EncodeOrdinary(text.AsSpan(piece.Start, piece.Length), ids);
            }
        }

        return [.. ids];
    }

    /// <summary>Whether an id has a text.</summary>
    internal bool Knows(int id) =>
        _addedTexts.ContainsKey(id) || (id >= 0 && id < _vocabulary.Tokens.Length && _vocabulary.Tokens[id] is not null);

    /// <summary>
    /// The text of token ids: their bytes as UTF-8, where broken sequences become U+FFFD. It undoes <see cref="Encode"/>, except for
    /// spaces that a checkpoint's settings add before text or take from around an added token.
    /// </summary>
    /// <param name="ids">Token ids of this vocabulary.</param>
    /// <returns>The text.</returns>
    /// <exception cref="GradpathException">An id outside the vocabulary.</exception>
    public string Decode(ReadOnlySpan<int> ids)
    {
        var bytes = new List<byte>(ids.Length * 4);
        foreach (var id in ids)
        {
            if (_addedTexts.TryGetValue(id, out var text))
                bytes.AddRange(Encoding.UTF8.GetBytes(text));
            else if (id >= 0 && id < _vocabulary.Tokens.Length && _vocabulary.Tokens[id] is { } token)
                ByteAlphabet.AddBytes(token, bytes);
            else
                throw new GradpathException($"Token id {id} is not in the vocabulary of {VocabularySize} tokens.");
        }

        return Encoding.UTF8.GetString([.. bytes]);
    }

    /// <summary>The id of the token with exactly this text (a leading space counts), or null where there is no such token.</summary>
    /// <param name="text">The token's text, for example <c>" Mary"</c>.</param>
    /// <returns>The id or null.</returns>
    public int? TokenId(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return _addedIds.TryGetValue(text, out var id) || _vocabulary.Ids.TryGetValue(ByteAlphabet.Spell(text), out id) ? id : null;
    }

    /// <summary>The id that a text is encoded as where that is one token, otherwise null.</summary>
    /// <param name="text">The text, for example <c>" Mary"</c>.</param>
    /// <returns>The id or null.</returns>
    public int? SingleToken(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        text = WellFormed(text);
        if (_addedTokens.MayOccurIn(text) && _addedTokens.Split(text) is [{ Token: { } added }])
            return added.Id;

        // Text whose bytes are no token cannot be one; asking first also spares vocabularies that lack some bytes an error.
        var word = WithPrefixSpace(text).ToString();
        if (TokenId(word) is null || WordSplitter.FirstWord(word) != word.Length || _addedTokens.Split(text).Count != 1)
            return null;
        var ids = EncodeWord(word);
        return ids.Length == 1 ? ids[0] : null;
    }

    /// <summary>How the number of ids differs from the rows of a model's embedding, in a sentence; null where it does not.</summary>
    /// <param name="rows">The model's vocabulary size. More rows than ids are usual (padding); ids beyond the rows cannot be used.</param>
    /// <returns>The sentence or null.</returns>
    public string? SizeDifference(int rows)
    {
        if (VocabularySize == rows)
            return null;
        var sizes = string.Create(
            CultureInfo.InvariantCulture, $"the tokenizer has {VocabularySize:N0} ids, the model's embedding {rows:N0} rows: ");
        return sizes + (VocabularySize < rows
            ? $"ids from {VocabularySize} on have no text (padding)"
            : $"tokens with ids from {rows} on cannot be used");
    }

    // Half of a surrogate pair has no bytes in UTF-8; the platform's encoder puts U+FFFD in its place.
    private static string WellFormed(string text) =>
        text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF') ? Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)) : text;

    // Hugging Face's tokenizers put the space before every piece between added tokens, not only before the first.
    private ReadOnlySpan<char> WithPrefixSpace(ReadOnlySpan<char> text) =>
        _definition.AddPrefixSpace && !text.IsEmpty && text[0] != ' ' ? string.Concat(" ", text) : text;

    private void EncodeOrdinary(ReadOnlySpan<char> text, List<int> ids)
    {
        var rest = WithPrefixSpace(text);
        while (!rest.IsEmpty)
        {
            var length = WordSplitter.FirstWord(rest);
            ids.AddRange(EncodeWord(rest[..length]).AsSpan());
            rest = rest[length..];
        }
    }

    private int[] EncodeWord(ReadOnlySpan<char> word)
    {
        if (_wordsBySpan.TryGetValue(word, out var known))
            return known;

        var ids = _encoder.GetAwaiter().GetResult().Encode(word);
        if (word.Length <= LongestRemembered && Volatile.Read(ref _wordCount) < CacheLimit && _wordsBySpan.TryAdd(word, ids))
            Interlocked.Increment(ref _wordCount);
        return ids;
    }
}
