using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
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
        PathTracingResult trace = Trace(known, new PathTracingOptions { FreezeMlps = freezeMlps });
        Assert.Equal(known.FullMetric * HandSetModel.LogitScale, trace.CleanMetric, 1e-2);
        Assert.Equal(known.EdgeNames.Order(), Names(trace).Order());
        Circuit circuit = Followed(trace);
        Assert.Equal(known.Circuit().Membership.ToArray(), circuit.Membership.ToArray());
        Assert.Equal(
            trace.Rounds[0].Edges[0].Effect, -circuit.Scores![trace.Rounds[0].Edges[0].Row, trace.Circuit.Graph.LogitsColumn], 1e-5);
    }

    [Theory]
    [InlineData("induction", 5)]
    [InlineData("negative", 6)]
    public void The_strongest_few_per_round_find_it_too_and_nothing_is_made_up_where_there_are_fewer(string name, int top)
    {
        KnownCircuit known = KnownCircuits.Make(name);
        PathTracingResult trace = Trace(known, new PathTracingOptions { FreezeMlps = true, Threshold = null, Top = top });
        Assert.Equal(known.EdgeNames.Order(), Names(trace).Order());
        PathTracingResult one = Trace(known, new PathTracingOptions { Threshold = null, Top = 1 });
        Assert.All(one.Rounds, round => Assert.True(round.Edges.Count <= 1));
    }

    [Fact]
    public void The_effects_of_the_negative_head_are_the_ones_that_its_weights_say()
    {
        KnownCircuit known = KnownCircuits.Negative();
        PathTracingResult trace = Trace(known, new PathTracingOptions { FreezeMlps = true });
        double Effect(string edge) => trace.Rounds.SelectMany(r => r.Edges).Single(e =>
            trace.Circuit.Graph.EdgeName(e.Row, e.Receiver.Column) == edge).Effect / HandSetModel.LogitScale;
        foreach ((string edge, double metric) in known.MetricWithout) Assert.Equal(metric - known.FullMetric, Effect(edge), 2e-3);
        Assert.Equal(["logits", "q", "k", "v", "all"], trace.Rounds.SelectMany(r => r.Maps.Select(m => m.Kind)).Distinct());
    }

    [Fact]
    public void The_induction_head_is_followed_through_query_key_and_value_to_where_each_comes_from()
    {
        PathTracingResult trace = Trace(KnownCircuits.Induction(), new PathTracingOptions());
        string[][] rounds = [.. trace.Rounds.Select(r =>
            r.Edges.Select(e => trace.Circuit.Graph.EdgeName(e.Row, e.Receiver.Column)).Order(StringComparer.Ordinal).ToArray())];
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
        PathTracingResult trace = Trace(known, new PathTracingOptions());
        string[] edges = [.. trace.Circuit.Edges.Select(e => trace.Circuit.Graph.EdgeName(e.Row, e.Column))];
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
        var kept = new MemoryCheckpoint();
        PathTracingResult whole = Run(kept, 4);
        Assert.Equal(whole.Rounds.Count, kept.States.Count);
        PathTracingResult first = Run(new MemoryCheckpoint(kept.States[^1]), 1);
        Assert.Single(first.Rounds);
        var resumed = new MemoryCheckpoint(kept.States[0]);
        Assert.Equal(Names(whole), Names(Run(resumed, 4)));
        Assert.Equal(whole.Rounds.Count - 1, resumed.States.Count);
        var nothingLeft = new MemoryCheckpoint(kept.States[^1]);
        PathTracingResult again = Run(nothingLeft, 4);
        Assert.Equal(whole.CleanMetric, again.CleanMetric);
        Assert.Empty(nothingLeft.States);

        PathTracingResult Run(RunCheckpoint checkpoint, int rounds) => CircuitSearches.PathTracing.Search(
            weights, PromptSet.Of(known.Pairs), new PathTracingOptions { Rounds = rounds }, checkpoint, null, default);
    }

    [Fact]
    public void The_circuit_that_was_found_is_faithful()
    {
        KnownCircuit known = KnownCircuits.Negative();
        using var device = new CpuDevice(1);
        using Gpt2Weights weights = EngineModels.Weights(known.Model, device);
        Circuit circuit = Trace(known, new PathTracingOptions { FreezeMlps = true }).Circuit;
        EvaluationResult result = CircuitEvaluation.Evaluate(
            weights, PromptSet.Of(known.Pairs), [circuit], new EvaluationOptions { Metric = BuiltInMetrics.LogitDifference });
        Assert.Equal(1, Faithfulness.Of(result.Full, result.Circuits[0], result.Empty), 1e-3);
    }

    private static IEnumerable<string> Names(PathTracingResult trace) =>
        trace.Rounds.SelectMany(r => r.Edges).Select(e => trace.Circuit.Graph.EdgeName(e.Row, e.Receiver.Column));

    private static Circuit Followed(PathTracingResult trace) =>
        PathCircuit.Of(trace.Circuit.Graph, trace.Rounds, withMlps: false, lossSign: -1, trace.Circuit.ModelWidth);

    private static PathTracingResult Trace(KnownCircuit known, PathTracingOptions options)
    {
        using var device = new CpuDevice(1);
        using Gpt2Weights weights = EngineModels.Weights(known.Model, device);
        return CircuitSearches.PathTracing.Search(weights, PromptSet.Of(known.Pairs), options);
    }
}
