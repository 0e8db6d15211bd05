using System.Collections.Immutable;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Tests.Discovery;

/// <summary>The batched passes against the four passes of the definition in float64, and against closed forms.</summary>
public sealed class PathPatchingTests
{
    public static TheoryData<string, bool, string, string> Cases
    {
        get
        {
            TheoryData<string, bool, string, string> cases = [];
            foreach (string name in OddModel.Names)
            {
                foreach (bool freeze in new[] { false, true })
                {
                    cases.Add(name, freeze, "all", "all");
                    cases.Add(name, freeze, "end", "end");
                    cases.Add(name, freeze, "0,-2", "1,end");
                }
            }
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Effects_equal_the_four_passes_of_the_definition(
        string name, bool freezeMlps, string senderPositions, string receiverPositions)
    {
        using OddModel odd = OddModel.Make(name);
        var graph = new ComputationGraph(odd.Weights.Config);
        int[] senders = [.. Enumerable.Range(0, graph.Writers)];
        TokenPositions at = TokenPositions.Parse(receiverPositions);
        var options = new PathPatchingOptions
        {
            FreezeMlps = freezeMlps,
            SenderPositions = TokenPositions.Parse(senderPositions),
            Metric = BuiltInMetrics.ProbabilityDifference
        };
        PathQuery[] queries =
        [
            .. Enumerable.Range(0, graph.Readers).Select(column => new PathQuery(senders, [new PathReceiver(column, at)])),
            .. Sets(graph).Select(set => new PathQuery(senders,
                [.. set.Select((column, i) => new PathReceiver(column, i % 2 == 0 ? at : TokenPositions.All))])),
        ];
        PathEffects actual = PathPatching.Measure(odd.Weights, PromptSet.Of(odd.Mixed), queries, options);
        ReferenceItem[] items = ReferenceItem.Prepare(odd.Reference, odd.Mixed, ReferenceAblation.Patching);
        Assert.Equal(
            items.Average(
                i => ReferenceMetric.Value(
                    options.Metric ?? BuiltInMetrics.LogitDifference, i.Clean.LastLogits, i.Pair, i.Clean.LastLogits)),
            actual.CleanMetric, 1e-5);
        double largest = 0;
        for (int q = 0; q < queries.Length; q++)
        {
            foreach (int sender in senders)
            {
                double effect = actual.Effects[q][sender];
                if (!queries[q].Receivers.Any(r => graph.IsEdge(sender, r.Column)))
                {
                    Assert.Equal(double.NaN, effect);
                    continue;
                }
                double expected = items.Select((item, i) => ReferencePathPatching.Effect(
                    odd.Reference,
                    item,
                    sender,
                    options.SenderPositions.Of(item.Pair, i + 1),
                    queries[q].Receivers.ToDictionary(r => r.Column, r => r.Positions.Of(item.Pair, i + 1)),
                    freezeMlps,
                    options.Metric ?? BuiltInMetrics.LogitDifference)).Average();
                largest = Math.Max(largest, Math.Abs(expected));
                Assert.True(Math.Abs(expected - effect) < 1e-5,
                    $"{graph.WriterName(sender)} -> {string.Join(' ', queries[q].Receivers.Select(r => graph.ReaderName(r.Column)))}: "
                    + $"{effect}, not {expected}");
            }
        }
        Assert.True(largest > 1e-3, $"nothing has an effect: {largest}");
    }

    [Theory]
    [InlineData(Ablation.Zero)]
    [InlineData(Ablation.MeanPositional)]
    public void Other_ablations_replace_the_senders_output(Ablation ablation)
    {
        using OddModel odd = OddModel.Make("head bias");
        var graph = new ComputationGraph(odd.Weights.Config);
        int[] senders = [.. Enumerable.Range(0, graph.Writers)];
        PathQuery query = new(senders, [new PathReceiver(graph.LogitsColumn, TokenPositions.End)]);
        PathEffects actual = PathPatching.Measure(
            odd.Weights, PromptSet.Of(odd.Equal), [query], new PathPatchingOptions { Ablation = ablation });
        ReferenceItem[] items = ReferenceItem.Prepare(odd.Reference, odd.Equal, Enum.Parse<ReferenceAblation>(ablation.ToString()));
        foreach (int sender in senders)
        {
            double expected = items.Average(item => ReferencePathPatching.Effect(
                odd.Reference,
                item,
                sender,
                TokenPositions.All.Of(item.Pair, 1),
                new Dictionary<int, bool[]> { [graph.LogitsColumn] = TokenPositions.End.Of(item.Pair, 1) },
                freezeMlps: false,
                BuiltInMetrics.LogitDifference));
            Assert.Equal(expected, actual.Effects[0][sender], 1e-4);
        }
    }

    [Theory]
    [MemberData(nameof(OddModel.Names), MemberType = typeof(OddModel))]
    public void With_frozen_mlps_an_effect_is_that_of_adding_the_senders_difference_to_the_input(string name)
    {
        using OddModel odd = OddModel.Make(name);
        ReferenceGraph graph = odd.Reference.Graph;
        var query = new PathQuery([.. Enumerable.Range(0, graph.Rows)], [new PathReceiver(graph.Columns - 1, TokenPositions.All)]);
        PathEffects actual = PathPatching.Measure(
            odd.Weights, PromptSet.Of(odd.Mixed), [query], new PathPatchingOptions { FreezeMlps = true });
        ReferenceItem[] items = ReferenceItem.Prepare(odd.Reference, odd.Mixed, ReferenceAblation.Patching);
        foreach (int sender in query.Senders)
        {
            // Nothing runs behind the logits' input, so the closed form is the output head of clean residual stream + difference.
            double expected = items.Average(item =>
            {
                RealMatrix input = RealMatrix.Combine(item.Clean.FinalResidual.Value, 1, item.Delta[sender]);
                Tape tape = new();
                TapeNode normal = tape.LayerNorm(
                    tape.Leaf(input), odd.Reference.FinalGain, odd.Reference.FinalShift, odd.Reference.Epsilon);
                RealMatrix logits = tape.Linear(normal, odd.Reference.Unembedding, odd.Reference.UnembeddingBias).Value;
                return ReferenceMetric.Value(
                    BuiltInMetrics.LogitDifference, logits.RowBlock(logits.Rows - 1, 1), item.Pair, item.Clean.LastLogits)
                    - ReferenceMetric.Value(BuiltInMetrics.LogitDifference, item.Clean.LastLogits, item.Pair, item.Clean.LastLogits);
            });
            Assert.Equal(expected, actual.Effects[0][sender], 1e-4);
        }
    }

    [Fact]
    public void An_effect_depends_neither_on_the_batch_nor_on_the_senders_beside_it()
    {
        using OddModel odd = OddModel.Make("untied, erf");
        var graph = new ComputationGraph(odd.Weights.Config);
        int[] senders = [.. Enumerable.Range(0, graph.Writers)];
        PathReceiver[] receivers = [new(graph.HeadColumn(1, HeadInput.Key, 1), TokenPositions.All),
            new(graph.LogitsColumn, TokenPositions.End)];
        ImmutableArray<double> Measure(int batch, params int[] rows) => PathPatching.Measure(
            odd.Weights,
            PromptSet.Of(odd.Mixed),
            [new PathQuery(rows, receivers)],
            new PathPatchingOptions { BatchSize = batch }).Effects[0];
        ImmutableArray<double> together = Measure(0, senders);
        foreach (int batch in new[] { 1, 2, 4 })
        {
            Assert.All(together.Zip(Measure(batch, senders)), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
        }
        Assert.All(senders, sender => Assert.Equal(together[sender], Measure(0, sender)[0], 1e-5));
        ImmutableArray<double> reversed = Measure(0, [.. senders.Reverse()]);
        Assert.Equal(together, reversed.Reverse());
    }

    [Fact]
    public void More_senders_than_fit_in_a_pass_run_one_after_the_other()
    {
        using OddModel odd = OddModel.Make("relu, unscaled attention");
        var graph = new ComputationGraph(odd.Weights.Config);
        PathReceiver[] receivers = [new(graph.LogitsColumn, TokenPositions.End)];
        int[] once = [.. Enumerable.Range(0, graph.Writers)];
        int[] many = [.. Enumerable.Range(0, 7).SelectMany(_ => once)];
        PathEffects expected = PathPatching.Measure(
            odd.Weights, PromptSet.Of(odd.Mixed), [new PathQuery(once, receivers)], new PathPatchingOptions());
        PathEffects actual = PathPatching.Measure(
            odd.Weights, PromptSet.Of(odd.Mixed), [new PathQuery(many, receivers)], new PathPatchingOptions());
        for (int i = 0; i < many.Length; i++) Assert.Equal(expected.Effects[0][many[i]], actual.Effects[0][i], 1e-5);
    }

    [Fact]
    public void Progress_counts_every_sender_and_a_cancelled_run_stops()
    {
        using OddModel odd = OddModel.Make("head bias");
        var graph = new ComputationGraph(odd.Weights.Config);
        var query = new PathQuery([0, 1, 2], [new PathReceiver(graph.LogitsColumn, TokenPositions.End)]);
        var seen = new List<RunProgress>();
        PathPatching.Measure(
            odd.Weights, PromptSet.Of(odd.Mixed), [query, query], new PathPatchingOptions { BatchSize = 2 }, new Recorder(seen.Add));
        Assert.Equal(2 * 3 * odd.Mixed.Length, seen[^1].Done);
        Assert.Equal(seen[^1].Done, seen[^1].Total);
        using var stop = new CancellationTokenSource();
        var progress = new Recorder(_ => stop.Cancel());
        Assert.Throws<OperationCanceledException>(
            () => PathPatching.Measure(
                odd.Weights, PromptSet.Of(odd.Mixed), [query, query], new PathPatchingOptions(), progress, stop.Token));
    }

    // Both kinds of sublayers, several layers, a receiver behind another one, a whole layer.
    private static IEnumerable<int[]> Sets(ComputationGraph graph)
    {
        int last = graph.Layers - 1;
        yield return [.. Enumerable.Range(0, graph.Heads).Select(h => graph.HeadColumn(last, HeadInput.Query, h))];
        yield return [graph.HeadColumn(last, HeadInput.Key, 0), graph.HeadColumn(last, HeadInput.Value, graph.Heads - 1),
            graph.MlpColumn(last)];
        yield return [graph.HeadColumn(0, HeadInput.Value, 0), graph.HeadColumn(last, HeadInput.Query, graph.Heads - 1), graph.MlpColumn(0),
            graph.LogitsColumn];
    }

    private sealed class Recorder(Action<RunProgress> report) : IProgress<RunProgress>
    {
        public void Report(RunProgress value) => report(value);
    }
}
