using Gradpath.Gpt2Runtime.Drawing;
using Gradpath.Host.Reports.Tables;

namespace Gradpath.Host.Tests;

public sealed class EdgeTableTests
{
    [Theory]
    [InlineData(0.5f, "+0.50000")]
    [InlineData(-0.25f, "-0.25000")]
    [InlineData(0f, "0")]
    [InlineData(-1e-7f, "-1.000e-07")]
    public void Scores_show_their_sign(float score, string expected) => Assert.Equal(expected, ScoreText.Of(score));
}
