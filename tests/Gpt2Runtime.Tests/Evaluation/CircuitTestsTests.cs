using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Statistics;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Gpt2Runtime.Tests.Evaluation;

/// <summary>The tests of a circuit against the circuits that they are about, evaluated one by one.</summary>
public sealed class CircuitTestsTests : IDisposable
{
    private static readonly Gpt2Config s_config = new()
    {
        Layers = 2,
        Heads = 2,
        Width = 12,
        InnerWidth = 20,
        Positions = 10,
        Vocabulary = 17
    };

    private readonly PromptSet _prompts = PromptSet.Of(ReferencePrompts.Random(17, 8, 4, 7, 6));
    private readonly ComputationGraph _graph = new(s_config);
    private readonly CpuDevice _device = new(2);
    private readonly Gpt2Weights _weights;
    private readonly Circuit _circuit;

    public CircuitTestsTests()
    {
        _weights = EngineModels.Weights(ReferenceModel.Random(s_config, 6), _device);
        _circuit = RandomCircuits.OfSize(_graph, 20, 3);
    }

    public void Dispose()
    {
        _weights.Dispose();
        _device.Dispose();
    }

    [Fact]
    public void Every_statistic_is_that_of_the_circuits_evaluated_by_themselves()
    {
        CircuitTestOptions options = new() { RandomDraws = 12, Permutations = 50, Edges = 6, Seed = 4, Alpha = 0.2 };
        CircuitTests tests = Run(_circuit, options);
        Assert.Equal(Enum.GetValues<CircuitTestKind>(), tests.Results.Select(r => r.Kind));
        (double[] full, double[] empty, double[] circuit) = Metrics(_circuit);
        double[] complement = Metrics(RandomCircuits.Complement(_circuit)).Circuit;
        double wins = Enumerable.Range(0, 8).Sum(i => circuit[i] > full[i] ? 1 : circuit[i] < full[i] ? 0 : 0.5);
        Assert.Equal(wins / 8, tests.Results[0].Statistic);
        Assert.Equal(SignTest.DifferenceP(8, wins, 0.1), tests.Results[0].PValue);
        Assert.Equal(SignTest.EquivalenceP(8, wins, 0.1), tests.Results[1].PValue);
        Assert.Equal(IndependenceTest.Run(complement, full, 1, 0).Statistic, tests.Results[2].Statistic, 9);
        Assert.Equal(Faithfulness.Of(full, circuit, empty), tests.Faithfulness, 6);
        Assert.Equal(1 - Faithfulness.Of(full, complement, empty), tests.Damage, 6);

        Assert.Equal(6, tests.Edges.Count);
        Assert.Equal(12, tests.InflatedChanges.Count);
        Assert.Equal(tests.Edges.Select(e => e.Change).OrderDescending(), tests.Edges.Select(e => e.Change));
        IReadOnlyList<double> holm = MultipleTesting.Holm([.. tests.Edges.Select(e => e.PValue)]);
        IReadOnlyList<double> discovered = MultipleTesting.BenjaminiHochberg([.. tests.Edges.Select(e => e.PValue)]);
        for (int i = 0; i < 6; i++)
        {
            CircuitTestEdge edge = tests.Edges[i];
            Assert.True(_circuit.Contains(edge.Row, edge.Column));
            double[] without = Metrics(RandomCircuits.Without(_circuit, edge.Row, edge.Column)).Circuit;
            Assert.Equal(circuit.Zip(without, (a, b) => Math.Abs(a - b)).Average(), edge.Change, 6);
            Assert.Equal(RankTest.PValue(edge.Change, tests.InflatedChanges), edge.PValue);
            Assert.Equal((holm[i], discovered[i]), (edge.Holm, edge.BenjaminiHochberg));
            Assert.Equal(discovered[i] <= 0.2, edge.Needed);
        }
        Assert.Equal(tests.Edges.Max(e => e.PValue), tests.Results[3].PValue);
        Assert.Equal(RankTest.PValue(tests.Faithfulness, tests.RandomFaithfulness), tests.Results[4].PValue);
        Assert.Equal(RankTest.PValue(tests.Damage, tests.RandomDamage), tests.Results[5].PValue);

        // The random circuits are those of the plan.
        var plan = new CircuitTestPlan(_circuit, options);
        int first = plan.Count - 24;
        for (int i = 0; i < 12; i++)
        {
            Circuit random = plan.Make(first + i);
            Assert.Equal(_circuit.EdgeCount, random.EdgeCount);
            Assert.Equal(random.Edges, RandomCircuits.Complement(plan.Make(first + 12 + i)).Edges);
            Assert.Equal(Faithfulness.Of(full, Metrics(random).Circuit, empty), tests.RandomFaithfulness[i], 6);
        }
    }

