using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Tests.Discovery;

public sealed class ThresholdSearchTests
{
    private static readonly ComputationGraph s_graph = new(3, 4);
    private readonly List<double> _asked = [];

    [Theory]
    [InlineData(100)]
    [InlineData(40)]
    [InlineData(3)]
    public void A_size_that_has_a_threshold_is_met(int edges)
    {
        ThresholdSearch search = new(tau => Run(tau, Falling(tau)));
        (ThresholdRun best, IReadOnlyList<ThresholdRun> path) = search.Find(edges, 30);
        Assert.InRange(best.Pruned.EdgeCount, edges * 0.98, edges * 1.02);
        Assert.Equal(_asked, path.Select(r => r.Threshold));
        Assert.All(_asked, tau => Assert.InRange(tau, ThresholdSearch.Smallest, ThresholdSearch.Largest));
    }

    [Fact]
    public void Sizes_share_runs_and_do_not_depend_on_each_other()
    {
        ThresholdSearch both = new(tau => Run(tau, Falling(tau)));
        (ThresholdRun first, IReadOnlyList<ThresholdRun> firstPath) = both.Find(100, 8);
        (ThresholdRun second, IReadOnlyList<ThresholdRun> secondPath) = both.Find(30, 8);
        Assert.Equal(_asked.Distinct(), _asked);
        Assert.True(_asked.Count < firstPath.Count + secondPath.Count);
        (ThresholdRun alone, IReadOnlyList<ThresholdRun> alonePath) = new ThresholdSearch(tau => Run(tau, Falling(tau))).Find(30, 8);
        Assert.Equal(alone.Threshold, second.Threshold);
        Assert.Equal(alonePath.Select(r => r.Threshold), secondPath.Select(r => r.Threshold));
        Assert.NotEqual(first.Threshold, second.Threshold);
    }

    [Fact]
    public void A_size_without_a_threshold_gives_the_nearest_on_the_way_and_of_equals_the_smaller()
    {
        int Jump(double tau) => tau < 1e-4 ? 60 : 40;
        Assert.Equal(60, new ThresholdSearch(tau => Run(tau, Jump(tau))).Find(52, 20).Best.Pruned.EdgeCount);
        Assert.Equal(40, new ThresholdSearch(tau => Run(tau, Jump(tau))).Find(50, 20).Best.Pruned.EdgeCount);
        _asked.Clear();
        Assert.Equal(40, new ThresholdSearch(tau => Run(tau, Jump(tau))).Find(52, 1).Best.Pruned.EdgeCount);
        Assert.Equal(1e-3, Assert.Single(_asked), 1e-12);
        Assert.Throws<ArgumentOutOfRangeException>(() => new ThresholdSearch(tau => Run(tau, 1)).Find(1, 0));
    }

    [Fact]
    public void Edges_that_pruning_removes_do_not_count()
    {
        // The first MLP, which nothing reads, beside the edge that counts.
        ThresholdSearch search = new(_ => Result(Circuit.Of(s_graph, [(0, s_graph.LogitsColumn), (0, s_graph.MlpColumn(0))])));
        (ThresholdRun best, _) = search.Find(1, 5);
        Assert.Equal((2, 1), (best.Result.Circuit.EdgeCount, best.Pruned.EdgeCount));
    }

    // All edges at 1e-8, none at 100.
    private static int Falling(double tau) => (int)Math.Round(s_graph.EdgeCount * (2 - Math.Log10(tau)) / 10);

    private PathTracingResult Run(double tau, int edges)
    {
        _asked.Add(tau);
        Circuit circuit = Circuit.Of(s_graph, Edges(edges));
        Assert.Equal(circuit.EdgeCount, CircuitPruning.Prune(circuit).EdgeCount);
        return Result(circuit);
    }

    // Of whichever search, as only the circuit counts.
    private static PathTracingResult Result(Circuit circuit) =>
        new() { Circuit = circuit, BatchSize = 1, PeakDeviceBytes = 1, CleanMetric = 1, Rounds = [] };

    // So many edges (3 for 2, which there are not), each on a path from the input to the logits.
    private static IEnumerable<(int Row, int Column)> Edges(int count)
    {
        (int, int)[] pairs = [.. Enumerable.Range(1, s_graph.Writers - 1).SelectMany(row =>
            new[] { (0, s_graph.ReadersOf(row)[^1]), (row, s_graph.LogitsColumn) })];
        (int, int)[] connected = [(0, s_graph.LogitsColumn), .. pairs];
        if (count >= connected.Length) return connected.Concat(s_graph.Edges.Except(connected)).Take(count);
        if (count % 2 == 1 || count == 0) return connected.Take(count);
        return count == 2 ? connected.Take(3) : connected.Take(count - 1).Append((0, s_graph.ReadersOf(1)[0]));
    }
}
