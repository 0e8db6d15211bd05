using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Host.Tests;

/// <summary>What commands share that search.</summary>
public sealed class SearchRunTests(TinyModel model) : IClassFixture<TinyModel>
{
    [Theory]
    [InlineData("edge-prune")]
    [InlineData("edge-prune", "--init")]
    [InlineData("hap")]
    public void A_run_that_is_stopped_goes_on_with_the_same_result(string verb, string? start = null)
    {
        string[] from = start is null ? [] : [start, model.Scores()];
        string whole = model.Path($"{verb}-whole{start}.json"), parts = model.Path($"{verb}-parts{start}.json");
        string[] Options(string file) => [verb, "--model", model.ModelDirectory, "--data", model.Pairs, "--sparsity", "0.7", "--steps",
            "400", "--seed", "4", "--out", file, .. from];
        Cli.Run(Options(whole)).Succeeds();
        Cli stopped = Cli.StoppedWhen(p => p is { Total: 400, Done: 150 } or { Total: < 400, Done: 30 }, Options(parts));
        Assert.Equal(130, stopped.ExitCode);
        Assert.Contains("--resume goes on from there", stopped.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(parts));
        Cli.Run(Options(parts)).Fails(1, ".progress", "--resume");
        Cli.Run([.. Options(parts), "--resume", "--learning-rate", "0.7"]).Fails(1, "--learning-rate was 0.8 there and is 0.7 now");
        Cli.Run([.. Options(parts), "--resume"]).Succeeds();
        Assert.False(File.Exists(parts + ".progress"));
        Circuit expected = CircuitFile.Read(whole), actual = CircuitFile.Read(parts);
        Assert.Equal(expected.Membership.ToArray(), actual.Membership.ToArray());
        Assert.Equal(expected.Scores!.Values, actual.Scores!.Values);
    }

    [Theory]
    [InlineData("edge-prune --sparsity 1", "--sparsity 1", "below 1")]
    [InlineData("edge-prune --schedule cosine", "--schedule cosine", "logarithmic")]
    [InlineData("edge-prune --schedule logarithmic --target 1.1", "--schedule logarithmic")]
    [InlineData("edge-prune --node-target 0.5", "--node-masks")]
    [InlineData("edge-prune --steps 0", "--steps 0")]
    [InlineData("edge-prune --log steps.txt", ".csv")]
    [InlineData("hap --keep 0", "--keep 0")]
    [InlineData("hap --keep 0.02", "--keep 0.02", "--sparsity 0.95")]
    [InlineData("hap --scorer saliency", "--scorer saliency", "eap-ig")]
    [InlineData("hap --metric kl", "--metric kl: EAP has no scores for it")]
    [InlineData("hap --scorer eap-ig --ablation zero", "--ablation zero", "eap-ig")]
    public void Options_that_cannot_be_used_are_usage_errors(string options, params string[] mentions) =>
        Cli.Run([.. options.Split(' '), "--model", model.ModelDirectory, "--data", model.Pairs, "--out", model.Path("never.json")]).Fails(
            2, mentions);
}
