using System.Xml.Linq;
using Gradpath.Host.Reports.Pictures;

namespace Gradpath.Host.Tests;

public sealed class LineChartTests
{
    [Fact]
    public void No_two_lines_of_a_chart_look_alike()
    {
        ChartLine[] lines = [.. Enumerable.Range(0, 24).Select(i =>
            new ChartLine($"method {i}", [new ChartPoint(0, i), new ChartPoint(1, i)]))];
        ChartAxis x = ChartAxis.Linear("x", 0, 1);
        XElement svg = XDocument.Parse(LineChart.Draw("many <lines>", x, ChartAxis.Logarithmic("y", [0, 24]), lines)).Root!;
        XElement[] parts = [.. svg.Elements()];

        // In the legend a line's dash, mark and name follow each other.
        string[] looks = [.. parts.Select((e, i) => (e, i)).Where(p => p.e.Value.StartsWith("method ", StringComparison.Ordinal))
            .Select(p => $"{parts[p.i - 2].Attribute("stroke")} {parts[p.i - 2].Attribute("stroke-dasharray")} "
            + $"{parts[p.i - 1].Name.LocalName}")];
        Assert.Equal(24, looks.Length);
        Assert.Equal(looks.Distinct(), looks);
        Assert.Equal("many <lines>", parts[0].Value);
    }
}
