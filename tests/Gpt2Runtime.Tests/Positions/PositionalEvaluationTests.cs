using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Positions;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Tests.Positions;

/// <summary>Circuits of edges between spans: against a float64 reference, and against plain circuits.</summary>
public sealed class PositionalEvaluationTests
{
    public static TheoryData<string, Ablation> Cases
    {
        get
        {
            var cases = new TheoryData<string, Ablation>();
            foreach (string model in OddModel.Names)
            {
                cases.Add(model, Ablation.Patching);
                cases.Add(model, Ablation.Zero);
            }
            cases.Add("head bias", Ablation.MeanPositional);
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Circuits_behave_as_in_the_reference(string name, Ablation ablation)
    {
        using OddModel model = OddModel.Make(name);
        PromptPair[] pairs = Named(ablation == Ablation.MeanPositional ? model.Equal : model.Mixed);
        PositionalGraph graph = Graph(model, pairs);
        PositionalCircuit[] circuits = Random(graph);
        EvaluationResult result = PositionalEvaluation.Evaluate(
            model.Weights, PromptSet.Of(pairs), circuits, new EvaluationOptions { Ablation = ablation, BatchSize = 3 });
        ReferenceItem[] items = ReferenceItem.Prepare(
            model.Reference, pairs, Enum.Parse<ReferenceAblation>(ablation.ToString()));
        for (int i = 0; i < items.Length; i++)
        {
            var reference = new ReferencePositions(
                model.Reference, PositionalPrompts.SpansOf(pairs[i], graph), graph.Spans.Count);
            double Value(Func<int, int, int, int, bool> isIn) => ReferenceMetric.Value(
                BuiltInMetrics.LogitDifference,
                reference.Forward(items[i].CleanEmbedding, isIn, items[i].Replacement).LastLogits, pairs[i], items[i].Clean.LastLogits);
            Assert.Equal(Value((_, _, _, _) => true), result.Full.Metric[i], 2e-5);
            Assert.Equal(Value((_, _, _, _) => false), result.Empty.Metric[i], 2e-5);
            for (int c = 0; c < circuits.Length; c++)
            {
                double expected = Value((u, s, v, t) => new PositionalEdge(u, s, v, t) is var edge
                    && graph.IsEdge(edge) && circuits[c].Contains(edge));
                Assert.Equal(expected, result.Circuits[c].Metric[i], 2e-5);
            }
        }
        Assert.Contains(result.Circuits, c => Math.Abs(c.Metric[0] - result.Empty.Metric[0]) > 1e-3);
    }

    [Theory]
    [InlineData("relu, unscaled attention")]
    [InlineData("head bias")]
    public void A_plain_circuit_at_all_spans_is_the_plain_circuit(string name)
    {
        using OddModel model = OddModel.Make(name);
        PromptPair[] pairs = Named(model.Mixed);
        PositionalGraph graph = Graph(model, pairs);
        var random = new Random(5);
        Circuit[] plain = [.. new[] { 0.2, 0.6, 1.0 }.Select(density =>
            Circuit.Of(graph.Graph, graph.Graph.Edges.Where(_ => random.NextDouble() < density)))];
        EvaluationResult expected = CircuitEvaluation.Evaluate(model.Weights, PromptSet.Of(pairs), plain, new EvaluationOptions());
        EvaluationResult result = PositionalEvaluation.Evaluate(
            model.Weights, PromptSet.Of(pairs), [.. plain.Select(c => PositionalCircuit.Of(graph, c))], new EvaluationOptions());
        for (int c = 0; c < plain.Length; c++)
        {
            for (int i = 0; i < pairs.Length; i++)
            {
                Assert.Equal(expected.Circuits[c].Metric[i], result.Circuits[c].Metric[i], 2e-5);
                Assert.Equal(expected.Circuits[c].Kl[i], result.Circuits[c].Kl[i], 2e-5);
            }
        }
    }

    [Fact]
    public void Pruning_changes_nothing_that_a_circuit_computes()
    {
        using OddModel model = OddModel.Make("untied, erf");
        PromptPair[] pairs = Named(model.Mixed);
        PositionalCircuit[] circuits = Random(Graph(model, pairs));
        PositionalCircuit[] pruned = [.. circuits.Select(PositionalSelection.Prune)];
        Assert.Contains(pruned.Index(), p => p.Item.EdgeCount > 0 && p.Item.EdgeCount < circuits[p.Index].EdgeCount);
        Assert.All(pruned, p => Assert.Equal(p.EdgeCount, PositionalSelection.Prune(p).EdgeCount));
        EvaluationResult result = PositionalEvaluation.Evaluate(
            model.Weights, PromptSet.Of(pairs), [.. circuits, .. pruned], new EvaluationOptions());
        for (int c = 0; c < circuits.Length; c++)
        {
            for (int i = 0; i < pairs.Length; i++)
                Assert.Equal(result.Circuits[c].Metric[i], result.Circuits[circuits.Length + c].Metric[i], 2e-5);
        }
    }

    [Fact]
    public void Prompts_of_other_spans_are_refused()
    {
        using OddModel model = OddModel.Make("head bias");
        PromptPair[] pairs = Named(model.Equal);
        PositionalCircuit circuit = new(Graph(model, pairs), []);
        PromptPair[] others = [.. pairs.Select(p => p with { Spans = [new TokenSpan("x", 0, p.Length)] })];
        GradpathException error = Assert.Throws<GradpathException>(() => PositionalEvaluation.Evaluate(
            model.Weights, PromptSet.Of(others), [circuit], new EvaluationOptions()));
        Assert.Contains("the circuit's spans are a, b, end, rest; those of", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Memory_is_planned()
    {
        using OddModel model = OddModel.Make("head bias");
        PromptPair[] pairs = Named(model.Equal);
        PositionalCircuit[] circuits = Random(Graph(model, pairs));
        EvaluationResult result = PositionalEvaluation.Evaluate(
            model.Weights, PromptSet.Of(pairs), circuits, new EvaluationOptions { BatchSize = 5 });
        long weights = model.Device.AllocatedBytes;
        Assert.InRange(result.PeakDeviceBytes - weights, 1, result.Plan.PlannedBytes);
    }

    internal static PromptPair[] Named(PromptPair[] pairs) => [.. pairs.Select(PositionalPrompts.Named)];

    internal static PositionalGraph Graph(OddModel model, PromptPair[] pairs) => model.Score(
        pairs, new AttributionOptions { Method = AttributionMethods.Eap, Positions = PositionMode.Spans }).Positional!.Graph;

    private static PositionalCircuit[] Random(PositionalGraph graph)
    {
        var random = new Random(4);
        return [.. new[] { 0.05, 0.3, 0.8 }.Select(density =>
            new PositionalCircuit(graph, graph.Edges.Where(_ => random.NextDouble() < density)))];
    }
}
