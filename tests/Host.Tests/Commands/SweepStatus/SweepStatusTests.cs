using System.Text.Json.Nodes;
using Gradpath.Host.Sweeps.Store;

namespace Gradpath.Host.Tests;

public sealed class SweepStatusTests(TinyModel model) : IClassFixture<TinyModel>
{
    [Fact]
    public void Every_unit_stands_somewhere()
    {
        string path = SweepSamples.Folder(model, failure: true, claim: true);
        using UnitClaims claims = SweepLayout.Open(path).Claims();
        Assert.True(claims.TryTake(SweepSamples.Key(3)));
        File.SetLastWriteTimeUtc(Path.Combine(path, "claims", SweepSamples.Key(2)), DateTime.UtcNow.AddMinutes(-5));
        File.WriteAllText(Path.Combine(path, "claims", $"{SweepSamples.Key(3)}.share"), "0.42 gradients");
        Cli run = Cli.Run("sweep", "status", path).Succeeds(
            $"sweep sample in {path}: 1 of 4 units done, 1 failed, 1 running, 1 silent, 0 waiting; about 0 s left",
            "pairs.jsonl: row 3: it is too long", "node7, process 12", "42 % of gradients",
            "none for 5 min", $"process {Environment.ProcessId}",
            $"'gradpath sweep retry {path}' forgets the failures");
        Assert.DoesNotContain(SweepSamples.Key(2), run.Out, StringComparison.Ordinal);
        JsonObject json = JsonNode.Parse(Cli.Run("sweep-status", "--dir", path, "--json").Succeeds().Out)!.AsObject();
        Assert.Equal(["done", "failed", "silent", "running"], json["tables"]!["units"]!.AsArray().Select(u => u!["state"]!.ToString()));
        Assert.Equal("node7", json["tables"]!["units"]![2]!["host"]!.ToString());
        Assert.InRange(json["tables"]!["units"]![2]!["silent_seconds"]!.GetValue<double>(), 299, 600);
    }

    [Fact]
    public void A_sweep_that_nobody_has_begun_waits()
    {
        SweepSamples.LayOut(model.Path("new"), SweepSamples.Units(2));
        Cli.Run("sweep", "status", model.Path("new")).Succeeds("0 of 2 units done, 0 failed, 0 running, 2 waiting\n");
    }

    [Fact]
    public void Bad_folders_are_one_line()
    {
        Cli.Run("sweep", "status").Fails(2, "--dir is needed");
        Cli.Run("sweep", "status", model.Path("nowhere")).Fails(1, $"gradpath: {model.Path("nowhere")}: there is no such folder");
        Cli.Run("sweep", "status", model.Pairs).Fails(1, "it is a file; name the folder of a sweep");
        Cli.Run("sweep", "status", model.Folder).Fails(1, "it holds no sweep: there is no plan.json in it");
    }
}
