using System.Text;
using System.Text.Json;
using Library = Microsoft.ML.Tokenizers;

namespace Gradpath.Gpt2Runtime.Tokenization;

/// <summary>
/// Byte-pair encoding of one word: its UTF-8 bytes are merged, the best-ranked adjacent pair first and the leftmost of equals, until no
/// merge is left. Microsoft.ML.Tokenizers does it. Safe to use from several threads.
/// </summary>
/// <remarks>
/// Three things the library leaves to this layer and to <see cref="WordSplitter"/>:
/// <list type="bullet">
/// <item>It splits words with .NET's regular expressions, which see UTF-16 units and so cut letters beyond the basic plane. It is given
/// words that are split already.</item>
/// <item>It drops bytes that the vocabulary lacks without a word. They are refused here.</item>
/// <item>Its BpeTokenizer takes each merged symbol out of the middle of an array, so that a word of 200,000 letters takes seconds. Its
/// CodeGenTokenizer merges in linked lists, and has no regard to what a word is: it gets the long ones. It could not have all, because
/// it reads short runs of spaces and tabs as tokens of CodeGen, the model that it is made for.</item>
/// </list>
/// </remarks>
internal sealed class WordEncoder
{
    // In UTF-16 units. At this length BpeTokenizer takes about a millisecond; CodeGen's own tokens have 31 units at most.
    private const int LongWord = 1000;

    private readonly Vocabulary _vocabulary;
    private readonly Library.BpeTokenizer _words;
    private readonly Lazy<Library.CodeGenTokenizer> _longWords;

    public WordEncoder(Vocabulary vocabulary)
    {
        _vocabulary = vocabulary;
        _words = Library.BpeTokenizer.Create(new Library.BpeOptions(vocabulary.Ids) { Merges = vocabulary.Merges, ByteLevel = true });
        _longWords = new Lazy<Library.CodeGenTokenizer>(ForLongWords);
    }

    /// <summary>The ids of a word.</summary>
    /// <param name="word">The word, valid UTF-16, not empty.</param>
    /// <exception cref="GradpathException">The vocabulary lacks a byte of it.</exception>
    public int[] Encode(ReadOnlySpan<char> word)
    {
        if (!_vocabulary.IsComplete)
            RequireBytes(word);
        return [.. word.Length > LongWord
            ? _longWords.Value.EncodeToIds(word, considerPreTokenization: false, considerNormalization: false)
            : _words.EncodeToIds(word, considerPreTokenization: false, considerNormalization: false)];
    }

    private void RequireBytes(ReadOnlySpan<char> word)
    {
        var bytes = new byte[Encoding.UTF8.GetByteCount(word)];
        Encoding.UTF8.GetBytes(word, bytes);
        foreach (var value in bytes)
        {
            if (!_vocabulary.HasByte[value])
            {
                throw new GradpathException(
                    $"The vocabulary has no token for byte {value} of {Quoted.Text(word)}: {_vocabulary.Source} is not a complete byte-level vocabulary");
            }
        }
    }

    // It reads its vocabulary from streams only, passes over the first line of the merges, and wants to find <|endoftext|>.
    private Library.CodeGenTokenizer ForLongWords()
    {
        using var vocabulary = new MemoryStream();
        using (var json = new Utf8JsonWriter(vocabulary))
        {
            json.WriteStartObject();
            foreach (var (token, id) in _vocabulary.Ids)
                json.WriteNumber(token, id);
            if (!_vocabulary.Ids.ContainsKey(BpeTokenizer.EndOfTextToken))
                json.WriteNumber(BpeTokenizer.EndOfTextToken, _vocabulary.Tokens.Length);
            json.WriteEndObject();
        }

        vocabulary.Position = 0;
        using var merges = new MemoryStream(Encoding.UTF8.GetBytes("#version: 0.2\n" + string.Join('\n', _vocabulary.Merges)));
        return Library.CodeGenTokenizer.Create(vocabulary, merges);
    }
}
