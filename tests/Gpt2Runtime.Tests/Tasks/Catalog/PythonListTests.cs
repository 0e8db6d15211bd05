using Gradpath.Gpt2Runtime.Tasks.Catalog;

namespace Gradpath.Gpt2Runtime.Tests.Tasks.Catalog;

public sealed class PythonListTests
{
    [Theory]
    [InlineData("[]", new int[0])]
    [InlineData(" [1, 23,-4] ", new[] { 1, 23, -4 })]
    [InlineData("[1;2]", null)]
    [InlineData("1, 2", null)]
    [InlineData("[1,]", null)]
    public void Python_lists_of_integers(string text, int[]? expected) => Assert.Equal(expected, PythonList.Integers(text));

    [Theory]
    [InlineData("[]", new string[0])]
    [InlineData("['a', \"it's\", 'x\\'y']", new[] { "a", "it's", "x'y" })]
    [InlineData("['a' 'b']", null)]
    [InlineData("['a", null)]
    [InlineData("[a]", null)]
    [InlineData("['a]", null)]
    public void Python_lists_of_strings(string text, string[]? expected) => Assert.Equal(expected, PythonList.Strings(text));
}
