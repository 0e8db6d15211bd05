using System.Text;
using Gradpath.Gpt2Runtime;

namespace Gradpath.Host.Tests;

public sealed class TextLineReaderTests
{
    [Fact]
    public void Lines_end_as_any_system_ends_them_and_a_mark_is_passed_over()
    {
        using TextLineReader reader = Of("\uFEFFcaf\u00e9\r\n\n\U0001F600 x\nlast");
        Assert.Equal(["caf\u00e9", "", "\U0001F600 x", "last", null, null], Enumerable.Range(0, 6).Select(_ => reader.ReadLine()));
    }

    [Fact]
    public void Bytes_that_are_no_text_are_refused_with_their_line()
    {
        using TextLineReader reader = new(new MemoryStream([(byte)'a', (byte)'\n', (byte)'b', 0xE9, (byte)'\n']));
        Assert.Equal("a", reader.ReadLine());
        Assert.Equal("standard input, line 2: not UTF-8 (byte 0xE9)", Assert.Throws<GradpathException>(reader.ReadLine).Message);
    }

    private static TextLineReader Of(string text) => new(new MemoryStream(Encoding.UTF8.GetBytes(text)));
}
