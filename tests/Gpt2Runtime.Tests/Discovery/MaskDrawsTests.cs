using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Tests.Discovery;

/// <summary>Several draws of the masks: the best of runs that could have been made one by one.</summary>
public sealed class MaskDrawsTests
{
    [Theory]
    [InlineData(Ablation.Patching, 3UL)]
    [InlineData(Ablation.Patching, 8UL)]
    [InlineData(Ablation.Zero, 5UL)]
    public void The_draw_of_lowest_KL_is_kept(Ablation ablation, ulong seed)
    {
        using OddModel model = OddModel.Make("head bias");
        EdgePruningOptions options = Short with { Ablation = ablation, Seed = seed };
        EdgePruningResult[] alone =
            [.. Enumerable.Range(0, 3).Select(d => Search(model, options with { Seed = MaskDraws.SeedOf(seed, d) }))];
        double[] kl = [.. alone.Select(r => Kl(model, r.Circuit, ablation))];
        int best = Array.IndexOf(kl, kl.Min());
        EdgePruningResult result = Search(model, options with { Draws = 3 });
        Assert.All(kl, (k, d) => Assert.Equal(k, result.DrawKl[d], 1e-4 * k));
        Assert.Equal(alone[best].Circuit.Membership.ToArray(), result.Circuit.Membership.ToArray());
        Assert.Equal(alone[best].Circuit.Scores!.Values, result.Circuit.Scores!.Values);
        Assert.Equal(alone[best].Log, result.Log);
        Assert.Equal(alone.Sum(r => r.Passes) + 3, result.Passes, 9);
        Provenance provenance = result.Circuit.Provenance!;
        Assert.Equal((long)seed, provenance.Seed);
        Assert.Equal(
            (3, best + 1, 3),
            ((int)provenance.Options["draws"]!, (int)provenance.Options["kept-draw"]!, provenance.Options["draw-kl"]!.AsArray().Count));
        Assert.All(alone, r => Assert.Empty(r.DrawKl));
    }

    [Theory]
    [InlineData(false, 5, "5 of 40 steps")]
    [InlineData(false, 40, "40 of 40 steps")]
    [InlineData(false, 57, "1 of 3 draws and 17 of 40 steps")]
    [InlineData(false, 120, "2 of 3 draws and 40 of 40 steps")]
    [InlineData(true, 50, null)]
    public void A_run_that_goes_on_from_a_file_ends_with_the_same_bits(bool hybrid, int step, string? done)
    {
        using OddModel model = OddModel.Make("head bias");
        using var folder = new TempFolder();
        PromptSet prompts = PromptSet.Of(model.Mixed);
        CircuitSearch search = hybrid ? CircuitSearches.HybridPruning : CircuitSearches.EdgePruning;
        EdgePruningOptions options = hybrid
            ? new HybridPruningOptions { Sparsity = 0.7, Steps = 60, BatchSize = 3, Draws = 3, Scorer = ReferenceSearch.Scorer }
            : Short with { Draws = 3, Seed = 3 };
        var expected = (EdgePruningResult)search.Search(model.Weights, prompts, options);
        ProgressFile File() => new(folder["c.json"], search.Name, new JsonObject { ["--seed"] = 3 });
        ProgressFile first = File(), second = File();
        using var stop = new CancellationTokenSource();
        var watch = new StopAfter(stop, step);
        Assert.Throws<OperationCanceledException>(
            () => search.Search(model.Weights, prompts, options, first, watch, stop.Token));
        if (done is not null) Assert.Equal(done, first.Done);
        second.Resume();
        var actual = (EdgePruningResult)search.Search(model.Weights, prompts, options, second, null, default);
        Assert.Equal(expected.DrawKl, actual.DrawKl);
        Assert.Equal(expected.Log, actual.Log);
        Assert.Equal(expected.Passes, actual.Passes, 9);
        Assert.Equal(expected.Circuit.Scores!.Values, actual.Circuit.Scores!.Values);
        Assert.Equal(expected.Circuit.Membership.ToArray(), actual.Circuit.Membership.ToArray());
    }

    [Fact]
    public void Work_that_is_all_done_is_taken_up_from_the_file()
    {
        using OddModel model = OddModel.Make("head bias");
        using var folder = new TempFolder();
        var file = new ProgressFile(folder["c.json"], "edge-prune", []) { Interval = TimeSpan.Zero };
        EdgePruningResult expected = Search(model, Short with { Draws = 2 }, file);
        file.Resume();
        EdgePruningResult actual = Search(model, Short with { Draws = 2 }, file);
        Assert.Equal(expected.DrawKl, actual.DrawKl);
        Assert.Equal(expected.Circuit.Membership.ToArray(), actual.Circuit.Membership.ToArray());
        Assert.Contains(
            "delete it",
            Assert.Throws<GradpathException>(() => Search(model, Short, file)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Progress_counts_the_steps_of_all_draws()
    {
        using OddModel model = OddModel.Make("head bias");
        var told = new List<RunProgress>();
        Search(model, Short with { Draws = 2 }, null, new Note(told));
        Assert.Equal(Enumerable.Range(1, 80).Select(i => (long)i), told.Select(t => t.Done));
        Assert.All(told, t => Assert.Equal(80, t.Total));
        Assert.Equal(["draw 1 of 2", "draw 2 of 2"], told.Select(t => t.Stage).Distinct());
    }

    [Fact]
    public void No_draw_is_refused()
    {
        using OddModel model = OddModel.Make("head bias");
        OptionException error = Assert.Throws<OptionException>(() => Search(model, Short with { Draws = 0 }));
        Assert.Contains("Draws 0: must be 1 or more", error.Message, StringComparison.Ordinal);
    }

    private static EdgePruningOptions Short => new() { Sparsity = 0.7, Steps = 40, BatchSize = 3 };

    private static double Kl(OddModel model, Circuit circuit, Ablation ablation) =>
        CircuitEvaluation.Evaluate(
            model.Weights, PromptSet.Of(model.Mixed), [circuit],
            new EvaluationOptions { Metric = BuiltInMetrics.KlDivergence, Ablation = ablation }).Circuits[0].MeanKl;

    private static EdgePruningResult Search(
        OddModel model, EdgePruningOptions options, RunCheckpoint? checkpoint = null, IProgress<RunProgress>? progress = null) =>
        CircuitSearches.EdgePruning.Search(model.Weights, PromptSet.Of(model.Mixed), options, checkpoint, progress, default);

    private sealed class StopAfter(CancellationTokenSource source, int steps) : IProgress<RunProgress>
    {
        public void Report(RunProgress value)
        {
            if (value.Done == steps) source.Cancel();
        }
    }

    private sealed class Note(List<RunProgress> told) : IProgress<RunProgress>
    {
        public void Report(RunProgress value) => told.Add(value);
    }
}
