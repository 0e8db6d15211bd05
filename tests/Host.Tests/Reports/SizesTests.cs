
namespace Gradpath.Host.Tests;

public sealed class SizesTests
{
    [Theory]
    [InlineData(0, "0 bytes")]
    [InlineData(1023, "1023 bytes")]
    [InlineData(1536, "1.5 KiB")]
    [InlineData(497_759_232, "474.7 MiB")]
    public void Sizes_are_readable(long bytes, string expected) => Assert.Equal(expected, Sizes.Bytes(bytes));
}
