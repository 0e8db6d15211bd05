using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Host.Tests;

public sealed class CircuitTests(TinyModel model) : IClassFixture<TinyModel>
{
    [Theory]
    [InlineData("--top-n 12", "top-n", 12)]
    [InlineData("--greedy 12", "greedy", 12)]
    [InlineData("--top-n 12 --signed", "top-n", 12)]
    [InlineData("--top-n 12 --fill", "top-n", null)]
    [InlineData("--nodes 3", "nodes", null)]
    [InlineData("--threshold 0", "threshold", 46)]
    [InlineData("--threshold 1e9", "threshold", 0)]
    public void A_circuit_is_selected_pruned_and_written(string options, string select, int? selected)
    {
        string file = model.Path($"{select}.json");
        Cli run = Cli.Run(["circuit", "--scores", Scores(), "--out", file, .. options.Split(' ')]).Succeeds("selected", "pruned", file, "eap", "46");
        Circuit circuit = CircuitFile.Read(file);
        if (selected is { } n) Assert.Equal(n, circuit.EdgesBeforePrune);
        Assert.Equal(circuit.EdgeCount, CircuitPruning.Prune(circuit).EdgeCount);
        Assert.Contains($" {circuit.EdgeCount} ", run.Out, StringComparison.Ordinal);
        Provenance p = circuit.Provenance!;
        Assert.Equal(("eap", circuit.EdgesBeforePrune, circuit.EdgeCount), (p.Method, p.EdgesBeforePrune!.Value, p.EdgesInCircuit!.Value));
        Assert.Equal((select, options.Contains("--signed", StringComparison.Ordinal), true), ((string)p.Selection!["select"]!, (bool)p.Selection["signed"]!, (bool)p.Selection["pruned"]!));
        Assert.Equal(ScoreFile.Read(Scores()).Values, circuit.Scores!.Values);
    }

    [Fact]
    public void Without_pruning_every_selected_edge_stays()
    {
        string file = model.Path("whole.safetensors");
        Cli run = Cli.Run("circuit", "--scores", Scores(), "--top-n", "7", "--no-prune", "--out", file).Succeeds();
        Assert.DoesNotContain("pruned", run.Out, StringComparison.Ordinal);
        Circuit circuit = CircuitFile.Read(file);
        Assert.Equal((7, 7), (circuit.EdgesBeforePrune, circuit.EdgeCount));
        Assert.False((bool)circuit.Provenance!.Selection!["pruned"]!);
    }

    [Fact]
    public void An_unconnected_selection_is_explained()
    {
        EdgeScores scores = ScoreFile.Read(Scores());
        float[] values = new float[scores.Values.Length];
        values[0] = 1;
        ScoreFile.Write(model.Path("one.json"), new EdgeScores(scores.Graph, values));
        Cli.Run("circuit", "--scores", model.Path("one.json"), "--top-n", "1").Succeeds("No path leads", "--greedy");
    }

