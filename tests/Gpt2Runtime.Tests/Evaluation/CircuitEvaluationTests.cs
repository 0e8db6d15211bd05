using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels.Cpu;
using Xunit.Abstractions;

namespace Gradpath.Gpt2Runtime.Tests.Evaluation;

/// <summary>The patched forward pass against the EAP-IG library's evaluations and against the float64 definition.</summary>
public sealed class CircuitEvaluationTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("tiny-random/equal")]
    [InlineData("tiny-random/padded")]
    [InlineData("nano-sort/sort_k2")]
    public void Evaluations_equal_the_goldens(string name)
    {
        GoldenSet set = GoldenSet.Read(name);
        using var device = new CpuDevice(2);
        using Gpt2Weights weights = EngineModels.Weights(ReferenceCheckpoint.Load(set.ModelDirectory), device);
        var graph = new ComputationGraph(weights.Config);
        double worst = 0;
        foreach (var group in set.Circuits.Circuits.Concat(set.Circuits.Interventions).GroupBy(c => c.Intervention))
        {
            GoldenCircuit[] golden = [.. group.Where(c => c.AfterPrune.Length > 0 || c.BeforePrune.Length > 0)];
            Circuit[] circuits = [.. golden.Select(c => Named(graph, c.AfterPrune)),
                .. golden.Where(c => c.BeforePrune.Length > 0 && group.Key == "patching").Select(c => Named(graph, c.BeforePrune))];
            GoldenCircuit[] expected = [.. golden, .. golden.Where(c => c.BeforePrune.Length > 0 && group.Key == "patching")];
            var ablation = Enum.Parse<Ablation>(ReferenceKeys.Ablation(group.Key).ToString());
            EvaluationResult result = CircuitEvaluation.Evaluate(
                weights, PromptSet.Of(set.Pairs), circuits, new EvaluationOptions { Ablation = ablation });
            for (int i = 0; i < circuits.Length; i++)
            {
                worst = Math.Max(worst, Largest(expected[i].Evaluation.LogitDiff, result.Circuits[i].Metric));
                worst = Math.Max(worst, Largest(expected[i].Evaluation.Kl, result.Circuits[i].Kl));
            }
            if (group.Key != "patching") continue;
            worst = Math.Max(worst, Largest(set.Circuits.Full.LogitDiff, result.Full.Metric));
            worst = Math.Max(worst, Largest(set.Circuits.Empty.LogitDiff, result.Empty.Metric));
        }
        output.WriteLine($"| {name} | {set.Circuits.Circuits.Count + set.Circuits.Interventions.Count} circuits | {worst:0.0e+0} |");
        Assert.True(worst < 2e-5, $"{worst}");
    }

    /// <summary>The mean difference is 4, so a tenth of it is 0.4.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public void An_effect_below_a_tenth_of_the_mean_is_small(int sign)
    {
        CircuitOutcome full = Outcome(8, 0.39, 3.1, 8.02), empty = Outcome(0, 0, 3.51, 0);
        Assert.Equal([false, true, false, false], Faithfulness.SmallEffects(Signed(full), Signed(empty)));

        CircuitOutcome Signed(CircuitOutcome o) => o with { Metric = [.. o.Metric.Select(m => sign * m)] };

        static CircuitOutcome Outcome(params double[] metric) => new([.. metric], [], [], []);
    }

    [Fact]
    public void No_divergence_is_negative()
    {
        GoldenSet set = GoldenSet.Read("nano-sort/sort_k2");
        using var device = new CpuDevice(2);
        using Gpt2Weights weights = EngineModels.Weights(ReferenceCheckpoint.Load(set.ModelDirectory), device);
        EdgeScores scores = EdgeAttribution.Score(weights, PromptSet.Of(set.Pairs), new AttributionOptions());
        Circuit whole = CircuitSelection.TopEdges(scores, scores.Graph.EdgeCount);
        EvaluationResult result = CircuitEvaluation.Evaluate(
            weights, PromptSet.Of(set.Pairs), [whole], new EvaluationOptions { Metric = BuiltInMetrics.KlDivergence });
        Assert.All(result.Full.Metric.Concat(result.Circuits[0].Metric).Concat(result.Circuits[0].Kl), kl => Assert.InRange(kl, 0, 1e-6));
    }

    [Theory]
    [InlineData(1, Ablation.Patching)]
    [InlineData(2, Ablation.Patching)]
    [InlineData(3, Ablation.Zero)]
    [InlineData(4, Ablation.MeanPositional)]
    public void Random_circuits_on_odd_models_equal_the_definition(int seed, Ablation ablation)
    {
        var config = new Gpt2Config
        {
            Layers = 1 + (seed % 3),
            Heads = 3,
            Width = 15,
            InnerWidth = 22,
            Positions = 12,
            Vocabulary = 17,
            TiedHead = seed % 2 == 0
        };
        ReferenceModel reference = ReferenceModel.Random(config, seed, unembeddingBias: seed == 2);
        PromptPair[] pairs = ReferencePrompts.Random(17, 5, ablation == Ablation.MeanPositional ? 7 : 3, 7, seed);
        var graph = new ComputationGraph(config);
        var random = new Random(seed);
        double[] densities = [0, 0.02, 0.1, 0.3, 0.5, 0.8, 0.97, 1];
        bool[][] edges = [.. densities.Select(density =>
        {
            var kept = new bool[graph.Writers * graph.Readers];
            foreach ((int row, int column) in graph.Edges) kept[(row * graph.Readers) + column] = random.NextDouble() < density;
            return kept;
        })];
        using var device = new CpuDevice(2);
        using Gpt2Weights weights = EngineModels.Weights(reference, device);
        EvaluationResult result = CircuitEvaluation.Evaluate(
            weights,
            PromptSet.Of(pairs),
            [.. edges.Select(e => new Circuit(graph, e))],
            new EvaluationOptions { Metric = BuiltInMetrics.ProbabilityDifference, Ablation = ablation, BatchSize = 2 });
        for (int i = 0; i < edges.Length; i++)
        {
            ReferenceCircuit expected = ReferenceCircuit.Evaluate(
                reference, pairs, InCircuit(graph, edges[i]), Enum.Parse<ReferenceAblation>(ablation.ToString()));
            Assert.True(Largest(expected.Metric(BuiltInMetrics.ProbabilityDifference), result.Circuits[i].Metric) < 1e-5,
                $"density {densities[i]}");
            Assert.True(Largest(expected.Metric(BuiltInMetrics.KlDivergence), result.Circuits[i].Kl) < 1e-5, $"density {densities[i]}");
        }
    }

    [Fact]
    public void The_full_circuit_is_the_clean_run_and_the_empty_one_the_corrupted_run()
    {
        var config = new Gpt2Config { Layers = 3, Heads = 2, Width = 16, InnerWidth = 64, Positions = 12, Vocabulary = 23 };
        ReferenceModel reference = ReferenceModel.Random(config, 9);
        PromptPair[] pairs = ReferencePrompts.Random(23, 6, 4, 9, 9);
        using var device = new CpuDevice(2);
        using Gpt2Weights weights = EngineModels.Weights(reference, device);
        EvaluationResult result = CircuitEvaluation.Evaluate(weights, PromptSet.Of(pairs), [], new EvaluationOptions());
        AttributionResult runs = EdgeAttribution.Run(
            weights, PromptSet.Of(pairs), new AttributionOptions { Method = AttributionMethods.Eap });
        Assert.True(Largest(runs.CleanMetric, result.Full.Metric) < 1e-5);
        Assert.True(Largest(runs.CorruptedMetric, result.Empty.Metric) < 1e-5);
        Assert.Equal(1, result.Full.ExactMatchRate);
        Assert.All(result.Full.Kl, kl => Assert.InRange(kl, -1e-6, 1e-6));
    }

    [Fact]
    public void Faithfulness_is_a_ratio_of_means_with_a_repeatable_interval_around_it()
    {
        double[] full = [4, 2, 3], circuit = [3, 2, 1], empty = [0, 0, 1];
        Assert.Equal((6.0 - 1) / (9 - 1), Faithfulness.Of(full, circuit, empty), 12);
        (double low, double high) = Faithfulness.Interval(full, circuit, empty, seed: 3);
        Assert.Equal((low, high), Faithfulness.Interval(full, circuit, empty, seed: 3));
        Assert.InRange(0.625, low, high);
        Assert.Equal((1, 1), Faithfulness.Interval(full, full, empty));
        Assert.True(double.IsNaN(Faithfulness.Of(empty, circuit, empty)));
    }

    [Fact]
    public void One_item_has_no_interval() =>
        Assert.Equal((double.NaN, double.NaN), Faithfulness.Interval([1.0], [0.5], [0.0]));

    private static Circuit Named(ComputationGraph graph, IEnumerable<string> names) => Circuit.Of(graph, names.Select(name =>
    {
        Assert.True(graph.TryParseEdge(name, out int row, out int column), name);
        return (row, column);
    }));

    private static bool[,] InCircuit(ComputationGraph graph, bool[] edges)
    {
        var result = new bool[graph.Writers, graph.Readers];
        for (int i = 0; i < edges.Length; i++) result[i / graph.Readers, i % graph.Readers] = edges[i];
        return result;
    }

    private static double Largest(IReadOnlyList<double> expected, IReadOnlyList<double> actual) =>
        expected.Zip(actual, (e, a) => Math.Abs(e - a)).Max() / Math.Max(1, expected.Max(Math.Abs));
}
