using System.Text.Json;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Host.Tests;

/// <summary>From the command line to the file: the numbers are those of the reference run.</summary>
public sealed class GoldenTests
{
    [Theory]
    [InlineData("EAP/logit_diff/per_item_mean", "--method", "eap")]
    [InlineData("EAP-IG-inputs/logit_diff/per_item_mean", "--method", "eap-ig")]
    [InlineData("EAP-IG-inputs/kl/per_item_mean", "--method", "eap-ig", "--metric", "kl")]
    [InlineData("clean-corrupted/logit_diff/per_item_mean", "--method", "clean-corrupted")]
    [InlineData("EAP-GP[k=5]/logit_diff/per_item_mean", "--method", "eap-gp", "--preset", "published")]
    [InlineData("EAP-GP[k=5,objective=metric]/logit_diff/per_item_mean", "--method", "eap-gp", "--preset", "published",
        "--path-objective", "metric")]
    [InlineData("EAP-GP[k=5,start=corrupted]/logit_diff/per_item_mean", "--method", "eap-gp", "--preset", "published",
        "--path-start", "corrupted")]
    [InlineData("EAP-GP[k=5,eta=match,outer=path]/logit_diff/per_item_mean", "--method", "eap-gp", "--preset", "published",
        "--path-eta", "match", "--path-outer",
        "path")]
    [InlineData("EAP[intervention=zero]/logit_diff/per_item_mean", "--method", "eap", "--ablation", "zero")]
    [InlineData("EAP[intervention=mean-positional]/logit_diff/per_item_mean", "--method", "eap", "--ablation", "mean-positional")]
    [InlineData("EAP/logit_diff/library_bs10", "--method", "eap", "--normalization", "library", "--batch-size", "10")]
    [InlineData("information-flow-routes/none/per_item_mean_zero_filled", "--method", "information-flow-routes")]
    [InlineData("exact/logit_diff/per_item_mean", "--method", "exact")]
    public void Scores_equal_the_reference(string key, params string[] options)
    {
        using JsonDocument golden = JsonDocument.Parse(File.ReadAllBytes(RepositoryFiles.Data("goldens/nano-sort/sort_k2/scores.json")));
        double[] expected = [.. golden.RootElement.GetProperty(key).GetProperty("matrix").EnumerateArray().SelectMany(row =>
            row.EnumerateArray()).Select(e => e.GetDouble())];

        using TempFolder folder = new();
        string file = folder["scores.safetensors"];
        Cli.Run(["score", "--model", RepositoryFiles.Data("models/nano-sort"), "--data",
            RepositoryFiles.Data("goldens/nano-sort/sort_k2/prompts.jsonl"), "--out", file, .. options]).Succeeds();
        float[] actual = ScoreFile.Read(file).Values.ToArray();
        double largest = expected.Max(Math.Abs);
        Assert.Equal(expected.Length, actual.Length);
        double error = expected.Zip(actual, (e, a) => Math.Abs(e - a)).Max() / largest;
        Assert.True(error < 1e-4, $"{key}: {error}");
    }
}
