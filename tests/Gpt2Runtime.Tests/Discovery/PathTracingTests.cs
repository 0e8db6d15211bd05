using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Gpt2Runtime.Tests.Discovery;

/// <summary>Following paths backwards finds circuits that are known.</summary>
public sealed class PathTracingTests
{
    public static TheoryData<string, bool> Known
    {
        get
        {
            TheoryData<string, bool> cases = [];
            foreach (string name in KnownCircuits.Names)
            {
                cases.Add(name, true);
                cases.Add(name, false);
            }
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Known))]
    public void A_known_circuit_is_found_exactly(string name, bool freezeMlps)
    {
        KnownCircuit known = KnownCircuits.Make(name);
        PathTrace trace = Trace(known, new PathPatchingOptions { FreezeMlps = freezeMlps }, new PathTracingOptions());
        Assert.Equal(known.FullMetric * HandSetModel.LogitScale, trace.CleanMetric, 1e-2);
        Assert.Equal(known.EdgeNames.Order(), Names(trace).Order());
        Circuit circuit = trace.Circuit(withMlps: false, lossSign: -1);
        Assert.Equal(known.Circuit().Membership.ToArray(), circuit.Membership.ToArray());
        Assert.Equal(trace.Rounds[0].Edges[0].Effect, -circuit.Scores![trace.Rounds[0].Edges[0].Row, trace.Graph.LogitsColumn], 1e-5);
    }

    [Theory]
    [InlineData("induction", 5)]
    [InlineData("negative", 6)]
    public void The_strongest_few_per_round_find_it_too_and_nothing_is_made_up_where_there_are_fewer(string name, int top)
    {
        KnownCircuit known = KnownCircuits.Make(name);
        PathTrace trace = Trace(known, new PathPatchingOptions { FreezeMlps = true }, new PathTracingOptions { Threshold = null, Top = top });
        Assert.Equal(known.EdgeNames.Order(), Names(trace).Order());
        PathTrace one = Trace(known, new PathPatchingOptions(), new PathTracingOptions { Threshold = null, Top = 1 });
        Assert.All(one.Rounds, round => Assert.True(round.Edges.Count <= 1));
    }

    [Fact]
    public void The_effects_of_the_negative_head_are_the_ones_that_its_weights_say()
    {
        KnownCircuit known = KnownCircuits.Negative();
        PathTrace trace = Trace(known, new PathPatchingOptions { FreezeMlps = true }, new PathTracingOptions());
        double Effect(string edge) => trace.Rounds.SelectMany(r => r.Edges).Single(e => trace.Graph.EdgeName(e.Row, e.Receiver.Column) == edge).Effect / HandSetModel.LogitScale;
        foreach ((string edge, double metric) in known.MetricWithout) Assert.Equal(metric - known.FullMetric, Effect(edge), 2e-3);
        Assert.Equal(["logits", "q", "k", "v", "all"], trace.Rounds.SelectMany(r => r.Maps.Select(m => m.Kind)).Distinct());
    }

    [Fact]
    public void The_induction_head_is_followed_through_query_key_and_value_to_where_each_comes_from()
    {
        PathTrace trace = Trace(KnownCircuits.Induction(), new PathPatchingOptions(), new PathTracingOptions());
        string[][] rounds = [.. trace.Rounds.Select(r => r.Edges.Select(e => trace.Graph.EdgeName(e.Row, e.Receiver.Column)).Order(StringComparer.Ordinal).ToArray())];
        Assert.Equal(["a1.h2->logits"], rounds[0]);
        Assert.Equal(["a0.h1->a1.h2<k>", "input->a1.h2<q>", "input->a1.h2<v>"], rounds[1]);
        Assert.Equal(["input->a0.h1<v>"], rounds[2]);
        Assert.Equal(TokenPositions.End, trace.Rounds[1].Maps.Single(m => m.Kind == "q").Receivers[0].Positions);
        Assert.Equal(TokenPositions.All, trace.Rounds[2].Maps.Single(m => m.Kind == "q").Receivers[0].Positions);
    }

    [Fact]
    public void Where_mlps_react_the_circuit_has_the_paths_through_them()
    {
        KnownCircuit known = KnownCircuits.Induction();
        PathTrace trace = Trace(known, new PathPatchingOptions(), new PathTracingOptions());
        string[] edges = [.. trace.Circuit(withMlps: true, lossSign: -1).Edges.Select(e => trace.Graph.EdgeName(e.Row, e.Column))];
        Assert.All(known.EdgeNames, e => Assert.Contains(e, edges));
        Assert.Equal(
            ["a0.h1->m0", "a1.h2->m1", "input->m0", "m0->a1.h2<k>", "m0->a1.h2<q>", "m0->a1.h2<v>", "m1->logits"],
            edges.Except(known.EdgeNames).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Rounds_end_at_their_limit_and_an_earlier_run_is_gone_on_from()
    {
        KnownCircuit known = KnownCircuits.Induction();
        using var device = new CpuDevice(1);
        using Gpt2Weights weights = EngineModels.Weights(known.Model, device);
        PathTrace whole = Run([], null, 4);
        PathTrace first = Run([], null, 1);
        Assert.Single(first.Rounds);
        int finished = 0;
        PathTrace resumed = Run(first.Rounds, rounds => finished = rounds.Count, 4);
        Assert.Equal(whole.Rounds.Count, finished);
        Assert.Same(first.Rounds[0], resumed.Rounds[0]);
        Assert.Equal(Names(whole), Names(resumed));
        finished = 0;
        PathTrace again = Run(whole.Rounds, rounds => finished = rounds.Count, 4);
        Assert.Equal((0, whole.CleanMetric), (finished, again.CleanMetric));

        PathTrace Run(IReadOnlyList<PathRound> earlier, Action<IReadOnlyList<PathRound>>? done, int rounds) => PathTracing.Trace(
            weights,
            PromptSet.Of(known.Pairs),
            [.. Enumerable.Range(0, known.Graph.Writers)],
            [new PathReceiver(known.Graph.LogitsColumn, TokenPositions.End)],
            new PathPatchingOptions(),
            new PathTracingOptions { Rounds = rounds },
            earlier,
            done);
    }

    [Fact]
    public void The_circuit_that_was_found_is_faithful()
    {
        KnownCircuit known = KnownCircuits.Negative();
        using var device = new CpuDevice(1);
        using Gpt2Weights weights = EngineModels.Weights(known.Model, device);
        Circuit circuit = Trace(known, new PathPatchingOptions { FreezeMlps = true }, new PathTracingOptions()).Circuit(false, -1);
        EvaluationResult result = CircuitEvaluation.Evaluate(
            weights, PromptSet.Of(known.Pairs), [circuit], new EvaluationOptions { Metric = TaskMetric.LogitDifference });
        Assert.Equal(1, Faithfulness.Of(result.Full, result.Circuits[0], result.Empty), 1e-3);
    }

    private static IEnumerable<string> Names(PathTrace trace) => trace.Rounds.SelectMany(r => r.Edges).Select(e => trace.Graph.EdgeName(e.Row, e.Receiver.Column));

    private static PathTrace Trace(KnownCircuit known, PathPatchingOptions patching, PathTracingOptions tracing)
    {
        using var device = new CpuDevice(1);
        using Gpt2Weights weights = EngineModels.Weights(known.Model, device);
        return PathTracing.Trace(
            weights,
            PromptSet.Of(known.Pairs),
            [.. Enumerable.Range(0, known.Graph.Writers)],
            [new PathReceiver(known.Graph.LogitsColumn, TokenPositions.End)],
            patching,
            tracing);
    }
}
