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
        Cli run = Cli.Run(["circuit", "--scores", model.Scores(), "--out", file, .. options.Split(' ')]);
        string[] mentions = ["selected", "pruned", file, "eap", "46"];
        run = selected == 0 ? run.Warns("has no edges: it is the model with everything ablated", mentions) : run.Succeeds(mentions);
        Circuit circuit = CircuitFile.Read(file);
        if (selected is { } n) Assert.Equal(n, circuit.EdgesBeforePrune);
        Assert.Equal(circuit.EdgeCount, CircuitPruning.Prune(circuit).EdgeCount);
        Assert.Contains($" {circuit.EdgeCount} ", run.Out, StringComparison.Ordinal);
        Provenance p = circuit.Provenance!;
        Assert.Equal(("eap", circuit.EdgesBeforePrune, circuit.EdgeCount), (p.Method, p.EdgesBeforePrune!.Value, p.EdgesInCircuit!.Value));
        Assert.Equal((select, options.Contains("--signed", StringComparison.Ordinal), true),
            ((string)p.Selection!["select"]!, (bool)p.Selection["signed"]!, (bool)p.Selection["pruned"]!));
        Assert.Equal(ScoreFile.Read(model.Scores()).Values, circuit.Scores!.Values);
    }

    [Fact]
    public void Without_pruning_every_selected_edge_stays()
    {
        string file = model.Path("whole.safetensors");
        Cli run = Cli.Run("circuit", "--scores", model.Scores(), "--top-n", "7", "--no-prune", "--out", file).Succeeds();
        Assert.DoesNotContain("pruned", run.Out, StringComparison.Ordinal);
        Circuit circuit = CircuitFile.Read(file);
        Assert.Equal((7, 7), (circuit.EdgesBeforePrune, circuit.EdgeCount));
        Assert.False((bool)circuit.Provenance!.Selection!["pruned"]!);
    }

    [Fact]
    public void An_unconnected_selection_is_explained()
    {
        EdgeScores scores = ScoreFile.Read(model.Scores());
        float[] values = new float[scores.Values.Length];
        values[0] = 1;
        ScoreFile.Write(model.Path("one.json"), new EdgeScores(scores.Graph, values));
        Cli.Run("circuit", "--scores", model.Path("one.json"), "--top-n", "1").Warns("no path leads from the input to the logits");

        // A ranking of zeros is by position.
        Cli.Run("circuit", "--scores", model.Path("one.json"), "--top-n", "3", "--no-prune")
            .Warns("2 of the 3 selected edges have a score of 0");
        ScoreFile.Write(model.Path("zero.json"), new EdgeScores(scores.Graph, new float[values.Length]));
        Cli.Run("circuit", "--scores", model.Path("zero.json"), "--top-n", "3", "--no-prune").Warns("by position alone");
    }

    [Theory]
    [InlineData("", "one of --top-n")]
    [InlineData("--top-n 3 --greedy 3", "--greedy and --top-n exclude each other")]
    [InlineData("--top-n -1", "--top-n -1")]
    [InlineData("--top-n 3 --fill --no-prune", "--fill")]
    [InlineData("--nodes 3 --fill", "not with --nodes")]
    [InlineData("--greedy -1", "--greedy -1")]
    [InlineData("--nodes -1", "--nodes -1")]
    [InlineData("--threshold NaN", "--threshold")]
    [InlineData("--top-n 3 --out c.csv", "--out", ".csv")]
    [InlineData("--top-n 3 --out nowhere/c.json", "--out", "does not exist")]
    [InlineData("--top-n many", "--top-n many: 'many' is not a whole number")]
    public void A_wrong_option_is_named(string options, params string[] mentions) =>
        Cli.Run(["circuit", "--scores", "none.json", .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries)]).Fails(2, mentions);

    [Fact]
    public void What_the_scores_do_not_have_is_an_error()
    {
        Cli.Run("circuit", "--scores", model.Path("none.json"), "--top-n", "3").Fails(1, "none.json", "no such file");
        Cli.Run("circuit", "--scores", model.Scores(), "--top-n", "47").Fails(2, "--top-n 47: must be at most 46", "eap-scores.json");
        Cli.Run("circuit", "--scores", model.Scores(), "--nodes", "8").Fails(2, "--nodes 8: must be at most 7");
        Cli.Run("circuit", "--top-n", "3").Fails(2, "--scores is needed");
    }
}
