using System.Globalization;
using System.Text.Json;
using System.Xml.Linq;

namespace Gradpath.Host.Tests;

public sealed class TestCircuitTests(TinyModel model) : IClassFixture<TinyModel>
{
    private static readonly string[] s_tests =
        ["equivalence", "non-equivalence", "independence", "minimality", "sufficiency", "partial-necessity"];

    [Fact]
    public void Tests_are_shown_written_and_drawn()
    {
        string file = model.Path("tests.json"), csv = model.Path("tests.csv"), svg = model.Path("tests.svg");
        Cli run = Run("--random", "19", "--permutations", "99", "--out", file, "--table", csv, "--picture", svg).Succeeds(
            [.. s_tests, "of the 17 edges of the circuit, those whose p", "H0: ",
                 "power ", "smallest p that 19 draws can give: 0.0500", file, csv, svg]);
        JsonElement json = JsonDocument.Parse(File.ReadAllBytes(file)).RootElement;
        JsonElement[] tests = [.. json.GetProperty("tests").EnumerateArray()], edges = [.. json.GetProperty("edges").EnumerateArray()];
        Assert.Equal(s_tests, tests.Select(t => t.GetProperty("test").GetString()));
        Assert.Equal(json.GetProperty("n_edges").GetInt32(), edges.Length);
        Assert.All(tests, t =>
        {
            double p = t.GetProperty("p_value").GetDouble();
            Assert.Equal(p <= 0.05, t.GetProperty("rejected").GetBoolean());
            Assert.InRange(p, t.GetProperty("smallest_p").GetDouble() - 1e-9, 1);
            Assert.Contains(Sizes.Number(p), run.Out, StringComparison.Ordinal);
        });

        // Ranks among the draws that the file has.
        double[] Drawn(string test) => [.. json.GetProperty("random").GetProperty(test).EnumerateArray().Select(v => v.GetDouble())];
        foreach ((string test, string own) in new[] { ("sufficiency", "faithfulness"), ("partial-necessity", "damage") })
        {
            double value = json.GetProperty(own).GetDouble();
            Assert.Equal(19, Drawn(test).Length);
            Assert.Equal((1 + Drawn(test).Count(v => v >= value)) / 20.0,
                tests[Array.IndexOf(s_tests, test)].GetProperty("p_value").GetDouble(), 12);
        }
        Assert.All(edges, e =>
        {
            double change = e.GetProperty("change").GetDouble();
            Assert.Equal((1 + Drawn("minimality").Count(v => v >= change)) / 20.0, e.GetProperty("p_value").GetDouble(), 12);
        });

        string[][] rows = [.. File.ReadAllLines(csv).Select(l => l.Split(','))];
        Assert.Equal(1 + 6 + edges.Length, rows.Length);
        Assert.Equal(tests.Select(t => t.GetProperty("p_value").GetDouble()),
            rows.Skip(1).Take(6).Select(r => double.Parse(r[3], CultureInfo.InvariantCulture)));
        Assert.Equal(edges.Select(e => e.GetProperty("edge").GetString()), rows.Skip(7).Select(r => r[1]));

        // Every draw is in a bar, and the circuit and its edges are marks.
        XElement[] parts = [.. XDocument.Load(svg).Descendants()];
        int Bars(XElement e) => int.Parse(e.Value.Split(' ')[0], CultureInfo.InvariantCulture);
        Assert.Equal(3 * 19, parts.Where(e => (string?)e.Attribute("class") == "bar").Sum(Bars));
        Assert.Equal(edges.Length + 2, parts.Count(e => (string?)e.Attribute("class") == "mark"));
    }

    [Fact]
    public void Seeds_corrections_and_samples_are_taken()
    {
        string[] files = [.. Enumerable.Range(0, 3).Select(i => model.Path($"seed{i}.json"))];
        string[] options = ["--tests", "minimality", "--edges", "4", "--random", "9"];
        Run([.. options, "--seed", "1", "--out", files[0]]).Succeeds(
            "of the 4 edges tested, those whose p, adjusted by benjamini-hochberg, is at most 0.05",
            "An edge is needed where that is more than nearly all random edges change");
        Run([.. options, "--seed", "1", "--out", files[1]]).Succeeds();
        Run([.. options, "--seed", "2", "--correction", "holm", "--out", files[2]]).Succeeds(
            "by holm", "minimality cannot be rejected at 0.05: the smallest p-value is 0.1000; it takes more --random",
            "Holm's correction finds no edge needed", "it takes --random 79");
        string[] edges = [.. files.Select(f => JsonDocument.Parse(File.ReadAllBytes(f)).RootElement.GetProperty("edges").GetRawText())];
        Assert.Equal(edges[0], edges[1]);
        Assert.NotEqual(edges[0], edges[2]);
    }

    [Theory]
    [InlineData("--alpha 0", "--alpha 0")]
    [InlineData("--alpha 0.6", "--alpha 0.6")]
    [InlineData("--tolerance 0.5", "--tolerance 0.5")]
    [InlineData("--random 0", "--random 0")]
    [InlineData("--permutations 0", "--permutations 0")]
    [InlineData("--edges 0", "--edges 0")]
    [InlineData("--correction bonferroni", "--correction bonferroni", "holm")]
    [InlineData("--tests faithfulness", "--tests faithfulness", "sufficiency")]
    [InlineData("--tests equivalence --random 5", "--random", "sufficiency")]
    [InlineData("--tests equivalence --picture p.svg", "--picture", "sufficiency")]
    [InlineData("--tests sufficiency --edges 5", "--edges", "minimality")]
    [InlineData("--tests sufficiency --tolerance 0.2", "--tolerance", "equivalence")]
    [InlineData("--out r.csv", "--out r.csv", ".json")]
    public void A_wrong_option_is_named(string options, params string[] mentions) =>
        Cli.Run(["test-circuit", "--circuit", "c.json", "--model", "nothing", "--data", "p.jsonl", .. options.Split(' ')])
            .Fails(2, mentions);

    [Fact]
    public void What_cannot_be_tested_is_explained()
    {
        Run("--metric", "kl").Fails(2, "--metric kl", "nothing does better");
        string all = model.Circuit("all.json", 46, "--no-prune");
        string[] prompted = ["--model", model.ModelDirectory, "--data", model.Pairs, "--threads", "1"];
        Cli.Run(["test-circuit", "--circuit", all, .. prompted]).Fails(1, "every edge");
        Cli.Run(["test-circuit", "--circuit", all, "--tests", "equivalence,sufficiency", "--random", "3", .. prompted]).Succeeds();
    }

    [Fact]
    public void A_run_that_is_stopped_writes_nothing()
    {
        string file = model.Path("stopped.json");
        Cli run = Cli.StoppedWhen(p => p.Done > 0, "test-circuit", "--circuit", model.Circuit("circuit.json", 25), "--model",
            model.ModelDirectory, "--data", model.Pairs, "--threads", "1", "--out", file);
        Assert.Equal(130, run.ExitCode);
        Assert.False(File.Exists(file));
    }

    private Cli Run(params string[] options) => Cli.Run(
        ["test-circuit", "--circuit", model.Circuit("circuit.json", 25), "--model", model.ModelDirectory, "--data", model.Pairs,
            "--threads", "1", .. options]);
}
