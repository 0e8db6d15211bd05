using System.Globalization;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Host.Tests;

public sealed class StabilityTests(TinyModel model) : IClassFixture<TinyModel>
{
    [Fact]
    public void Stability_is_shown_written_and_drawn()
    {
        string csv = model.Path("stability.csv"), svg = model.Path("stability.svg"), core = model.Path("core.json");
        Cli.Run("stability", "--per-item", model.PerItem(), "--sizes", "5,15", "--resamples", "40", "--table", csv, "--picture", svg)
            .Succeeds("40 data sets drawn from 6 prompt pairs", "Spearman", "Jaccard", "among 5", "among 15", csv, svg);
        string[][] rows = [.. File.ReadAllLines(csv).Skip(1).Select(l => l.Split(','))];
        foreach (int size in new[] { 5, 15 })
        {
            // Every data set has so many strongest edges.
            string[][] own = [.. rows.Where(r => r[0] == $"{size}")];
            Assert.Equal(size, own.Sum(r => Number(r[6])), 9);
            Assert.All(own, r =>
            {
                Assert.InRange(Number(r[6]), 1 / 40.0, 1);
                Assert.Equal(Number(r[6]) >= 0.9 ? "core" : Number(r[6]) >= 0.1 ? "contingent" : "noise", r[7]);
                Assert.True(Number(r[4]) <= Number(r[5]));
            });
        }
        Assert.Equal(2, XDocument.Load(svg).Descendants().Count(e => e.Value.Contains("core (0.9", StringComparison.Ordinal)
            && e.Name.LocalName == "text"));
        Cli.Run("stability", "--per-item", model.PerItem(), "--sizes", "15", "--resamples", "40", "--out", core).Succeeds(core);
        Circuit circuit = Circuit.Load(core);
        Assert.Equal(rows.Where(r => r[0] == "15" && r[7] == "core").Select(r => r[1]).Order(),
            circuit.Edges.Select(e => circuit.Graph.EdgeName(e.Row, e.Column)).Order());
        Cli.Run("evaluate", "--circuit", core, "--model", model.ModelDirectory, "--data", model.Pairs, "--threads", "1").Succeeds();
    }

    [Fact]
    public void Scores_per_pair_have_the_mean_that_score_writes()
    {
        string items = model.Path("half.safetensors"), scores = model.Path("of-items.json");
        Cli.Run("score", "--model", model.ModelDirectory, "--data", model.Pairs, "--threads", "1", "--method", "eap-ig", "--per-item",
            items, "--per-item-type", "f16", "--out", scores).Succeeds(items);
        JsonArray edges = JsonNode.Parse(Cli.Run("stability", "--per-item", items, "--sizes", "3", "--json").Succeeds().Out)!
            ["tables"]!["edges"]!.AsArray();
        var all = EdgeScores.Load(scores);
        foreach (JsonNode? edge in edges)
        {
            Assert.True(all.Graph.TryParseEdge(edge!["edge"]!.GetValue<string>(), out int row, out int column));
            float whole = all.Values[all.IndexOf(row, column)];
            Assert.Equal(whole, edge["score"]!.GetValue<float>(), Math.Abs(whole) * 2e-3f);
        }
    }

    [Fact]
    public void Scores_of_some_edges_are_kept_and_ranked_alone()
    {
        string items = model.Path("some.safetensors"), of = model.Circuit("twelve.json", 12, "--no-prune");
        string[] score = ["score", "--model", model.ModelDirectory, "--data", model.Pairs, "--threads", "1", "--method", "eap"];
        Cli.Run([.. score, "--per-item", items, "--per-item-edges", of]).Succeeds(items);
        Assert.True(new FileInfo(items).Length < new FileInfo(model.PerItem()).Length);
        Cli.Run("stability", "--per-item", items, "--sizes", "5").Succeeds("the 12 edges of the file", "among 5");
        Cli.Run("stability", "--per-item", items, "--sizes", "13").Fails(2, "--sizes 13", "scores of 12 edges");
        Cli.Run([.. score, "--per-item-edges", of]).Fails(2, "--per-item-edges needs --per-item");
        string none = model.Path("none.json");
        Circuit.Of(Circuit.Load(of).Graph, []).Save(none);
        Cli.Run([.. score, "--per-item", items, "--per-item-edges", none]).Fails(2, $"--per-item-edges {none}", "no edges");
        Cli.Run([.. score, "--per-item", items, "--per-item-edges", model.Path("absent.json")]).Fails(1, "absent.json");
        string other = model.Path("other.json");
        Circuit.Of(new ComputationGraph(1, 1), [(0, 0)]).Save(other);
        Cli.Run([.. score, "--per-item", items, "--per-item-edges", other]).Fails(1, "other.json");
    }

    [Theory]
    [InlineData("--resamples 1", "--resamples 1")]
    [InlineData("--sizes 0", "--sizes 0")]
    [InlineData("--sizes 5,10 --out core.json", "--out", "one number")]
    [InlineData("--sizes 5 --by template", "gradpath: --by template: the prompt pairs have no labels", ".safetensors")]
    [InlineData("--sizes 47", "--sizes 47", "46")]
    [InlineData("--resamples 5", "--sizes 100", "46 edges")]
    public void A_wrong_option_is_named(string options, params string[] mentions) =>
        Cli.Run(["stability", "--per-item", model.PerItem(), .. options.Split(' ')]).Fails(2, mentions);

    [Theory]
    [InlineData("--per-item-type f16", "--per-item-type", "--per-item")]
    [InlineData("--per-item i.safetensors --per-item-type f64", "--per-item-type f64", "f16")]
    [InlineData("--per-item i.json", "--per-item i.json", ".safetensors")]
    [InlineData("--per-item i.safetensors --method exact", "--method exact", "eap-gp")]
    [InlineData("--per-item i.safetensors --batch-size 4", "--batch-size 4", "use 1")]
    public void A_wrong_option_of_score_is_named(string options, params string[] mentions) =>
        Cli.Run(["score", "--model", "nothing", "--data", "p.jsonl", .. options.Split(' ')]).Fails(2, mentions);

    [Fact]
    public void What_holds_no_scores_per_pair_is_refused()
    {
        string one = model.Path("one.safetensors");
        Cli.Run("stability", "--per-item", model.Path("none.safetensors")).Fails(1, "none.safetensors", "no such file");
        Cli.Run("score", "--model", model.ModelDirectory, "--data", model.Pairs, "--limit", "1", "--threads", "1", "--per-item", one)
            .Succeeds();
        Cli.Run("stability", "--per-item", one, "--sizes", "5").Fails(1, "single prompt pair");
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
