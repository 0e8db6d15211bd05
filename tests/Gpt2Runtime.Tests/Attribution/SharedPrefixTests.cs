using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Tests.Attribution;

/// <summary>Leaving out the positions before the first difference of a pair changes nothing but the time.</summary>
public sealed class SharedPrefixTests
{
    public static TheoryData<string, string, string> Cases
    {
        get
        {
            var cases = new TheoryData<string, string, string>();
            bool Shares(AttributionMethod method) =>
                method.Work.SharesPrefixes(ScoringSettings.Of(new AttributionOptions { Method = method }));
            foreach (string name in OddModel.Names)
            {
                foreach (AttributionMethod method in AttributionMethods.All.Where(Shares))
                    cases.Add(name, method.Name, BuiltInMetrics.LogitDifference.Name);
                cases.Add(name, AttributionMethods.EapIg.Name, BuiltInMetrics.KlDivergence.Name);
            }
            return cases;
        }
    }

    [Fact]
    public void A_span_begins_at_the_first_difference_and_has_at_least_the_last_position()
    {
        PromptPair[] pairs = [Pair([1, 2, 3], [1, 2, 4]), Pair([5, 2, 3], [1, 2, 4]), Pair([1, 2, 3, 4], [1, 9, 3, 4]),
            Pair([7, 7], [7, 7]), Pair([3], [3])];
        Assert.Equal([new(2, 1), new(0, 3), new(1, 3), new(1, 1), new(0, 1)], PairSpans.Of(pairs, sharePrefixes: true));
        Assert.Equal([new(0, 3), new(0, 3), new(0, 4), new(0, 2), new(0, 1)], PairSpans.Of(pairs, sharePrefixes: false));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Scores_are_those_of_whole_prompts(string name, string methodName, string metricName)
    {
        Metric metric = BuiltInMetrics.Find(metricName);
        AttributionMethod method = AttributionMethods.Find(methodName);
        using OddModel model = OddModel.Make(name);
        int? steps = method.Takes(MethodSettings.Steps) ? 3 : null;
        var options = new AttributionOptions { Method = method, Metric = metric, Steps = steps, BatchSize = 4 };
        PromptPair[] pairs = WithPrefixes(model.Mixed);
        AttributionResult whole = EdgeAttribution.Run(
            model.Weights, PromptSet.Of(pairs), options, new ScoringHooks { WholePrompts = true });
        AttributionResult shared = model.Score(pairs, options);
        (float[] wholeEdges, float[] sharedEdges, float[] wholeNodes, float[] sharedNodes) = (
            whole.Edges(), shared.Edges(), whole.Nodes(), shared.Nodes());
        float size = wholeEdges.Max(Math.Abs);
        Assert.True(size > 0);
        for (int i = 0; i < wholeEdges.Length; i++) Assert.Equal(wholeEdges[i], sharedEdges[i], 2e-5f * size);
        for (int i = 0; i < wholeNodes.Length; i++) Assert.Equal(wholeNodes[i], sharedNodes[i], 5e-5f * wholeNodes.Max(Math.Abs));
        for (int i = 0; i < pairs.Length; i++)
        {
            Assert.Equal(whole.CleanMetric[i], shared.CleanMetric[i], 1e-5);
            Assert.Equal(whole.CorruptedMetric[i], shared.CorruptedMetric[i], 1e-5);
        }
    }

    [Theory]
    [InlineData("one head")]
    [InlineData("relu, unscaled attention")]
    [InlineData("untied, erf")]
    [InlineData("head bias")]
    public void Circuits_behave_as_on_whole_prompts(string name)
    {
        using OddModel model = OddModel.Make(name);
        PromptPair[] pairs = WithPrefixes(model.Mixed);
        var graph = new ComputationGraph(model.Weights.Config);
        var random = new Random(4);
        Circuit[] circuits = [.. new[] { 0.15, 0.5, 0.9 }.Select(density =>
        {
            bool[] member = [.. Enumerable.Range(0, graph.Writers * graph.Readers).Select(i =>
                graph.IsEdge(i / graph.Readers, i % graph.Readers) && random.NextDouble() < density)];
            return new Circuit(graph, member);
        })];
        var options = new EvaluationOptions { BatchSize = 3 };
        EvaluationResult whole = CircuitEvaluation.Evaluate(model.Weights, PromptSet.Of(pairs), circuits, options, wholePrompts: true);
        EvaluationResult shared = CircuitEvaluation.Evaluate(model.Weights, PromptSet.Of(pairs), circuits, options);
        for (int c = 0; c < circuits.Length; c++)
        {
            for (int i = 0; i < pairs.Length; i++)
            {
                Assert.Equal(whole.Circuits[c].Metric[i], shared.Circuits[c].Metric[i], 1e-5);
                Assert.Equal(whole.Circuits[c].Kl[i], shared.Circuits[c].Kl[i], 1e-5);
            }
        }
    }

    // Prefixes of 0, 1, 2 .. tokens, one pair that differs in its last token alone, one that does not differ.
    internal static PromptPair[] WithPrefixes(PromptPair[] pairs) =>
    [
        .. pairs.Select((p, i) => p with { Corrupted = [.. p.Clean.Select((token, at) => at < i ? token : p.Corrupted[at])] }),
        pairs[4] with { Corrupted = [.. pairs[4].Clean[..^1], pairs[4].Corrupted[^1]] },
        pairs[3] with { Corrupted = pairs[3].Clean },
    ];

    private static PromptPair Pair(int[] clean, int[] corrupted) => new(clean, corrupted, [0], [1]);
}
