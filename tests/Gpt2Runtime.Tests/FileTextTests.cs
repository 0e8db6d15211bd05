using System.Text;

namespace Gradpath.Gpt2Runtime.Tests;

public sealed class FileTextTests
{
    private const string Text = "[\"Zoë\"]\nand more \U0001F600\n";

    public static TheoryData<string> Encodings =>
        ["utf-8", "utf-8 with mark", "utf-16 with mark", "utf-16be with mark", "utf-16", "utf-16be"];

    [Theory]
    [MemberData(nameof(Encodings))]
    public void Every_unicode_encoding_gives_the_same_text(string name)
    {
        Encoding encoding = name.Split(' ')[0] switch
        {
            "utf-8" => new UTF8Encoding(false),
            "utf-16" => Encoding.Unicode,
            _ => Encoding.BigEndianUnicode,
        };
        byte[] mark = name.EndsWith("mark", StringComparison.Ordinal) ? encoding.GetBytes("\uFEFF") : [];
        Assert.Equal(Text, Encoding.UTF8.GetString(FileText.ToUtf8("a.json", (byte[])[.. mark, .. encoding.GetBytes(Text)]).Span));
    }

    [Fact]
    public void What_is_no_text_is_refused_with_its_line()
    {
        Assert.Equal(
            "a.csv, line 3: not UTF-8 (byte 0xE9); save the file as UTF-8 or UTF-16", Message("a\nb\nZo\u00E9\n", Encoding.Latin1));
        Assert.Contains("not UTF-8", Message("caf\u00E9", Encoding.Latin1), StringComparison.Ordinal);
        Assert.Contains("UTF-32", Message("\uFEFFa", Encoding.UTF32), StringComparison.Ordinal);
        GradpathException half = Assert.Throws<GradpathException>(
            () => FileText.ToUtf8("a.csv", (byte[])[0xFF, 0xFE, (byte)'a', 0, (byte)'\n', 0, 0x00, 0xD8, (byte)'b', 0]));
        Assert.Equal("a.csv, line 2: not UTF-16 (half of a character); save the file as UTF-8", half.Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("\n")]
    public void Short_files_are_text(string text) =>
        Assert.Equal(text, Encoding.UTF8.GetString(FileText.ToUtf8("a", Encoding.UTF8.GetBytes(text)).Span));

    private static string Message(string text, Encoding encoding) =>
        Assert.Throws<GradpathException>(() => FileText.ToUtf8("a.csv", encoding.GetBytes(text))).Message;
}
