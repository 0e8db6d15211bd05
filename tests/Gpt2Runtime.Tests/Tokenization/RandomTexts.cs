using System.Text;

namespace Gradpath.Gpt2Runtime.Tests.Tokenization;

/// <summary>Seeded texts of every kind that has ever confused a tokenizer.</summary>
internal static class RandomTexts
{
    private static readonly string[] Pieces =
    [
        "'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'RE", "'", " '",
        " ", "  ", "    ", "\n", "\n\n", "\t", "\r\n", "\u0085", "\u00a0", "\u3000", "\u2028", "\u200b", "\u001c", "\0",
        "Mary", " John", " the", "Hello", "12", " 2024", "3.14", "٣", "Ⅷ", "²", "½",
        "é", "e\u0301", "ñ", "ß", "中文", "日本語", "ไทย", "हिन्दी", "한국어",
        "🚀", "👩‍👩‍👧‍👦", "🇩🇪", "👍🏽", "\u200d", "\ufe0f", "𝒜𝒷", "𝟙", "𠀀", "\uffff", "\ufffd",
        "!", "?!", "...", "_", "<|", "|>", "http://x.y/z?a=b&c=d",
    ];

    /// <summary>A text of up to some dozen characters, now and then with a very long word. Valid UTF-16.</summary>
    public static string Next(Random random)
    {
        var text = new StringBuilder();
        for (var count = random.Next(10); count > 0; count--)
        {
            switch (random.Next(5))
            {
                case 0:
                    Repeat(random.Next(12), () => text.Append((char)random.Next(32, 127)));
                    break;
                case 1:
                    Repeat(random.Next(10), () => text.Append((char)random.Next('a', 'z' + 1)));
                    break;
                case 2:
                    text.Append(AnyRune(random));
                    break;
                default:
                    text.Append(Pieces[random.Next(Pieces.Length)]);
                    break;
            }
        }

        if (random.Next(1000) == 0)
            Repeat(random.Next(1500), () => text.Append((char)random.Next('a', 'd')));
        return text.ToString();
    }

    private static Rune AnyRune(Random random)
    {
        Rune rune;
        while (!Rune.TryCreate(random.Next(2) == 0 ? random.Next(0x3000) : random.Next(0x110000), out rune))
        {
        }

        return rune;
    }

    private static void Repeat(int count, Action action)
    {
        for (; count > 0; count--)
            action();
    }
}
