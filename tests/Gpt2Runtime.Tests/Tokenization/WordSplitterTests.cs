using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Gpt2Runtime.Tests.Tokenization;

public sealed class WordSplitterTests
{
    [Theory]
    [InlineData("Hello world", "Hello| world")]
    [InlineData("I'm sure they've", "I|'m| sure| they|'ve")]
    [InlineData("'tis 'Re 'll", "'t|is| '|Re| '|ll")]
    [InlineData("don't'", "don|'t|'")]
    [InlineData("a  b", "a| | b")]
    [InlineData("a \n b ", "a| \n| b| ")]
    [InlineData("a\nb", "a|\n|b")]
    [InlineData("a\n\nb", "a|\n|\n|b")]
    [InlineData("   ", "   ")]
    [InlineData(" 1745!?", " 1745|!?")]
    [InlineData("x1", "x|1")]
    [InlineData("Ⅷ²", "Ⅷ²")]
    [InlineData("a\u0085\u0085b", "a|\u0085|\u0085|b")]
    [InlineData("a\u001c\u001cb", "a|\u001c\u001c|b")]
    [InlineData("\u00a0x", "\u00a0|x")]
    [InlineData("\u200bx", "\u200b|x")]
    [InlineData("𝒜𝒷c 🚀🔥", "𝒜𝒷c| 🚀🔥")]
    [InlineData("𝟙x", "𝟙|x")]
    [InlineData("\uD83Dx", "\uD83D|x")]
    public void Splits_as_GPT2s_pattern_does(string text, string expected)
    {
        var words = new List<string>();
        for (var rest = text; rest.Length > 0; rest = rest[words[^1].Length..])
            words.Add(rest[..WordSplitter.FirstWord(rest)]);
        Assert.Equal(expected.Split('|'), words);
    }
}
