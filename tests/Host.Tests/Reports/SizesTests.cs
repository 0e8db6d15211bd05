
namespace Gradpath.Host.Tests;

public sealed class SizesTests
{
    [Theory]
    [InlineData(0, "0 bytes")]
    [InlineData(1023, "1023 bytes")]
    [InlineData(1536, "1.5 KiB")]
    [InlineData(497_759_232, "474.7 MiB")]
    public void Sizes_are_readable(long bytes, string expected) => Assert.Equal(expected, Sizes.Bytes(bytes));

    [Theory]
    [InlineData(-0.0004, "0.000")]
    [InlineData(-0.0005001, "-0.001")]
    [InlineData(-0.0, "0.000")]
    [InlineData(0.0004, "0.000")]
    [InlineData(-10.2, "-10.200")]
    [InlineData(double.NaN, "-")]
    [InlineData(double.NegativeInfinity, "-Infinity")]
    public void What_rounds_to_nothing_has_no_sign(double value, string expected)
    {
        Assert.Equal(expected, Sizes.Ratio(value));
        if (double.IsFinite(value) && Math.Abs(value) < 0.00045) Assert.Equal("0.0 %", Sizes.Percent(value));
    }

    [Theory]
    [InlineData(-0.0, "0")]
    [InlineData(-0.0004, "-4.000e-04")]
    [InlineData(-0.001, "-0.0010")]
    [InlineData(-1e6, "-1.000e+06")]
    public void Numbers_keep_four_digits(double value, string expected) => Assert.Equal(expected, Sizes.Number(value));
}
