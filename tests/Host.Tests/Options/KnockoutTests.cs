using System.Text.Json;

namespace Gradpath.Host.Tests;

public sealed class KnockoutTests(TinyModel model) : IClassFixture<TinyModel>
{
    [Fact]
    public void Completeness_is_shown_and_written()
    {
        File.WriteAllText(model.Path("classes.json"), """{"early": ["m0", "a0.h0", "a0.h1"], "late": ["m1", "a1.h0", "a1.h1"]}""");
        string file = model.Path("completeness.json");
        Run("completeness", "--classes", model.Path("classes.json"), "--random", "5", "--greedy-runs", "2", "--greedy-iterations", "2", "--greedy-candidates", "2", "--out", file)
            .Succeeds("early", "late", "random halves: mean", "greedy searches, all steps: largest", "largest difference", file, "time: load");
        JsonElement json = JsonDocument.Parse(File.ReadAllBytes(file)).RootElement;
        JsonElement[] sets = [.. json.GetProperty("sets").EnumerateArray()];
        Assert.Equal(["empty", "class", "class", "random", "random", "random", "random", "random", "greedy", "greedy", "greedy", "greedy"], sets.Select(s => s.GetProperty("kind").GetString()));
        Assert.All(sets, s => Assert.Equal(Math.Abs(s.GetProperty("circuit").GetDouble() - s.GetProperty("model").GetDouble()), s.GetProperty("difference").GetDouble(), 12));
        Assert.Equal(sets.Max(s => s.GetProperty("difference").GetDouble()), json.GetProperty("largest_difference").GetDouble());
        Assert.Equal("early", sets[1].GetProperty("name").GetString());
        Assert.Equal("eap", json.GetProperty("gradpath").GetProperty("circuit").GetProperty("method").GetString());

        // The same seed draws the same sets.
        string again = model.Path("again.json");
        Run("completeness", "--classes", model.Path("classes.json"), "--random", "5", "--greedy-runs", "2", "--greedy-iterations", "2", "--greedy-candidates", "2", "--out", again).Succeeds();
        Assert.Equal(json.GetProperty("sets").GetRawText(), JsonDocument.Parse(File.ReadAllBytes(again)).RootElement.GetProperty("sets").GetRawText());
    }

    [Fact]
    public void Minimality_is_shown_and_written()
    {
        string file = model.Path("minimality.json");
        Run("minimality", "--random", "3", "--greedy-runs", "1", "--greedy-iterations", "2", "--out", file).Succeeds("node v", "set K", "over 5 sets", file);
        JsonElement json = JsonDocument.Parse(File.ReadAllBytes(file)).RootElement;
        JsonElement[] nodes = [.. json.GetProperty("nodes").EnumerateArray()];
        Assert.Equal(json.GetProperty("n_nodes").GetInt32() - 1, nodes.Length);
        double[] differences = [.. nodes.Select(n => n.GetProperty("difference").GetDouble())];
        Assert.Equal(differences.OrderDescending(), differences);
        Assert.All(nodes, n =>
        {
            Assert.Equal(Math.Abs(n.GetProperty("without_set_and_node").GetDouble() - n.GetProperty("without_set").GetDouble()), n.GetProperty("difference").GetDouble(), 12);
            Assert.DoesNotContain(n.GetProperty("node").GetString(), n.GetProperty("set").EnumerateArray().Select(s => s.GetString()));
        });
        Run("minimality").Succeeds("over 11 sets");
    }

    [Theory]
    [InlineData("--random -1", "--random -1")]
    [InlineData("--greedy-runs -1", "--greedy-runs -1")]
    [InlineData("--greedy-iterations 0", "--greedy-iterations 0")]
    [InlineData("--greedy-candidates 0", "--greedy-candidates 0")]
    [InlineData("--out r.csv", "--out r.csv", ".json")]
    [InlineData("--metric f1", "--metric f1")]
    public void A_wrong_option_is_named(string options, params string[] mentions)
    {
        foreach (string verb in new[] { "completeness", "minimality" })
            Cli.Run([verb, "--circuit", "c.json", "--model", "nothing", "--data", "p.jsonl", .. options.Split(' ')]).Fails(2, mentions);
    }

    [Fact]
    public void Classes_that_cannot_be_used_are_explained()
    {
        Run("completeness", "--classes", model.Path("none.json")).Fails(1, "none.json", "no such file");
        File.WriteAllText(model.Path("wrong.json"), """{"early": ["a9.h9"]}""");
        Run("minimality", "--classes", model.Path("wrong.json")).Fails(1, "wrong.json", "early", "a9.h9");
    }

    private Cli Run(string verb, params string[] options)
    {
        string scores = model.Path("scores.json"), circuit = model.Path("circuit.json");
        Cli.Run("score", "--model", model.ModelDirectory, "--data", model.Pairs, "--method", "eap", "--threads", "1", "--out", scores).Succeeds();
        Cli.Run("circuit", "--scores", scores, "--top-n", "25", "--out", circuit).Succeeds();
        return Cli.Run([verb, "--circuit", circuit, "--model", model.ModelDirectory, "--data", model.Pairs, "--threads", "1", .. options]);
    }
}
