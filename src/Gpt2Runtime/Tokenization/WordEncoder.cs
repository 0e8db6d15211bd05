using System.Text;
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
/// <item>It takes each merged symbol out of the middle of an array, so that its time grows with the square of a word's length: seconds
/// for a word of 200,000 letters. <see cref="LongWordEncoder"/> gets the long ones. (The library's CodeGenTokenizer merges faster, but
/// reads short runs of spaces and tabs as tokens of another model.)</item>
/// </list>
/// </remarks>
internal sealed class WordEncoder
{
    // In UTF-16 units. At this length the library takes about a millisecond.
    private const int LongWord = 1000;

    private readonly Vocabulary _vocabulary;
    private readonly Library.BpeTokenizer _library;
    private readonly Lazy<LongWordEncoder> _longWords;

    public WordEncoder(Vocabulary vocabulary)
    {
        _vocabulary = vocabulary;
        _library = Library.BpeTokenizer.Create(new Library.BpeOptions(vocabulary.Ids) { Merges = vocabulary.Merges, ByteLevel = true });
        _longWords = new Lazy<LongWordEncoder>(() => new LongWordEncoder(vocabulary));
    }

    /// <summary>The ids of a word.</summary>
    /// <param name="word">The word, valid UTF-16, not empty.</param>
    /// <exception cref="GradpathException">The vocabulary lacks a byte of it.</exception>
    public int[] Encode(ReadOnlySpan<char> word)
    {
        if (!_vocabulary.IsComplete)
            RequireBytes(word);
        return word.Length > LongWord
            ? _longWords.Value.Encode(word)
            : [.. _library.EncodeToIds(word, considerPreTokenization: false, considerNormalization: false)];
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
                    $"The vocabulary has no token for byte {value} of {Quoted.Text(word)}: "
                    + $"{_vocabulary.Source} is not a complete byte-level vocabulary");
            }
        }
    }
}
