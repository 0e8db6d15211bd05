using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Tests.Discovery;

/// <summary>Edge pruning as a program: schedules, sizes, saving and going on, refusals.</summary>
public sealed class EdgePruningTests
{
    [Theory]
    [InlineData(0.5, false, null, Ablation.Patching)]
    [InlineData(0.8, false, null, Ablation.Zero)]
    [InlineData(0.7, true, null, Ablation.Patching)]
    [InlineData(0.7, true, 0.3, Ablation.Patching)]
    public void The_circuit_has_the_requested_sparsity_within_one_percent(
        double sparsity, bool nodeMasks, double? nodeTarget, Ablation ablation)
    {
        using OddModel model = OddModel.Make("relu, unscaled attention");
        EdgePruningResult result = Search(
            model, Short with { Sparsity = sparsity, NodeMasks = nodeMasks, NodeTarget = nodeTarget, Ablation = ablation });
        ComputationGraph graph = result.Circuit.Graph;
        Assert.InRange(1 - (result.Circuit.EdgeCount / (double)graph.EdgeCount), sparsity - 0.01, sparsity + 0.01);
        Assert.Equal(result.Circuit.EdgeCount, CircuitPruning.Prune(result.Circuit).EdgeCount);
        Assert.True(result.Circuit.EdgesBeforePrune >= result.Circuit.EdgeCount);
        Assert.Equal(Short.Steps, result.Log.Count);
        Assert.Equal(Enumerable.Range(1, Short.Steps), result.Log.Select(s => s.Step));
        Assert.Equal(nodeTarget ?? 0, result.Log[^1].NodeTarget, 12);
        if (!nodeMasks) Assert.All(result.Log, s => Assert.Equal((0, 0), (s.NodeSparsity, s.NodeLoss)));
        else Assert.Contains(result.Log, s => s.NodeSparsity > 0);

        // The masks of edges that stay are the largest.
        float[] masks = result.Circuit.Scores!.Values.ToArray();
        Assert.All(graph.Edges, e => Assert.InRange(masks[(e.Row * graph.Readers) + e.Column], 0, 1));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_run_that_goes_on_from_a_file_ends_with_the_same_bits(bool warm)
    {
        using OddModel model = OddModel.Make("head bias");
        using var folder = new TempFolder();
        EdgePruningOptions options = Short with { Sparsity = 0.6, NodeMasks = true, NodeTarget = 0.2, BatchSize = 2, Seed = 3 };
        if (warm) options = options with { Init = MaskStartTests.Scores(model, 1) };
        EdgePruningResult expected = Search(model, options);
        ProgressFile File() => new(folder["c.json"], "edge-prune", new JsonObject { ["--seed"] = 3 });
        ProgressFile first = File(), second = File();
        using var stop = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => Search(model, options, first, new StopAfter(stop, 17), stop.Token));
        Assert.Equal("17 of 40 steps", first.Done);
        second.Resume();
        EdgePruningResult actual = Search(model, options, second);
        Assert.Equal(expected.Log, actual.Log);
        Assert.Equal(expected.Circuit.Scores!.Values, actual.Circuit.Scores!.Values);
        Assert.Equal(expected.Circuit.Membership.ToArray(), actual.Circuit.Membership.ToArray());
    }

