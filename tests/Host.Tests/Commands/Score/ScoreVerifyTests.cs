using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Host.Tests;

public sealed class ScoreVerifyTests(TinyModel model) : IClassFixture<TinyModel>
{
    private string[] Options(params string[] further) =>
        ["score", "--model", model.ModelDirectory, "--data", model.Pairs, "--threads", "1", "--top", "0", .. further];

    [Fact]
    public void What_may_have_been_missed_is_bounded()
    {
        string[] verified = Options("--method", "atp-star", "--verify", "30", "--verify-found", "6", "--seed", "3");
        Cli.Run(verified).Succeeds(
            "30 random subsets of 4 on average of the 40 edges below the strongest 6, each edge in 3; ablation patching, at all positions; "
            + "seed 3", "with 95.0 % confidence no edge below changes the loss by more than", "edge below");
        JsonObject json = Json(verified), facts = json["facts"]!.AsObject();
        Assert.Equal(30, facts["verify_checks"]!.GetValue<int>());
        double limit = facts["verify_limit"]!.GetValue<double>(), gap = facts["verify_gap"]!.GetValue<double>();
        Assert.Equal(limit / Math.Abs(gap), facts["verify_limit_share"]!.GetValue<double>(), 9);
        JsonArray suspects = json["tables"]!["suspects"]!.AsArray(), missed = json["tables"]!["missed"]!.AsArray();
        Assert.Equal(limit, suspects[0]!["limit"]!.GetValue<double>(), 12);
        double[] p = [.. missed.Select(m => m!["p_value"]!.GetValue<double>())];
        Assert.Equal(p.OrderDescending(), p);
        Assert.Equal(suspects.ToJsonString(), Json(verified)["tables"]!["suspects"]!.ToJsonString());
        Assert.NotEqual(suspects.ToJsonString(), Json([.. verified[..^1], "4"])["tables"]!["suspects"]!.ToJsonString());
    }

    [Fact]
    public void Too_few_subsets_or_too_many_edges_are_refused()
    {
        Cli.Run(Options("--verify", "10")).Fails(2, "--verify 10", "takes 15", "--verify-share");
        Cli.Run(Options("--verify", "20", "--verify-found", "46")).Fails(2, "--verify-found 46: must be from 1 to 45");
    }

    /// <summary>Scores are there before it begins.</summary>
    [Fact]
    public void Stopped_while_it_verifies_a_run_keeps_its_scores()
    {
        string scores = model.Path("kept.json");
        bool verifying = false;
        Cli.StoppedWhen(
            p => verifying |= p.Stage == "circuits", Options("--out", scores, "--verify", "100")).Fails(130, "stopped");
        Assert.Equal(46, EdgeScores.Load(scores).Graph.EdgeCount);
    }

    private static JsonObject Json(string[] command) => JsonNode.Parse(Cli.Run([.. command, "--json"]).Succeeds().Out)!.AsObject();
}
