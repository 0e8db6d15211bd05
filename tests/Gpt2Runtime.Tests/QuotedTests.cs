using System.Text.Json;

namespace Gradpath.Gpt2Runtime.Tests;

public sealed class QuotedTests
{
    [Theory]
    [InlineData("", "\"\"")]
    [InlineData("Mary's é🚀", "\"Mary's é🚀\"")]
    [InlineData("a\nb\tc\r\u0000\u0085\u2028", "\"a\\nb\\tc\\r\\u0000\\u0085\\u2028\"")]
    public void A_text_is_shown_on_one_line(string text, string expected) => Assert.Equal(expected, Quoted.Text(text));

    [Fact]
    public void No_text_is_longer_than_a_line()
    {
        Assert.Equal('"' + new string('x', 60) + '"', Quoted.Text(new string('x', 60)));
        Assert.Equal('"' + new string('x', 60) + "...\"", Quoted.Text(new string('x', 61)));
        Assert.Equal('"' + new string('x', 60) + "...\"", Quoted.Text(new string('x', 1_000_000)));
        Assert.InRange(Quoted.Text(new string('\n', 200)).Length, 60, 70);
        Assert.InRange(Quoted.Text(string.Concat(Enumerable.Repeat("🚀", 200))).Length, 60, 70);
    }

    [Fact]
    public void Half_of_a_surrogate_pair_is_shown_as_the_replacement_character() => Assert.Equal("\"a\uFFFD\"", Quoted.Text("a\uD83D"));

    [Fact]
    public void The_platforms_word_on_bad_json_does_not_quote_the_file()
    {
        var error = Assert.ThrowsAny<JsonException>(() => JsonDocument.Parse("[nu" + new string('x', 5000) + "]"));
        Assert.InRange(error.Message.Length, 5000, int.MaxValue);
        Assert.InRange(Quoted.Reason(error).Length, 100, 210);
        Assert.EndsWith(" (byte 4 of the line)", Quoted.Reason(error), StringComparison.Ordinal);
    }

    [Fact]
    public void Of_many_ids_the_first_are_shown()
    {
        Assert.Equal("[1, 2]", Quoted.Ids([1, 2]));
        Assert.Equal("[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, ... 40 in all]", Quoted.Ids([.. Enumerable.Range(0, 40)]));
    }
}
