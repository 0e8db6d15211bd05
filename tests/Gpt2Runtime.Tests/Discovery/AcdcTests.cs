using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Gpt2Runtime.Tests.Discovery;

/// <summary>ACDC against the plain loop in float64, and against itself with other numbers of candidates at once.</summary>
public sealed class AcdcTests : IDisposable
{
    private static readonly Gpt2Config s_shape = new()
    {
        Layers = 2,
        Heads = 3,
        Width = 15,
        InnerWidth = 22,
        Positions = 9,
        Vocabulary = 17
    };
    private readonly ReferenceModel _reference = ReferenceModel.Random(s_shape, 31);
    private readonly PromptPair[] _mixed = ReferencePrompts.Random(17, 4, 3, 6, 32);
    private readonly PromptPair[] _equal = ReferencePrompts.Random(17, 4, 5, 5, 33);
    private readonly CpuDevice _device = new(2);
    private readonly Gpt2Weights _weights;
    private readonly ComputationGraph _graph = new(s_shape);

    public AcdcTests() => _weights = EngineModels.Weights(_reference, _device);

    public void Dispose()
    {
        _weights.Dispose();
        _device.Dispose();
    }

    [Theory]
    [InlineData(0.01, "kl", Ablation.Patching, SenderOrder.Normal, false)]
    [InlineData(0.003, "kl", Ablation.Patching, SenderOrder.Reverse, false)]
    [InlineData(0.03, "kl", Ablation.Patching, SenderOrder.Score, false)]
    [InlineData(0.01, "kl", Ablation.Zero, SenderOrder.Normal, false)]
    [InlineData(0.03, "kl", Ablation.Zero, SenderOrder.Score, false)]
    [InlineData(0.01, "kl", Ablation.MeanPositional, SenderOrder.Reverse, false)]
    [InlineData(0.03, "kl", Ablation.Patching, SenderOrder.Normal, true)]
    [InlineData(0.02, "logit-diff", Ablation.Patching, SenderOrder.Normal, false)]
    [InlineData(0.05, "logit-diff", Ablation.Patching, SenderOrder.Score, false)]
    [InlineData(0.05, "logit-diff", Ablation.Patching, SenderOrder.Reverse, true)]
    [InlineData(0.02, "logit-diff", Ablation.Zero, SenderOrder.Reverse, true)]
    [InlineData(0.005, "prob-diff", Ablation.Patching, SenderOrder.Normal, true)]
    [InlineData(0.005, "prob-diff", Ablation.Zero, SenderOrder.Normal, false)]
    public void The_plain_loop_in_float64_takes_the_same_decisions(
        double tau, string objectiveName, Ablation ablation, SenderOrder order, bool absolute)
    {
        Metric objective = BuiltInMetrics.Find(objectiveName);
        PromptPair[] pairs = ablation == Ablation.MeanPositional ? _equal : _mixed;
        EdgeScores scores = Scores();
        List<ReferenceStep> expected = ReferenceAcdc.Search(
            _reference, pairs, tau, objective, Enum.Parse<ReferenceAblation>(ablation.ToString()), order, absolute, (row, column) =>
                scores[row, column]);

        // Decisions can only be compared where float32 can tell them apart.
        Assert.All(expected.Where(s => !double.IsNaN(s.Change)), s =>
            Assert.True(Math.Abs((absolute ? Math.Abs(s.Change) : s.Change) - tau) > 2e-6, $"{s}"));
        AcdcOptions options = new()
        {
            Metric = objective,
            Ablation = ablation,
            Order = order,
            Absolute = absolute,
            Scores = order == SenderOrder.Score ? scores : null,
            BatchSize = 3
        };
        AcdcResult result = Search(pairs, tau, options);

        Assert.Equal(expected.Select(s => (s.Edge, s.Kept, double.IsNaN(s.After))),
            result.Steps.Select(
            s => (_graph.EdgeName(s.Row, s.Column), s.Decision == AcdcDecision.Kept, s.Decision == AcdcDecision.Dropped)));
        foreach ((ReferenceStep e, AcdcStep s) in expected.Zip(result.Steps))
        {
            Assert.Equal(e.Before, s.Before, 1e-5);
            if (!double.IsNaN(e.After)) Assert.Equal(e.After, s.After, 1e-5);
        }
        Assert.InRange(result.Circuit.EdgeCount, 1, _graph.EdgeCount - 1);
        Assert.Contains(result.Steps, s => s.Decision == AcdcDecision.Removed);
    }

