using System.Text.Json.Nodes;

namespace Gradpath.Host.Tests;

/// <summary><c>--skip</c>, <c>--sample</c> and <c>--split</c> of the verbs that take prompts.</summary>
public sealed class ChosenPromptsTests(TinyModel model) : IClassFixture<TinyModel>
{
    [Fact]
    public void A_circuit_is_found_on_one_half_and_judged_on_the_other()
    {
        string scores = model.Path("train.json"), circuit = model.Path("found.json");
        string[] on = ["--model", model.ModelDirectory, "--data", model.Pairs, "--threads", "1"];
        JsonNode scored = Made(["score", .. on, "--method", "eap", "--split", "train", "--out", scores]);
        Assert.Equal(3, scored["items"]!.GetValue<int>());
        Assert.Equal($"{model.Pairs}, train half of 6 pairs", scored["data"]!.GetValue<string>());
        Cli.Run("circuit", "--scores", scores, "--top-n", "12", "--out", circuit).Succeeds();
        foreach (string[] command in new string[][] { ["curve", "--scores", scores], ["evaluate", "--circuit", circuit] })
        {
            JsonNode judged = Made([.. command, .. on, "--split", "Judge"]);
            Assert.Equal($"{model.Pairs}, judge half of 6 pairs", judged["data"]!.GetValue<string>());
        }
    }

    [Fact]
    public void Pairs_are_left_out_and_drawn()
    {
        string[] score = ["score", "--model", model.ModelDirectory, "--data", model.Pairs, "--threads", "1", "--method", "eap"];
        Assert.Equal($"{model.Pairs}, without the first 2", Made([.. score, "--skip", "2"])["data"]!.GetValue<string>());
        JsonNode drawn = Made([.. score, "--sample", "3", "--seed", "5"]);
        Assert.Equal((3, $"{model.Pairs}, 3 drawn with seed 5"), (drawn["items"]!.GetValue<int>(), drawn["data"]!.GetValue<string>()));
        Cli.Run([.. score, "--skip", "6"]).Fails(1, "--skip 6 leaves none of its 6 prompt pairs");
        Cli.Run([.. score, "--sample", "7"]).Fails(1, "--sample 7: there are 6 prompt pairs");
    }

    [Theory]
    [InlineData("score --model demo --task ioi --sample 5", "--sample 5: draws pairs of --data")]
    [InlineData("score --model demo --task ioi --split half", "--split half", "choose train or judge")]
    [InlineData("evaluate --model demo --task ioi --circuit c.json --skip -1", "--skip -1")]
    [InlineData("score --model demo --data d.jsonl --seed 3 --method eap", "--seed decides nothing")]
    [InlineData("benchmark --model demo --task ioi --out b --split train", "--split train: circuits are found on the first --train-limit")]
    [InlineData("transfer --model demo --tasks ioi,sva --split judge", "--split judge: circuits are found on the first half")]
    public void What_does_not_apply_is_named(string line, params string[] mentions) => Cli.Run(line.Split(' ')).Fails(2, mentions);

    [Fact]
    public void Prompts_are_written_with_their_metric()
    {
        string file = model.Path("greater.jsonl");
        Cli.Run("prompts", "--task", "greater-than", "--model", "demo", "--count", "4", "--out", file).Succeeds();
        Assert.All(File.ReadAllLines(file), line => Assert.Equal("prob-diff", JsonNode.Parse(line)!["metric"]!.GetValue<string>()));
        JsonNode made = Made(["score", "--model", "demo", "--data", file, "--threads", "1", "--method", "eap", "--top", "1"]);
        Assert.Equal("prob-diff", made["metric"]!.GetValue<string>());
    }

    private static JsonNode Made(string[] command) =>
        JsonNode.Parse(Cli.Run([.. command, "--json", "--quiet"]).Out)!["gradpath"] ?? throw new InvalidOperationException("no result");
}