    [Fact]
    public void The_same_seed_gives_the_same_results_and_another_seed_others()
    {
        CircuitTestOptions options = new() { RandomDraws = 10, Permutations = 50, Edges = 5, Seed = 4 };
        CircuitTests tests = Run(_circuit, options), again = Run(_circuit, options), other = Run(_circuit, options with { Seed = 5 });
        Assert.Equal(tests.Results, again.Results);
        Assert.Equal(tests.Edges, again.Edges);
        Assert.NotEqual(tests.RandomFaithfulness, other.RandomFaithfulness);
        Assert.NotEqual(tests.Edges, other.Edges);

        // A test has the same numbers whether others run with it or not.
        CircuitTests one = Run(_circuit, options with { Tests = [CircuitTestKind.PartialNecessity] });
        Assert.Equal(tests.Results[5], Assert.Single(one.Results));
        Assert.Empty(one.RandomFaithfulness);
        Assert.Empty(one.Edges);
    }

    [Fact]
    public void The_full_model_as_a_circuit_is_equivalent_and_its_complement_knows_nothing()
    {
        PromptSet many = PromptSet.Of(ReferencePrompts.Random(17, 120, 4, 5, 6));
        CircuitTestOptions options = new()
        {
            Tests = [CircuitTestKind.Equivalence, CircuitTestKind.NonEquivalence, CircuitTestKind.Sufficiency],
            RandomDraws = 5,
        };
        CircuitTests tests = CircuitTests.Run(_weights, many, Circuit.Of(_graph, _graph.Edges), options);
        Assert.Equal((0.5, 1.0, CircuitEvidence.None), (tests.Results[0].Statistic, tests.Results[0].PValue, tests.Results[0].Evidence));
        Assert.Equal(CircuitEvidence.For, tests.Results[1].Evidence);

        // Random circuits of that size are the full model too.
        Assert.Equal((1.0, CircuitEvidence.None), (tests.Results[2].PValue, tests.Results[2].Evidence));
        Assert.Equal(1, tests.Faithfulness, 5);
    }

    [Fact]
    public void A_circuit_that_always_does_worse_is_not_equivalent()
    {
        // Less of a loss is better: the same values as a loss turn the wins round.
        Metric right = Metric.Of("right", Traits(false), First), wrong = Metric.Of("wrong", Traits(true), First);
        CircuitTestOptions options = new() { Tests = [CircuitTestKind.Equivalence] };
        CircuitTestResult more = Run(_circuit, options with { Evaluation = new EvaluationOptions { Metric = right } }).Results[0];
        CircuitTestResult less = Run(_circuit, options with { Evaluation = new EvaluationOptions { Metric = wrong } }).Results[0];
        Assert.Equal(1 - more.Statistic, less.Statistic, 12);
        Assert.Equal(more.PValue, less.PValue, 12);

        static MetricTraits Traits(bool isLoss) => new() { NeedsAnswers = true, IsLoss = isLoss };

        static double First(ReadOnlySpan<float> logits, ReadOnlySpan<float> clean, PromptPair pair, Span<float> gradient)
        {
            if (!gradient.IsEmpty) gradient[pair.Answers[0]] = 1;
            return logits[pair.Answers[0]];
        }
    }

