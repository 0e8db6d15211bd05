using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Gpt2Runtime.Tests.Evaluation;

/// <summary>Completeness and minimality against the float64 definition, set by set and node by node.</summary>
public sealed class KnockoutTests : IDisposable
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

    private readonly ReferenceModel _reference = ReferenceModel.Random(s_config, 6);
    private readonly PromptPair[] _pairs = ReferencePrompts.Random(17, 4, 4, 7, 6);
    private readonly ComputationGraph _graph = new(s_config);
    private readonly CpuDevice _device = new(2);
    private readonly Gpt2Weights _weights;
    private readonly Circuit _circuit;

    public KnockoutTests()
    {
        _weights = EngineModels.Weights(_reference, _device);
        var random = new Random(11);
        _circuit = CircuitPruning.Prune(Circuit.Of(_graph, _graph.Edges.Where(_ => random.NextDouble() < 0.6)));
    }

    public void Dispose()
    {
        _weights.Dispose();
        _device.Dispose();
    }

    [Theory]
    [InlineData(Ablation.Patching)]
    [InlineData(Ablation.Zero)]
    public void Completeness_is_the_difference_by_definition(Ablation ablation)
    {
        NodeSet group = new("class", "early", [1, 3]);
        KnockoutOptions options = new()
        {
            Classes = [group],
            RandomDraws = 6,
            GreedyRuns = 2,
            GreedyIterations = 3,
            GreedyCandidates = 2,
            Seed = 5
        };
        Completeness result = Completeness.Measure(
            _weights, PromptSet.Of(_pairs), _circuit, options with { Evaluation = new EvaluationOptions { Ablation = ablation } });
        Assert.Equal(["empty", "class", .. Enumerable.Repeat("random", 6), .. Enumerable.Repeat("greedy", 6)],
            result.Points.Select(p => p.Set.Kind));
        Func<int, int, bool> inCircuit = _circuit.Contains;
        foreach (CompletenessPoint point in result.Points)
        {
            Assert.All(point.Set.Nodes, n => Assert.True(_circuit.ContainsNode(n) && n != ComputationGraph.InputRow));
            Near(F(inCircuit, point.Set.Nodes, ablation), point.Circuit);
            Near(F((_, _) => true, point.Set.Nodes, ablation), point.Model);
        }
        Assert.Equal(["1.1", "1.2", "1.3", "2.1", "2.2", "2.3"], result.Points.TakeLast(6).Select(p => p.Set.Name));
        foreach (CompletenessPoint[] path in result.Points.TakeLast(6).Chunk(3))
        {
            Assert.Equal([1, 2, 3], path.Select(p => p.Set.Nodes.Count));
            Assert.Subset(path[2].Set.Nodes.ToHashSet(), path[1].Set.Nodes.ToHashSet());
        }

        // The same seed gives the same sets and numbers, another one other sets.
        Completeness again = Completeness.Measure(
            _weights, PromptSet.Of(_pairs), _circuit, options with { Evaluation = new EvaluationOptions { Ablation = ablation } });
        Assert.Equal(result.Points.Select(p => p.Difference), again.Points.Select(p => p.Difference));
        Assert.NotEqual(
            NodeSets.Random(_circuit, 6, 5).Select(s => string.Join(' ', s.Nodes)),
            NodeSets.Random(_circuit, 6, 6).Select(s => string.Join(' ', s.Nodes)));
    }

    [Fact]
    public void With_all_candidates_drawn_the_greedy_search_finds_the_largest_difference_of_each_step()
    {
        KnockoutOptions options = new() { RandomDraws = 0, GreedyRuns = 1, GreedyIterations = 100, GreedyCandidates = 100 };
        CompletenessPoint[] path = [.. Completeness.Measure(_weights, PromptSet.Of(_pairs), _circuit, options).Points.Skip(1)];
        int[] nodes = NodeSets.Candidates(_circuit);
        Assert.Equal(nodes.Length, path.Length);
        double largest = nodes.Max(v => Math.Abs(F(_circuit.Contains, [v], Ablation.Patching) - F((_, _) => true, [v], Ablation.Patching)));
        Near(largest, path[0].Difference);

        // Without any node both are what the edges from the input to the logits make of it.
        Assert.Equal(nodes, path[^1].Set.Nodes);
    }

    [Fact]
    public void The_full_model_is_complete()
    {
        var full = Circuit.Of(_graph, _graph.Edges);
        Completeness result = Completeness.Measure(
            _weights, PromptSet.Of(_pairs), full, new KnockoutOptions { RandomDraws = 5, GreedyRuns = 1, GreedyIterations = 2 });
        Assert.All(result.Points, p => Assert.Equal(0, p.Difference));
    }

    [Fact]
    public void Minimality_is_the_largest_difference_by_definition()
    {
        NodeSet group = new("class", "early", [1, 3]);
        KnockoutOptions options = new()
        {
            Classes = [group],
            RandomDraws = 3,
            GreedyRuns = 2,
            GreedyIterations = 2,
            GreedyCandidates = 2,
            Seed = 5
        };
        Minimality result = Minimality.Measure(_weights, PromptSet.Of(_pairs), _circuit, options);
        Assert.Equal(1 + 1 + 3 + 2, result.SetsTried);
        Assert.Equal(NodeSets.Candidates(_circuit), result.Points.Select(p => p.Node));
        Near(F(_circuit.Contains, [], Ablation.Patching), result.Circuit);
        Completeness searches = Completeness.Measure(
            _weights, PromptSet.Of(_pairs), _circuit, options with { Classes = [], RandomDraws = 0 });
        IReadOnlyList<int>[] sets = [[], group.Nodes, .. NodeSets.Random(_circuit, 3, 5).Select(s => s.Nodes), searches.Points[2].Set.Nodes,
            searches.Points[4].Set.Nodes];
        foreach (MinimalityPoint point in result.Points)
        {
            Assert.DoesNotContain(point.Node, point.Set.Nodes);
            double expected = sets.Max(k => Math.Abs(
                F(_circuit.Contains, [.. k.Append(point.Node)], Ablation.Patching) - F(
                    _circuit.Contains, [.. k.Where(n => n != point.Node)], Ablation.Patching)));
            Near(expected, point.Difference);
        }
    }

    [Fact]
    public void A_node_that_does_nothing_is_not_needed()
    {
        // Two paths to the logits that do not meet: the MLP of layer 0 and, unread by anything, the first head.
        var circuit = Circuit.Of(
            _graph, [(0, _graph.MlpColumn(0)), (_graph.MlpRow(0), _graph.LogitsColumn), (0, _graph.HeadColumn(0, HeadInput.Value, 0))]);
        Minimality result = Minimality.Measure(
            _weights, PromptSet.Of(_pairs), circuit, new KnockoutOptions { RandomDraws = 0, GreedyRuns = 0 });
        Assert.Equal(0, result.Points.Single(p => p.Node == _graph.HeadRow(0, 0)).Difference);
        Assert.True(result.Points.Single(p => p.Node == _graph.MlpRow(0)).Difference > 1e-4);
    }

    [Fact]
    public void Classes_are_read_and_cut_down_to_the_circuit()
    {
        using TempFolder folder = new();
        var circuit = Circuit.Of(_graph, [(0, _graph.MlpColumn(0)), (_graph.MlpRow(0), _graph.LogitsColumn)]);
        IReadOnlyList<NodeSet> Read(string json)
        {
            File.WriteAllText(folder["classes.json"], json);
            return NodeSets.ReadClasses(folder["classes.json"], circuit);
        }
        NodeSet only = Assert.Single(Read("""{"a": ["m0", "a0.h1", "m0"], "b": ["a1.h1"]}"""));
        Assert.Equal(("class", "a"), (only.Kind, only.Name));
        Assert.Equal([_graph.MlpRow(0)], only.Nodes);
        Assert.Contains("a7.h0", Assert.Throws<GradpathException>(() => Read("""{"a": ["a7.h0"]}""")).Message, StringComparison.Ordinal);
        foreach (string wrong in new[] { "[]", """{"a": 3}""", """{"a": [3]}""", "{" })
            Assert.Contains("classes.json", Assert.Throws<GradpathException>(() => Read(wrong)).Message, StringComparison.Ordinal);
        Assert.Throws<GradpathException>(() => NodeSets.ReadClasses(folder["none.json"], circuit));
    }

    private static void Near(double expected, double actual) => Assert.InRange(actual, expected - 1e-5, expected + 1e-5);

    // The mean logit difference of a circuit, or the model, without the edges of some nodes.
    private double F(Func<int, int, bool> inCircuit, IReadOnlyList<int> without, Ablation ablation)
    {
        var kept = new bool[_graph.Writers, _graph.Readers];
        foreach ((int row, int column) in _graph.Edges)
            kept[row, column] = inCircuit(row, column) && !without.Contains(row) && !without.Contains(_graph.NodeOfColumn(column));
        return ReferenceCircuit.Evaluate(_reference, _pairs, kept, Enum.Parse<ReferenceAblation>(ablation.ToString()))
            .Metric(BuiltInMetrics.LogitDifference).Average();
    }
}
