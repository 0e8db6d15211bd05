using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels.Cpu;
using Xunit.Abstractions;

namespace Gradpath.Gpt2Runtime.Tests.Discovery;

/// <summary>That the circuits found are good ones: the known ones of hand-set models, and better than EAP's on the demo model.</summary>
public sealed class EdgePruningQualityTests(ITestOutputHelper output)
{
    public static TheoryData<string> Known => KnownCircuits.Names;

    [Theory]
    [MemberData(nameof(Known))]
    public void Exactly_the_known_edges_are_found(string name)
    {
        KnownCircuit known = KnownCircuits.Make(name);
        Circuit truth = known.Circuit();
        using var device = new CpuDevice(2);
        using Gpt2Weights weights = EngineModels.Weights(known.Model, device);
        double sparsity = 1 - (truth.EdgeCount / (double)known.Graph.EdgeCount);
        EdgePruningResult result = CircuitSearches.EdgePruning.Search(
            weights, PromptSet.Of(known.Pairs), new EdgePruningOptions { Sparsity = sparsity, Steps = 400 });
        output.WriteLine(
            $"{name}: {string.Join(' ', result.Circuit.Edges.Select(e => known.Graph.EdgeName(e.Row, e.Column)))}; last {result.Log[^1]}");
        Assert.Equal(truth.Edges.Select(e => known.Graph.EdgeName(e.Row, e.Column)),
            result.Circuit.Edges.Select(e => known.Graph.EdgeName(e.Row, e.Column)));
    }

    [Fact]
    public void On_the_demo_model_edge_pruning_beats_eap_and_its_hybrid_does_with_three_fifths_of_the_work()
    {
        using var device = new CpuDevice(2);
        using Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(RepositoryFiles.DemoModel);
        using Gpt2Weights weights = checkpoint.LoadWeights(device);
        PromptPair[] train = Pairs(checkpoint, seed: 0, count: 64), test = Pairs(checkpoint, seed: 1, count: 100);
        var graph = new ComputationGraph(weights.Config);
        var options = new EdgePruningOptions { Sparsity = 0.95, Steps = 400, BatchSize = 16 };
        int kept = EdgePruning.CircuitSize(graph, options.Sparsity);
        var eap = EdgeAttribution.Score(weights, PromptSet.Of(train), new AttributionOptions { Method = AttributionMethods.Eap });
        EdgePruningResult plain = CircuitSearches.EdgePruning.Search(weights, PromptSet.Of(train), options);
        EdgePruningResult hybrid = CircuitSearches.HybridPruning.Search(
            weights,
            PromptSet.Of(train),
            new HybridPruningOptions { Sparsity = 0.95, Steps = 400, BatchSize = 16, Share = 0.5, Scorer = new GivenScores(eap) });
        Circuit[] circuits = [plain.Circuit, hybrid.Circuit, CircuitSelection.TopEdges(eap, kept), CircuitSelection.Greedy(eap, kept)];
        var byKl = new EvaluationOptions { Metric = BuiltInMetrics.KlDivergence };
        double[] kl = [.. CircuitEvaluation.Evaluate(weights, PromptSet.Of(test), circuits, byKl).Circuits.Select(c => c.MeanKl)];
        output.WriteLine(string.Join(' ', kl));
        Assert.Equal((kept, kept), (plain.Circuit.EdgeCount, hybrid.Circuit.EdgeCount));

        // On prompts that were not trained on; EAP's greedy selection is the better of the two.
        Assert.True(kl[0] < 0.5 * Math.Min(kl[2], kl[3]), $"edge pruning {kl[0]}");
        Assert.True(kl[1] < Math.Min(kl[2], kl[3]), $"hybrid {kl[1]}");
        Assert.True(hybrid.Options.Steps * hybrid.WorkPerRow < 0.6 * plain.Options.Steps * plain.WorkPerRow);
    }

    private static PromptPair[] Pairs(Gpt2Checkpoint checkpoint, ulong seed, int count) =>
        [.. PromptLoader.Load("ioi", null, Tokenizers.Demo, new PromptOptions
    {
        Vocabulary = checkpoint.Config.Vocabulary,
        Positions = checkpoint.Config.Positions,
        Limit = count,
        Seed = seed,
    }).Pairs];
}