    [Theory]
    [InlineData("", "one of --top-n")]
    [InlineData("--top-n 3 --greedy 3", "one of --top-n")]
    [InlineData("--top-n -1", "--top-n -1")]
    [InlineData("--top-n 3 --fill --no-prune", "--fill")]
    [InlineData("--nodes 3 --fill", "not with --nodes")]
    [InlineData("--greedy -1", "--greedy -1")]
    [InlineData("--nodes -1", "--nodes -1")]
    [InlineData("--threshold NaN", "--threshold")]
    [InlineData("--top-n 3 --out c.csv", "--out", ".csv")]
    [InlineData("--top-n 3 --out nowhere/c.json", "--out", "does not exist")]
    [InlineData("--top-n many", "'top-n'")]
    public void A_wrong_option_of_circuit_is_named(string options, params string[] mentions) =>
        Cli.Run(["circuit", "--scores", "none.json", .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries)]).Fails(2, mentions);

    [Fact]
    public void What_the_scores_do_not_have_is_an_error()
    {
        Cli.Run("circuit", "--scores", model.Path("none.json"), "--top-n", "3").Fails(1, "none.json", "no such file");
        Cli.Run("circuit", "--scores", Scores(), "--top-n", "47").Fails(1, "47 edges", "has 46");
        Cli.Run("circuit", "--scores", Scores(), "--nodes", "8").Fails(1, "8 nodes", "has 7");
        Cli.Run("circuit", "--top-n", "3").Fails(2, "'scores'");
    }

    [Fact]
    public void Circuits_are_compared()
    {
        string small = Select("small.json", 10), large = Select("large.json", 20);
        Cli run = Cli.Run("compare", "--circuit", small, "--with", large).Succeeds("precision", "recall", "Jaccard");
        Assert.Matches(@"edges\s+10\s+20\s+10\s+1\.000\s+0\.500\s+0\.667\s+0\.500", run.Out);
        Assert.Contains("MLPs left out", Cli.Run("compare", "--circuit", small, "--with", large, "--without-mlps").Succeeds().Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Scores_rank_their_own_circuit_first()
    {
        string curve = model.Path("roc.csv");
        Cli run = Cli.Run("compare", "--scores", Scores(), "--with", Select("own.json", 15), "--roc", curve).Succeeds("15 of 46 edges", "area under the ROC curve: 1.000", curve);
        Assert.Matches(@"15\s+\S+\s+15\s+1\.000\s+1\.000\s+1\.000\s+0\.000", run.Out);
        string[] lines = File.ReadAllLines(curve);
        Assert.Equal("threshold,edges,shared,false_positive_rate,true_positive_rate", lines[0]);
        Assert.Equal("inf,0,0,0,0", lines[1]);
        Assert.EndsWith(",46,15,1,1", lines[^1], StringComparison.Ordinal);
    }

    [SkippableFact]
    public void The_published_scores_are_compared_with_the_circuits_found_by_hand()
    {
        string scores = SharedFiles.Require("data/circuits/ioi-eap-ig.json");
        Cli.Run("compare", "--scores", scores, "--with", "ioi").Succeeds("963 of 32,491 edges", "area under the ROC curve");
        Cli.Run("compare", "--scores", scores, "--with", "greater-than").Succeeds("235 of 32,491 edges");
        Assert.Matches(@"edges\s+756\s+963\s+", Cli.Run("compare", "--circuit", scores, "--with", "ioi").Succeeds().Out);
    }

    [Theory]
    [InlineData("--with ioi", "--circuit or --scores")]
    [InlineData("--circuit a.json --scores b.json --with ioi", "--circuit or --scores")]
    [InlineData("--circuit a.json", "'with'")]
    [InlineData("--circuit a.json --with chess", "--with chess", "ioi and greater-than")]
    [InlineData("--circuit a.json --with ioi --roc r.csv", "--roc does not apply")]
    [InlineData("--scores a.json --with ioi --roc r.txt", "--roc", ".csv")]
    public void A_wrong_option_of_compare_is_named(string options, params string[] mentions) =>
        Cli.Run(["compare", .. options.Split(' ')]).Fails(2, mentions);

    [Fact]
    public void What_cannot_be_compared_is_an_error()
    {
        string own = Select("c.json", 5);
        Cli.Run("compare", "--circuit", own, "--with", "ioi").Fails(1, "2 layers x 2 heads", "12 layers x 12 heads");
        Cli.Run("compare", "--scores", own, "--with", "ioi").Fails(1, "2 layers x 2 heads", "12 layers x 12 heads");
        Cli.Run("compare", "--circuit", Scores(), "--with", own).Fails(1, "no circuit", "gradpath circuit");
        Cli.Run("compare", "--circuit", own, "--with", model.Path("none.json")).Fails(1, "none.json", "no such file");
        Cli.Run("compare", "--scores", Scores(), "--with", Select("full.json", 46)).Fails(1, "46 of 46 edges");
    }

    private string Scores()
    {
        string file = model.Path("for-circuits.json");
        if (!File.Exists(file)) Cli.Run("score", "--model", model.ModelDirectory, "--data", model.Pairs, "--threads", "1", "--method", "eap", "--out", file).Succeeds();
        return file;
    }

    private string Select(string name, int n)
    {
        Cli.Run("circuit", "--scores", Scores(), "--top-n", $"{n}", "--no-prune", "--out", model.Path(name)).Succeeds();
        return model.Path(name);
    }
}
