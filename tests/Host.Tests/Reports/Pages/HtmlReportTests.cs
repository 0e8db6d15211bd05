using System.Text.RegularExpressions;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Drawing;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Reports.Pages;

namespace Gradpath.Host.Tests;

/// <summary>The report's text, and what is refused; what it does in a browser is in <see cref="ReportPageTests"/>.</summary>
public sealed class HtmlReportTests
{
    [Fact]
    public void The_same_data_gives_the_same_bytes() =>
        Assert.Equal(HtmlReport.Page(ReportSamples.Small("eap", "eap-ig")), HtmlReport.Page(ReportSamples.Small("eap", "eap-ig")));

    [Fact]
    public void The_page_refers_to_nothing_outside()
    {
        string page = HtmlReport.Page(ReportSamples.Small("eap"));
        Assert.Equal(["http://www.w3.org/2000/svg"], Regex.Matches(page, "https?://[^\"' ]+").Select(m => m.Value).Distinct());
        Assert.DoesNotMatch("@import|url\\(|src=", page);
        Assert.Equal(2, Regex.Count(page, "</script", RegexOptions.IgnoreCase));
    }

    [Fact]
    public void Text_is_escaped()
    {
        const string attack = "</script><b>&\"'";
        string page = HtmlReport.Page(ReportSamples.Small(attack) with { Title = attack });
        Assert.DoesNotContain("</script><b>", page, StringComparison.Ordinal);
        Assert.Contains("<title>&lt;/script&gt;&lt;b&gt;&amp;&quot;&#39;</title>", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Facts_are_said_once_where_the_methods_agree_and_for_each_where_not()
    {
        ReportData data = ReportData.Of("t",
        [
            new("a", ReportSamples.Scores(1, 1, provenance: new Provenance { Task = "ioi", Model = "x", Items = 1000 })),
            new("b", ReportSamples.Scores(1, 1, provenance: new Provenance { Task = "ioi", Model = "y", Items = 1000 })),
        ]);
        Assert.Equal(
            [
                new("model", "a: x; b: y"), new("graph", "1 layers x 1 heads, 8 edges"), new("task", "ioi"), new("prompt pairs", "1,000"),
            ],
            data.Facts);
    }

    [Fact]
    public void Options_of_the_provenance_stand_one_by_one() => Assert.Equal(
        [new("method", "eap-ig"), new("options.steps", "5"), new("options.ig-points", "left"), new("seed", "3")],
        ProvenanceFacts.Of(new Provenance { Method = "eap-ig", Options = new() { ["steps"] = 5, ["ig-points"] = "left" }, Seed = 3 }));

    [Fact]
    public void Paths_are_averaged_per_step()
    {
        EmbeddingPathPoint Point(int item, int step, double norm) => new(item, step, 0, norm, 10 * norm, 0, 0);
        IReadOnlyList<EmbeddingPathStepSummary> steps = EmbeddingPathStepSummary.Of(
            [Point(0, 1, 7), Point(0, 0, 1), Point(1, 0, 2), Point(2, 0, 6)]);
        Assert.Equal([(0, 3), (1, 1)], steps.Select(s => (s.Step, s.Items)));
        Assert.Equal(3, steps[0].GradientNorm.Mean, 12);
        // Sample variance (4 + 1 + 9) / 2 = 7.
        Assert.Equal(3 + (1.959963984540054 * Math.Sqrt(7.0 / 3)), steps[0].GradientNorm.High!.Value, 12);
        Assert.Equal(30 - (19.59963984540054 * Math.Sqrt(7.0 / 3)), steps[0].OutputDistance.Low!.Value, 12);
        Assert.Equal(new MeanWithBand(7, null, null), steps[1].GradientNorm);
    }

    [Fact]
    public void What_cannot_be_shown_is_refused()
    {
        Refused("at least one", new ReportData("t", []));
        Refused("two methods of the report are called 'a'",
            new ReportData("t", [new("a", ReportSamples.Scores(1, 1)), new("a", ReportSamples.Scores(1, 1))]));
        Refused("one model", new ReportData("t", [new("a", ReportSamples.Scores(1, 1)), new("b", ReportSamples.Scores(1, 2))]));
        ComputationGraph graph = new(1, 1);
        EdgeScores broken = new(graph, [float.NaN, .. new float[(graph.Writers * graph.Readers) - 1]]);
        Refused("not a finite number", new ReportData("t", [new("a", broken)]));
        Refused("fraction 0", new ReportData("t", [new("a", ReportSamples.Scores(1, 1)) { Curve = [new(0, 0, 0, 0)] }]));
        Refused("path of a", new ReportData("t",
            [new("a", ReportSamples.Scores(1, 1)) { EmbeddingPath = [new(0, 0, 0, double.NaN, 0, 0, 0)] }]));
    }

    private static void Refused(string mention, ReportData data) =>
        Assert.Contains(mention, Assert.Throws<GradpathException>(() => HtmlReport.Page(data)).Message, StringComparison.Ordinal);
}