    [Theory]
    [InlineData("kl", 15, 17, 0.003)]
    [InlineData("logit-diff", 15, 17, 0.01)]
    [InlineData("kl", 264, 50, 0.001)]
    public void How_many_candidates_run_at_once_changes_no_bit(string objectiveName, int width, int vocabulary, double tau)
    {
        Metric objective = BuiltInMetrics.Find(objectiveName);
        Gpt2Config config = s_shape with { Width = width, Vocabulary = vocabulary, TiedHead = false };
        using Gpt2Weights weights = EngineModels.Weights(ReferenceModel.Random(config, 5), _device);
        PromptPair[] pairs = ReferencePrompts.Random(vocabulary, 5, 4, 6, 6);
        AcdcResult Run(int candidates) => AcdcSweep.Search(
            weights, PromptSet.Of(pairs), [tau], new AcdcOptions { Metric = objective, Candidates = candidates, BatchSize = 3 })[0];
        AcdcResult one = Run(1);
        Assert.Equal(one.Effort.Tested, one.Effort.Runs);
        foreach (int candidates in new[] { 2, 5, 32 })
        {
            AcdcResult many = Run(candidates);
            Assert.Equal(one.Steps, many.Steps);
            Assert.Equal(one.Circuit.Membership.ToArray(), many.Circuit.Membership.ToArray());
            Assert.Equal(one.Effort.Tested, many.Effort.Tested);
        }

        // Otherwise nothing was compared.
        Assert.True(Run(32).Effort.Runs > one.Effort.Runs, "no guess was ever wrong");
        Assert.Contains(one.Steps, s => s.Decision == AcdcDecision.Kept);
    }

    [Fact]
    public void The_size_of_batches_changes_rounding_at_most()
    {
        AcdcResult[] results = [.. new[] { 0, 1, 3 }.Select(size => Search(_mixed, 0.01, new AcdcOptions { BatchSize = size }))];
        Assert.Equal([4, 1, 3], results.Select(r => r.BatchSize));
        foreach (AcdcResult result in results[1..])
        {
            Assert.Equal(results[0].Steps.Select(s => s.Decision), result.Steps.Select(s => s.Decision));
            Assert.All(results[0].Steps.Zip(result.Steps), pair =>
                Assert.True(!(Math.Abs(pair.First.After - pair.Second.After) > 1e-6), $"{pair}"));
        }
    }

    [Fact]
    public void Nothing_is_left_at_an_infinite_threshold_and_nothing_that_matters_goes_at_zero()
    {
        AcdcResult nothing = Search(_mixed, double.PositiveInfinity, new AcdcOptions());
        Assert.Equal(0, nothing.Circuit.EdgeCount);
        Assert.Equal(
            CircuitEvaluation.Evaluate(_weights, PromptSet.Of(_mixed), [], new EvaluationOptions()).Empty.MeanKl, nothing.Objective, 1e-5);

        AcdcResult all = Search(_mixed, 0, new AcdcOptions());
        Assert.All(all.Steps.Where(s => s.Decision == AcdcDecision.Removed), s => Assert.True(s.After < s.Before));
        Assert.All(all.Steps.Where(s => s.Decision == AcdcDecision.Kept), s => Assert.True(s.After >= s.Before));
        Assert.True(all.Objective <= all.Full);
        Assert.InRange(
            CircuitEvaluation.Evaluate(_weights, PromptSet.Of(_mixed), [all.Circuit], new EvaluationOptions()).Circuits[0].MeanKl, -1e-6,
            1e-6);
    }

    [Fact]
    public void Several_thresholds_give_what_each_gives_alone_and_larger_ones_smaller_circuits()
    {
        double[] thresholds = [0.001, 0.01, 0.1];
        IReadOnlyList<AcdcResult> together = AcdcSweep.Search(_weights, PromptSet.Of(_mixed), thresholds, new AcdcOptions());
        foreach (AcdcResult result in together) Assert.Equal(Search(_mixed, result.Threshold, new AcdcOptions()).Steps, result.Steps);
        Assert.True(together[0].Circuit.EdgeCount > together[1].Circuit.EdgeCount);
        Assert.True(together[1].Circuit.EdgeCount > together[2].Circuit.EdgeCount);
    }

    [Theory]
    [InlineData("kl", Ablation.Patching)]
    [InlineData("logit-diff", Ablation.Zero)]
    public void Steps_scores_and_circuit_tell_one_story(string objectiveName, Ablation ablation)
    {
        Metric objective = BuiltInMetrics.Find(objectiveName);
        AcdcResult result = Search(_mixed, 0.02, new AcdcOptions { Metric = objective, Ablation = ablation });
        Assert.Equal(_graph.EdgeCount, result.Steps.DistinctBy(s => (s.Row, s.Column)).Count());
        int left = _graph.EdgeCount;
        double current = result.Full;
        foreach (AcdcStep s in result.Steps)
        {
            bool kept = s.Decision == AcdcDecision.Kept;
            Assert.Equal(kept, result.Circuit.Contains(s.Row, s.Column));
            Assert.Equal(current, s.Before);
            Assert.Equal(left -= kept ? 0 : 1, s.EdgesLeft);
            if (s.Decision == AcdcDecision.Removed) current = s.After;
            float change = s.Decision == AcdcDecision.Dropped ? 0 : (float)(s.After - s.Before);
            Assert.Equal(change, result.Circuit.Scores![s.Row, s.Column]);
            int node = _graph.NodeOfColumn(s.Column);
            bool isRead = node == _graph.LogitsNode || Enumerable.Range(0, _graph.Readers).Any(c => result.Circuit.Contains(node, c));
            Assert.Equal(!isRead, s.Decision == AcdcDecision.Dropped);
        }
        Assert.Equal(result.Circuit.EdgeCount, left);
        Assert.Equal(current, result.Objective);
        EvaluationResult evaluation = CircuitEvaluation.Evaluate(
            _weights, PromptSet.Of(_mixed), [result.Circuit],
            new EvaluationOptions { Metric = BuiltInMetrics.LogitDifference, Ablation = ablation });
        double expected = objective == BuiltInMetrics.KlDivergence ? evaluation.Circuits[0].MeanKl : -evaluation.Circuits[0].MeanMetric;
        Assert.Equal(expected, result.Objective, 1e-5);
        Assert.Equal(result.Steps.Count(s => s.Decision != AcdcDecision.Dropped), result.Effort.Tested);
        Assert.InRange(result.Effort.Passes(2), 1, result.Effort.Runs);
    }

