using Gradpath.Host.Commands;

namespace Gradpath.Host.Tests;

public sealed class BarPlotTests
{
    [Theory]
    [InlineData(true, "  a    \u2588\u2588\u2588\u2588 2\n  bcd  \u2588\u258C 0.75\n  e     0\n")]
    [InlineData(false, "  a    #### 2\n  bcd  ## 0.75\n  e     0\n")]
    public void Bars_share_one_scale(bool unicode, string expected)
    {
        using StringWriter text = new() { NewLine = "\n" };
        BarPlot.Write(text, [("a", 2), ("bcd", 0.75), ("e", 0)], 4, unicode);
        Assert.Equal(expected, text.ToString());
    }
}