    [Fact]
    public void A_state_of_another_size_is_refused()
    {
        using OddModel model = OddModel.Make("head bias");
        using var folder = new TempFolder();
        var file = new ProgressFile(folder["c.json"], "edge-prune", []) { Interval = TimeSpan.Zero };
        Search(model, Short with { Steps = 12 }, file);
        file.Resume();
        EdgePruningOptions gated = Short with { Steps = 12, NodeMasks = true };
        Assert.Contains(
            "delete it", Assert.Throws<GradpathException>(() => Search(model, gated, file)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_seed_decides_and_the_number_of_threads_does_not()
    {
        float[] Masks(int workers, ulong seed)
        {
            using OddModel model = OddModel.Make("untied, erf", workers);
            return Search(model, Short with { Seed = seed }).Circuit.Scores!.Values.ToArray();
        }
        float[] one = Masks(1, 5);
        Assert.Equal(one, Masks(3, 5));
        Assert.NotEqual(one, Masks(1, 6));
    }

    [Fact]
    public void Targets_and_rates_follow_the_schedule()
    {
        EdgePruningOptions linear = new EdgePruningOptions { Sparsity = 0.9, Steps = 3000 }.Resolve(32_491);
        Assert.Equal((0.9, 2500, 200, 3000), (linear.Target!.Value, linear.TargetWarmup!.Value, linear.RateWarmup!.Value, linear.Steps));
        Assert.Equal(0, linear.TargetAt(0, 0.9));
        Assert.Equal(0.45, linear.TargetAt(1250, 0.9), 12);
        Assert.Equal(0.9, linear.TargetAt(2800, 0.9), 12);
        Assert.Equal(0.5, linear.RateAt(99), 12);
        Assert.Equal(1, linear.RateAt(200), 12);
        Assert.Equal(0.5, linear.RateAt(1600), 12);
        EdgePruningOptions logarithmic = linear with { Schedule = TargetSchedule.Logarithmic };
        Assert.Equal(1 - Math.Sqrt(0.1), logarithmic.TargetAt(1250, 0.9), 12);

        // Half of the edges are pruned before: the schedule begins where it asks for that.
        EdgePruningOptions later = linear.From(0.45, 32_491);
        Assert.Equal((1750, 0.45, 0.9), (later.Steps, later.TargetAt(0, 0.9), later.TargetAt(1250, 0.9)));
        Assert.Equal((0.8, 0.01), (linear.MultiplierRate!.Value, linear.WeightDecay!.Value));
        EdgePruningOptions small = new EdgePruningOptions().Resolve(1519);
        Assert.Equal((1500, 0.02), (small.Steps, small.WeightDecay!.Value));
        Assert.Equal(0.8 * 1519 / 32_491 * 2, small.MultiplierRate!.Value, 12);
        Assert.Equal(EdgePruningOptions.PublishedSteps, EdgePruningOptions.DefaultSteps(32_491));
        Assert.Equal(EdgePruningOptions.SmallSteps, EdgePruningOptions.DefaultSteps(1519));
    }

    [Fact]
    public void What_cannot_be_used_is_refused_by_name()
    {
        using OddModel model = OddModel.Make("head bias");
        void Refused(EdgePruningOptions options, string mention) =>
            Assert.Contains(mention, Assert.Throws<OptionException>(() => Search(model, options)).Message, StringComparison.Ordinal);
        Refused(Short with { Sparsity = 1 }, "Sparsity 1");
        Refused(Short with { Target = -1 }, "Target -1");
        Refused(Short with { Target = 1.1, Schedule = TargetSchedule.Logarithmic }, "Schedule logarithmic");
        Refused(Short with { TargetWarmup = 999 }, "TargetWarmup 999");
        Refused(Short with { RateWarmup = 999 }, "RateWarmup 999");
        Refused(Short with { NodeTarget = 0.5 }, "NodeTarget needs NodeMasks");
        Refused(Short with { LearningRate = double.NaN }, "LearningRate NaN");
        Refused(Short with { BatchSize = -1 }, "BatchSize -1");
        Refused(Short with { Metric = BuiltInMetrics.LogitDifference }, "Metric does not apply to edge-prune");
        var graph = new ComputationGraph(model.Weights.Config);
        Circuit one = Circuit.Of(graph, [(0, graph.LogitsColumn)]);
        var few = Assert.Throws<OptionException>(() => new EdgePruning(model.Weights, PromptSet.Of(model.Mixed), Short, one, default));
        Assert.Contains("only 1 may be in it", few.Message, StringComparison.Ordinal);
        EdgePruningOptions means = Short with { Ablation = Ablation.MeanPositional };
        Assert.Contains(
            "one length", Assert.Throws<GradpathException>(() => Search(model, means)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_step_allocates_no_memory_of_the_device()
    {
        using OddModel model = OddModel.Make("head bias");
        var bytes = new List<long>();
        Search(model, Short with { BatchSize = 2 }, null, new Watch(() => bytes.Add(model.Device.ReservedBytes)));
        Assert.Single(bytes.Skip(3).Distinct());
    }

    private static EdgePruningOptions Short => new() { Sparsity = 0.7, Steps = 40, BatchSize = 3 };

    private static EdgePruningResult Search(
        OddModel model,
        EdgePruningOptions options,
        RunCheckpoint? checkpoint = null,
        IProgress<RunProgress>? progress = null,
        CancellationToken cancellation = default) =>
        CircuitSearches.EdgePruning.Search(model.Weights, PromptSet.Of(model.Mixed), options, checkpoint, progress, cancellation);

    private sealed class StopAfter(CancellationTokenSource source, int steps) : IProgress<RunProgress>
    {
        public void Report(RunProgress value)
        {
            if (value.Done == steps) source.Cancel();
        }
    }

    private sealed class Watch(Action look) : IProgress<RunProgress>
    {
        public void Report(RunProgress value) => look();
    }
}
