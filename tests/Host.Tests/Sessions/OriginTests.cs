using System.Text.Json.Nodes;

namespace Gradpath.Host.Tests;

/// <summary>Files that were made with something else than what they are used with, and results that say nothing.</summary>
public sealed class OriginTests(TinyModel model) : IClassFixture<TinyModel>
{
    private static readonly string[] s_options = ["--model", "demo", "--task", "ioi", "--limit", "2"];

    [Fact]
    public void Another_model_is_a_warning_and_with_strict_an_error()
    {
        string circuit = Changed("model_hash", "sha256:0123456789abcdef");
        Use("evaluate", circuit).Warns($"{circuit} was made with another model (model, 0123456789ab) than this run (model, ");
        Use("evaluate", circuit, "--strict").Fails(1, "another model", "(an error because of --strict)");
        Cli.Run("compare", "--circuit", model.Circuit("same.json", 10), "--with", circuit).Warns("another model");
        Cli.Run("report", "--scores", $"{model.Scores()},{circuit}", "--out", model.Path("two.html")).Warns("another model");
    }

    [Fact]
    public void Another_task_is_a_warning_and_other_prompts_are_a_note()
    {
        Cli.Run(["score", "--method", "eap", "--out", model.Path("demo.json"), .. s_options]).Succeeds();
        string circuit = model.Path("c.json");
        Cli.Run("circuit", "--scores", model.Path("demo.json"), "--top-n", "50", "--out", circuit).Succeeds();
        string[] evaluate = ["evaluate", "--circuit", circuit, "--model", "demo"];
        Cli.Run([.. evaluate, "--task", "gender-bias", "--limit", "2"])
            .Warns("was made for another task (ioi) than this run (gender-bias)");
        Cli more = Cli.Run([.. evaluate, "--task", "ioi", "--limit", "3"]).Succeeds();
        Assert.Contains("note: ", more.Error, StringComparison.Ordinal);
        Assert.Contains("was made from other prompts (generated: ioi, count 2, seed 0)", more.Error, StringComparison.Ordinal);
        Assert.Equal("", Cli.Run([.. evaluate, "--task", "ioi", "--limit", "2"]).Succeeds().Error);
        Cli.Run([.. evaluate, "--task", "ioi", "--limit", "3", "--strict"]).Fails(1, "other prompts");
    }

    [Theory]
    [InlineData("completeness", "--random 1 --greedy-runs 0")]
    [InlineData("minimality", "--random 1")]
    [InlineData("test-circuit", "--random 1")]
    [InlineData("evaluate", "")]
    public void Every_command_that_reads_a_circuit_looks(string verb, string options) =>
        Use(verb, Changed("model_hash", "sha256:00"), options.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Warns("another model");

    [Fact]
    public void Every_command_that_reads_scores_looks()
    {
        string scores = Changed("model_hash", "sha256:00", model.Scores());
        string[] run = ["--model", model.ModelDirectory, "--data", model.Pairs, "--scores", scores];
        Cli.Run(["curve", .. run]).Warns("another model");
        Cli.Run(["acdc", "--order", "score", "--tau", "0.1", "--out", model.Path("acdc.json"), .. run]).Warns("another model");
        Cli.Run(["hap", "--steps", "5", "--sparsity", "0.8", "--out", model.Path("hap.json"), .. run]).Warns("another model");
        Cli.Run(["edge-prune", "--steps", "5", "--sparsity", "0.8", "--out", model.Path("warm.json"), "--init", scores, .. run[..^2]])
            .Warns("another model");
    }

    [Fact]
    public void A_distance_has_no_scores_at_the_clean_prompts()
    {
        string[] score = ["score", "--model", model.ModelDirectory, "--data", model.Pairs, "--metric", "kl", "--method"];
        Cli.Run([.. score, "eap"]).Fails(
            2, "--metric kl: EAP has no scores for it, as its gradient is 0 at the clean prompts", "use --method eap-ig");
        Cli.Run([.. score, "eap-ig"]).Succeeds();
    }

    [Fact]
    public void Scores_that_are_all_0_are_a_warning()
    {
        string data = model.Path("equal.jsonl");
        File.WriteAllText(data, """{"clean_ids":[1,2,3],"corrupted_ids":[1,2,3],"answer_ids":[3],"wrong_answer_ids":[4]}""");
        Cli run = Cli.Run("score", "--model", model.ModelDirectory, "--data", data, "--method", "eap");
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("warning: all scores are 0", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_search_that_ends_without_edges_says_so() => Cli.Run(
        "acdc", "--model", model.ModelDirectory, "--data", model.Pairs, "--tau", "1000", "--out", model.Path("none.json"))
        .Warns("the circuit of threshold 1000 has no edges");

    private Cli Use(string verb, string circuit, params string[] options) =>
        Cli.Run([verb, "--circuit", circuit, "--model", model.ModelDirectory, "--data", model.Pairs, .. options]);

    // A copy of a circuit's file whose provenance says something else.
    private string Changed(string key, string value, string? file = null)
    {
        JsonObject json = JsonNode.Parse(File.ReadAllText(file ?? model.Circuit("origin.json", 20)))!.AsObject();
        json["gradpath"]![key] = value;
        string changed = model.Path($"changed-{Guid.NewGuid():N}.json");
        File.WriteAllText(changed, json.ToJsonString());
        return changed;
    }
}