    [Fact]
    public void A_sweep_that_was_stopped_anywhere_goes_on_to_the_same_end()
    {
        AcdcOptions options = new() { Candidates = 4 };
        double[] thresholds = [0.05, 0.01];
        IReadOnlyList<AcdcResult> whole = AcdcSweep.Search(_weights, PromptSet.Of(_mixed), thresholds, options);
        for (int reports = 1; ; reports += 7)
        {
            using CancellationTokenSource source = new();
            Reports progress = new() { Each = count => { if (count == reports) source.Cancel(); } };
            var stopped = new MemoryCheckpoint();
            try
            {
                AcdcSweep.Search(_weights, PromptSet.Of(_mixed), thresholds, options, stopped, progress, source.Token);
                Assert.True(reports > 10, "the search was too short to be stopped");
                return;
            }
            catch (OperationCanceledException)
            {
            }
            IReadOnlyList<AcdcResult> resumed = AcdcSweep.Search(
                _weights, PromptSet.Of(_mixed), thresholds, options, new MemoryCheckpoint(stopped.States[^1]), null, default);
            foreach ((AcdcResult w, AcdcResult r) in whole.Zip(resumed))
            {
                Assert.Equal(w.Steps, r.Steps);
                Assert.Equal(w.Effort with { Seconds = 0 }, r.Effort with { Seconds = 0 });
            }
        }
    }

    [Fact]
    public void Progress_never_falls_and_a_stopped_search_gives_its_memory_back()
    {
        Reports whole = new();
        AcdcSweep.Search(_weights, PromptSet.Of(_mixed), [0.01, 0.1], new AcdcOptions(), progress: whole);
        Assert.Equal(2L * _graph.EdgeCount, whole.All[^1].Total);
        Assert.Equal(whole.All[^1].Total, whole.All[^1].Done);
        Assert.All(whole.All.Zip(whole.All.Skip(1)), pair => Assert.True(pair.First.Done <= pair.Second.Done));

        long before = _device.AllocatedBytes;
        using CancellationTokenSource source = new();
        Assert.Throws<OperationCanceledException>(() =>
            AcdcSweep.Search(
                _weights, PromptSet.Of(_mixed), [0.01], new AcdcOptions(),
                progress: new Reports { Each = count => { if (count == 3) source.Cancel(); } }, cancellation: source.Token));
        Assert.Equal(before, _device.AllocatedBytes);
    }

    [Fact]
    public void What_cannot_be_searched_is_explained()
    {
        Assert.Contains(
            "-1", Assert.Throws<OptionException>(() => Search(_mixed, -1, new AcdcOptions())).Message, StringComparison.Ordinal);
        Assert.Throws<OptionException>(() => Search(_mixed, double.NaN, new AcdcOptions()));
        Assert.Contains(
            "Order score needs Scores",
            Assert.Throws<OptionException>(() => Search(_mixed, 1, new AcdcOptions { Order = SenderOrder.Score })).Message,
            StringComparison.Ordinal);
        Assert.Contains("one length", Assert.Throws<GradpathException>(() =>
            Search(_mixed, 1, new AcdcOptions { Ablation = Ablation.MeanPositional })).Message, StringComparison.Ordinal);
        Assert.Throws<GradpathException>(() => Search([], 1, new AcdcOptions()));
        Assert.Throws<OptionException>(() => AcdcSweep.Search(_weights, PromptSet.Of(_mixed), [], new AcdcOptions()));
    }

    private AcdcResult Search(PromptPair[] pairs, double tau, AcdcOptions options) =>
        AcdcSweep.Search(_weights, PromptSet.Of(pairs), [tau], options)[0];

    private EdgeScores Scores() =>
        EdgeAttribution.Score(_weights, PromptSet.Of(_mixed), new AttributionOptions { Method = AttributionMethods.Eap });

    private sealed class Reports : IProgress<RunProgress>
    {
        public List<RunProgress> All { get; } = [];

        public Action<int>? Each { get; init; }

        public void Report(RunProgress value)
        {
            All.Add(value);
            Each?.Invoke(All.Count);
        }
    }
}
