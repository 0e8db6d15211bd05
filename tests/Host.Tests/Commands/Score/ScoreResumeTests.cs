using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Host.Tests;

/// <summary>Exact patching that is stopped and gone on with, and what keeps two runs apart.</summary>
public sealed class ScoreResumeTests(TinyModel model) : IClassFixture<TinyModel>
{
    private string[] Options(string name, params string[] further) =>
    [
        "score", "--model", model.ModelDirectory, "--data", model.Pairs, "--method", "exact", "--batch-size", "2", "--device", "cpu",
        "--out", model.Path(name), .. further,
    ];

    [Fact]
    public void A_stopped_run_goes_on_to_the_same_scores_with_other_threads_and_memory()
    {
        Cli.Run(Options("whole.json", "--threads", "2")).Succeeds();
        Assert.Equal(model.Path("whole.json"), Assert.Single(Directory.GetFiles(model.Folder, "whole*")));
        int reports = 0;
        Cli.StoppedWhen(_ => ++reports == 12, Options("stopped.json", "--threads", "2")).Fails(
            130, "stopped after ", "stopped.json.progress", "--resume");
        Assert.Equal(model.Path("stopped.json.progress"), Assert.Single(Directory.GetFiles(model.Folder, "stopped*")));
        Cli.Run(Options("stopped.json", "--threads", "1")).Fails(1, "add --resume");
        Cli.Run(Options("stopped.json", "--threads", "1", "--resume", "--metric", "kl")).Fails(1, "--metric was");
        Cli.Run(Options("stopped.json", "--threads", "1", "--memory", "300MiB", "--resume")).Succeeds();
        Assert.Equal(model.Path("stopped.json"), Assert.Single(Directory.GetFiles(model.Folder, "stopped*")));
        Assert.Equal(
            EdgeScores.Load(model.Path("whole.json")).Values.ToArray(), EdgeScores.Load(model.Path("stopped.json")).Values.ToArray());
    }

    /// <summary>What the others score is quick and done anew; exact patching goes on.</summary>
    [Fact]
    public void An_ensemble_with_exact_patching_goes_on_too()
    {
        string[] Ensemble(string name, params string[] further) =>
            [.. Options(name, ["--method", "ensemble", "--of", "eap,exact", .. further]).Where((_, i) => i is not 5 and not 6)];
        Cli.Run(Ensemble("together.json")).Succeeds("ensemble, of eap,exact, by mean-rank");
        int reports = 0;
        Cli.StoppedWhen(_ => ++reports == 16, Ensemble("apart.json")).Fails(130, "stopped after ", " of exact", "--resume");
        Cli.Run(Ensemble("apart.json", "--resume", "--by", "min")).Fails(1, "--by was");
        Cli.Run(Ensemble("apart.json", "--resume")).Succeeds();
        Assert.Equal(
            EdgeScores.Load(model.Path("together.json")).Values.ToArray(), EdgeScores.Load(model.Path("apart.json")).Values.ToArray());
    }

    [Fact]
    public void What_cannot_be_gone_on_with_says_so()
    {
        Cli.Run(Options("none.json", "--resume")).Fails(1, "nothing to go on from");
        string[] options = ["score", "--model", model.ModelDirectory, "--data", model.Pairs, "--resume"];
        Cli.Run([.. options, "--method", "eap", "--out", model.Path("eap.json")]).Fails(
            2, "--resume does not apply to --method eap; exact takes it");
        Cli.Run([.. options, "--method", "ensemble", "--out", model.Path("ensemble.json")]).Fails(
            2, "--resume does not apply to --method ensemble; exact takes it, or an ensemble of it");
        Cli.Run([.. options, "--method", "exact"]).Fails(2, "--out");
    }

    [Fact]
    public void Two_runs_do_not_write_one_result()
    {
        using FileLock other = FileLock.TryTake(model.Path("busy.json.progress.lock"))!;
        Cli.Run(Options("busy.json")).Fails(1, "busy.json is being written by another run");
        Directory.CreateDirectory(model.Path("busy"));
        using FileLock folder = FileLock.TryTake(model.Path("busy/table.csv.progress.lock"))!;
        Cli.Run("benchmark", "--model", model.ModelDirectory, "--data", model.Pairs, "--methods", "eap", "--sparsity", "0.5", "--out",
            model.Path("busy")).Fails(1, "table.csv is being written by another run");
    }
}
