using System.Text;

namespace Gradpath.Gpt2Runtime.Tokenization;

/// <summary>
/// GPT-2's spelling of bytes as printable characters: 33-126, 161-172 and 174-255 stand for themselves, the 68 other bytes become
/// U+0100, U+0101, ... in order (so a space is U+0120). vocab.json and merges.txt are written in these characters.
/// </summary>
internal static class ByteAlphabet
{
    private static readonly char[] Characters = MakeCharacters();
    private static readonly Dictionary<char, byte> Bytes = MakeBytes();

    /// <summary>The character that stands for a byte.</summary>
    public static char ToCharacter(byte value) => Characters[value];

    /// <summary>A text as vocab.json spells it: its UTF-8 bytes, one character each.</summary>
    public static string Spell(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        return string.Create(bytes.Length, bytes, static (span, source) =>
        {
            for (var i = 0; i < span.Length; i++)
                span[i] = Characters[source[i]];
        });
    }

    /// <summary>The text of a token as vocab.json spells it; bytes that are no whole characters become U+FFFD.</summary>
    public static string Read(string token)
    {
        var bytes = new List<byte>(token.Length);
        AddBytes(token, bytes);
        return Encoding.UTF8.GetString([.. bytes]);
    }

    /// <summary>
    /// Adds the bytes of a token as vocab.json spells it. A token with a character that stands for no byte was not made of bytes; its
    /// text is taken as it is, as Hugging Face's tokenizers do.
    /// </summary>
    public static void AddBytes(string token, List<byte> bytes)
    {
        var count = bytes.Count;
        foreach (var character in token)
        {
            if (Bytes.TryGetValue(character, out var value))
            {
                bytes.Add(value);
                continue;
            }

            bytes.RemoveRange(count, bytes.Count - count);
            bytes.AddRange(Encoding.UTF8.GetBytes(token));
            return;
        }
    }

    private static char[] MakeCharacters()
    {
        var characters = new char[256];
        var next = (char)256;
        for (var value = 0; value < 256; value++)
        {
            var printable = value is (>= 33 and <= 126) or (>= 161 and <= 172) or (>= 174 and <= 255);
            characters[value] = printable ? (char)value : next++;
        }

        return characters;
    }

    private static Dictionary<char, byte> MakeBytes()
    {
        var bytes = new Dictionary<char, byte>(256);
        for (var value = 0; value < 256; value++)
            bytes[Characters[value]] = (byte)value;
        return bytes;
    }
}
