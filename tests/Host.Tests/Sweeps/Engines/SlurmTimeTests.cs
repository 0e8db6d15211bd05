using Gradpath.Host.Sweeps.Engines;

namespace Gradpath.Host.Tests;

public sealed class SlurmTimeTests
{
    [Theory]
    [InlineData("90", 90 * 60)]
    [InlineData("0", 0)]
    [InlineData("1:30", 90)]
    [InlineData("2:00:00", 7200)]
    [InlineData("100:00:01", 360_001)]
    [InlineData("1-12", 36 * 3600)]
    [InlineData("1-12:30", (36 * 3600) + 1800)]
    [InlineData("99:59:59", (99 * 3600) + 3599)]
    [InlineData("1-23:59:59", (48 * 3600) - 1)]
    [InlineData("2-00:00:05", (48 * 3600) + 5)]
    public void A_time_is_read_as_slurm_reads_it(string text, int seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), SlurmTime.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("2h")]
    [InlineData("-1")]
    [InlineData("1:2")]
    [InlineData("1:00:00:00")]
    [InlineData("1-")]
    [InlineData("1--2")]
    [InlineData(" 1")]
    [InlineData("1\n")]
    [InlineData("99:99:99")]
    [InlineData("1:60")]
    [InlineData("1:60:00")]
    [InlineData("1:00:60")]
    [InlineData("1-24")]
    [InlineData("1-2:60")]
    [InlineData("99999999999")]
    [InlineData("\u0661")]
    public void What_is_no_time_is_none(string text) => Assert.Null(SlurmTime.Parse(text));
}
