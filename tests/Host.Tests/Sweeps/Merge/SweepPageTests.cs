using System.Text.RegularExpressions;
using Gradpath.Host.Reports.Pictures;
using Gradpath.Host.Sweeps.Merge;
using Gradpath.Host.Sweeps.Units;
using static Gradpath.Host.Tests.MergeSamples;

namespace Gradpath.Host.Tests;

public sealed class SweepPageTests(Browser browser) : IClassFixture<Browser>
{
    [Fact]
    public void Everything_that_was_measured_is_on_the_page()
    {
        string page = Page(Whole(2, "ioi", "sva"));
        foreach (string title in new[] { "Curves", "CMD and CPR", "Measures by size", "Stability", "Transfer between tasks", "Units",
            "Columns of the table", "Provenance" })
            Assert.Contains($"<h2>{title}</h2>", page, StringComparison.Ordinal);
        Assert.DoesNotContain("Failed units", page, StringComparison.Ordinal);
        Assert.DoesNotContain("Overlap of edges", page, StringComparison.Ordinal);

        // The first measure by size along curves and of circuits, and the first matrix.
        Assert.Equal(3, Regex.Count(page, "<details open>"));

        // Along the curve, of circuits, and KL of circuits; each for two tasks.
        Assert.Equal(6, Regex.Count(page, "<svg "));
        Assert.Contains(">12 of 16 units done, 0 failed, 4 open<", page, StringComparison.Ordinal);
        Assert.Contains("2025-01-31T12:00:00Z to 2025-01-31T12:00:00Z", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_and_paths_are_escaped()
    {
        const string Nasty = "<script>\"&'";
        SweepUnit unit = Unit(new(Nasty, "score", [(Nasty, Nasty)], 1), Nasty, 0, 0, Nasty, Nasty);
        MergeInput input = Input((unit, Result(unit, 0.5, Row("curve", 0.5, 0.05, Nasty), Row("curve", 0.5, 0.1, Nasty)))) with
        {
            FilesOf = _ => [new(Nasty, $"javascript:alert(1)/{Nasty}/../a b.json")],
            Failed = [new(unit, Nasty)],
        };
        string page = Page(input with { Plan = input.Plan with { Name = Nasty } });
        Assert.DoesNotContain("<script", page, StringComparison.Ordinal);
        Assert.DoesNotContain("javascript:", page, StringComparison.Ordinal);
        Assert.Contains("href=\"javascript%3Aalert%281%29/%3Cscript%3E%22%26%27/../a%20b.json\"", page, StringComparison.Ordinal);
        Assert.Contains("<title>&lt;script&gt;&quot;&amp;&#39;</title>", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Values_that_are_not_defined_and_one_seed_draw_no_bands()
    {
        SweepUnit a = Unit(Eap, "ioi", 0, 0), b = Unit(EapIg, "ioi", 0, 1);
        string page = Page(Input(
            (a, Result(a, double.NaN, Row("curve", double.NaN, 0.05), Row("curve", double.NaN, 0.1))),
            (b, Result(b, 0.5, Row("curve", 0.2, 0.05), Row("curve", 0.4, 0.1)))));
        Assert.DoesNotContain("fill-opacity=", page, StringComparison.Ordinal);
        Assert.DoesNotContain("=\"NaN", page, StringComparison.Ordinal);
        Assert.Contains(">undefined</td>", page, StringComparison.Ordinal);
        Assert.Contains("one seed, no interval", page, StringComparison.OrdinalIgnoreCase);
    }

    // Drawings are made for white paper; a colour without a rule would stay as it is on a dark page.
    [Fact]
    public void Every_colour_of_a_drawing_has_one_in_the_page()
    {
        ChartLine[] lines = [.. Enumerable.Range(0, 24).Select(i => new ChartLine($"{i}", [new(0, i, i, i), new(1, i, i, i)]))];
        string chart = LineChart.Draw("t", ChartAxis.Linear("x", 0, 1), ChartAxis.Linear("y", 0, 24), lines);
        string sheet = SweepPageStyle.Sheet();
        foreach (Match colour in Regex.Matches(chart, "(stroke|fill)=\"#[0-9a-f]{6}\""))
        {
            // Text has the colour that the report's style gives it.
            if (colour.Value == "fill=\"#1c1f23\"") continue;
            Assert.Contains($".chart [{colour.Value}]", sheet, StringComparison.Ordinal);
        }
    }

    // The second method lacks a task, the third curves.
    [Fact]
    public void A_method_has_one_colour_in_all_drawings()
    {
        MergeInput whole = Whole(1, "ioi", "sva");
        string page = Page(whole with { Done = [.. whole.Done.Where(d => d.Unit.Method != Eap || d.Unit.Task.Name != "ioi")] });
        Dictionary<string, HashSet<string>> colours = [];
        foreach (Match line in Regex.Matches(page, "h36\" stroke=\"(#[0-9a-f]{6})\".*\n.*\n<text[^>]*>([^<]*)</text>"))
        {
            if (!colours.TryGetValue(line.Groups[2].Value, out HashSet<string>? of)) colours[line.Groups[2].Value] = of = [];
            of.Add(line.Groups[1].Value);
        }
        Assert.Equal(3, colours.Count);
        Assert.All(colours, c => Assert.Single(c.Value));
        Assert.Equal(3, colours.SelectMany(c => c.Value).Distinct().Count());
    }

    [SkippableTheory]
    [InlineData(1100, 2)]
    [InlineData(1400, 2)]
    [InlineData(800, 1)]
    public void Drawings_stand_in_two_columns_where_there_is_room(int width, int columns)
    {
        browser.Require();
        using TempFolder folder = new();
        SweepMerge.Write(Whole(2, "ioi", "greater-than"), new MergeTargets { Page = folder["index.html"] });
        browser.Resize(width, 900);
        browser.Open(folder["index.html"]);
        Assert.Equal(columns, browser.Script<int>(
            "new Set([...document.querySelector('.chart-pair').children].map(c => c.getBoundingClientRect().left)).size"));
        Assert.Equal(0, browser.Script<int>("[...document.querySelectorAll('.chart')].filter(c => c.scrollWidth > c.clientWidth).length"));
    }

    [SkippableTheory]
    [InlineData(400, true)]
    [InlineData(400, false)]
    [InlineData(1400, true)]
    public void The_page_fits_its_window(int width, bool dark)
    {
        browser.Require();
        using TempFolder folder = new();
        MergeInput input = Whole(5, "ioi", "greater-than", "a-task-of-a-long-name-from-a-file") with
        {
            Failed = [new(Unit(Eap, "ioi", 9, 99), "C:\\" + new string('x', 200))],
        };
        SweepMerge.Write(input, new MergeTargets { Page = folder["index.html"] });
        browser.Resize(width, 900);
        browser.PreferDark(dark);
        browser.Open(folder["index.html"]);
        Assert.Empty(browser.Errors);
        Assert.Equal(0, browser.Script<int>("document.documentElement.scrollWidth - document.documentElement.clientWidth"));
        Assert.Equal(dark ? "rgb(18, 20, 23)" : "rgb(246, 246, 244)",
            browser.Script<string>("getComputedStyle(document.body).backgroundColor"));
        Assert.Equal(dark ? "rgb(86, 180, 233)" : "rgb(0, 114, 178)",
            browser.Script<string>("getComputedStyle(document.querySelector('.chart [stroke=\"#0072b2\"]')).stroke"));
    }

    private static string Page(MergeInput input) =>
        SweepPage.Of(input, SweepTable.Of(input.Plan.Name, input.Done), SeedStatistics.Of(input));
}