    // Under the null hypothesis the circuit is a random one: of 120 the share rejected at 0.1 lies within three deviations, 0.083, of it.
    [Fact]
    public void Random_circuits_are_sufficient_and_necessary_as_often_as_alpha()
    {
        int sufficient = 0, necessary = 0;
        for (int i = 0; i < 120; i++)
        {
            CircuitTests tests = Run(RandomCircuits.OfSize(_graph, 20, 1000 + (ulong)i), new CircuitTestOptions
            {
                Tests = [CircuitTestKind.Sufficiency, CircuitTestKind.PartialNecessity],
                RandomDraws = 19,
                Alpha = 0.1,
                Seed = (ulong)i,
            });
            if (tests.Results[0].Rejected) sufficient++;
            if (tests.Results[1].Rejected) necessary++;
        }
        Assert.InRange(sufficient / 120.0, 0.017, 0.183);
        Assert.InRange(necessary / 120.0, 0.017, 0.183);
    }

    [Fact]
    public void A_circuit_that_was_searched_for_beats_random_ones()
    {
        Circuit best = Enumerable.Range(0, 200).Select(i => RandomCircuits.OfSize(_graph, 20, 5000 + (ulong)i))
            .MaxBy(c => { (double[] full, double[] empty, double[] own) = Metrics(c); return Faithfulness.Of(full, own, empty); })!;
        CircuitTestResult result = Run(best, new CircuitTestOptions { Tests = [CircuitTestKind.Sufficiency] }).Results[0];
        Assert.Equal(CircuitEvidence.For, result.Evidence);
        Assert.Equal(1 / 101.0, result.SmallestP);
    }

    [Fact]
    public void Progress_never_falls_and_ends_at_its_total()
    {
        var told = new Told();
        CircuitTests.Run(_weights, _prompts, _circuit, new CircuitTestOptions { RandomDraws = 150, Permutations = 5, Edges = 1 }, told);
        Assert.Equal(told.Values.Select(v => v.Done).Order(), told.Values.Select(v => v.Done));
        Assert.Single(told.Values.Select(v => v.Total).Distinct());
        Assert.Equal(told.Values[^1].Total, told.Values[^1].Done);
    }

    [Fact]
    public void What_cannot_be_tested_is_refused()
    {
        Assert.Contains("best value", Assert.Throws<OptionException>(() => Run(_circuit, new CircuitTestOptions
        {
            Evaluation = new EvaluationOptions { Metric = BuiltInMetrics.KlDivergence },
        })).Message, StringComparison.Ordinal);
        Assert.Contains("no edges", Assert.Throws<GradpathException>(() => Run(Circuit.Of(_graph, []), new CircuitTestOptions())).Message,
            StringComparison.Ordinal);
        Assert.Contains("every edge", Assert.Throws<GradpathException>(
            () => Run(Circuit.Of(_graph, _graph.Edges), new CircuitTestOptions())).Message, StringComparison.Ordinal);
        Assert.Throws<OptionException>(() => Run(_circuit, new CircuitTestOptions { Alpha = 0 }));
        Assert.Throws<OptionException>(() => Run(_circuit, new CircuitTestOptions { Tolerance = 0.5 }));
        Assert.Throws<OptionException>(() => Run(_circuit, new CircuitTestOptions { RandomDraws = 0 }));
        Assert.Throws<OptionException>(() => Run(_circuit, new CircuitTestOptions { Permutations = 0 }));
        Assert.Throws<OptionException>(() => Run(_circuit, new CircuitTestOptions { Edges = 0 }));
        Assert.Throws<OptionException>(() => Run(_circuit, new CircuitTestOptions { Tests = [] }));
        Assert.Throws<OperationCanceledException>(() => CircuitTests.Run(
            _weights, _prompts, _circuit, new CircuitTestOptions(), null, new CancellationToken(true)));
    }

    private CircuitTests Run(Circuit circuit, CircuitTestOptions options) => CircuitTests.Run(_weights, _prompts, circuit, options);

    private (double[] Full, double[] Empty, double[] Circuit) Metrics(Circuit circuit)
    {
        EvaluationResult result = CircuitEvaluation.Evaluate(_weights, _prompts, [circuit], new EvaluationOptions());
        return ([.. result.Full.Metric], [.. result.Empty.Metric], [.. result.Circuits[0].Metric]);
    }

    private sealed class Told : IProgress<RunProgress>
    {
        public List<RunProgress> Values { get; } = [];

        public void Report(RunProgress value) => Values.Add(value);
    }
}
