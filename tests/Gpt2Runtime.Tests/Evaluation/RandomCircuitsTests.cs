using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Tests.Evaluation;

public sealed class RandomCircuitsTests
{
    private static readonly ComputationGraph s_graph = new(3, 2);

    [Fact]
    public void A_random_circuit_has_the_size_asked_for_and_no_idle_edge()
    {
        for (int edges = 0; edges <= s_graph.EdgeCount; edges++)
        {
            for (ulong seed = 0; seed < 3; seed++)
            {
                Circuit circuit = RandomCircuits.OfSize(s_graph, edges, seed);
                Assert.Equal(edges, circuit.EdgeCount);
                Assert.Equal(edges, CircuitPruning.Prune(circuit).EdgeCount);
                Assert.Equal(circuit.Membership, RandomCircuits.OfSize(s_graph, edges, seed).Membership);
            }
        }
        Assert.Throws<ArgumentOutOfRangeException>(() => RandomCircuits.OfSize(s_graph, s_graph.EdgeCount + 1, 0));
    }

    [Fact]
    public void Every_edge_can_be_drawn_and_seeds_differ()
    {
        Circuit[] circuits = [.. Enumerable.Range(0, 1000).Select(i => RandomCircuits.OfSize(s_graph, 12, (ulong)i))];
        Assert.All(s_graph.Edges, e => Assert.Contains(circuits, c => c.Contains(e.Row, e.Column)));
        Assert.True(circuits.Select(c => string.Join(' ', c.Edges)).Distinct().Count() > 900);
    }

    [Theory]
    [InlineData(8)]
    [InlineData(60)]
    [InlineData(99)]
    public void An_inflated_circuit_has_more_than_the_circuit(int edges)
    {
        Circuit circuit = RandomCircuits.OfSize(s_graph, edges, 5);
        var added = new HashSet<(int, int)>();
        for (ulong seed = 0; seed < 40; seed++)
        {
            (Circuit inflated, (int row, int column)) = RandomCircuits.Inflate(circuit, seed);
            Assert.True(inflated.Contains(row, column) && !circuit.Contains(row, column));
            Assert.All(circuit.Edges, e => Assert.True(inflated.Contains(e.Row, e.Column)));
            Assert.Equal(inflated.EdgeCount, CircuitPruning.Prune(inflated).EdgeCount);
            Circuit without = RandomCircuits.Without(inflated, row, column);
            Assert.Equal(inflated.EdgeCount - 1, without.EdgeCount);
            Assert.False(without.Contains(row, column));
            added.Add((row, column));
        }
        Assert.True(edges == 99 || added.Count > 3);
    }

    [Fact]
    public void What_cannot_be_inflated_is_refused() =>
        Assert.Throws<ArgumentException>(() => RandomCircuits.Inflate(Circuit.Of(s_graph, s_graph.Edges), 0));

    [Fact]
    public void The_complement_has_the_other_edges()
    {
        Circuit circuit = RandomCircuits.OfSize(s_graph, 30, 1), complement = RandomCircuits.Complement(circuit);
        Assert.All(s_graph.Edges, e => Assert.NotEqual(circuit.Contains(e.Row, e.Column), complement.Contains(e.Row, e.Column)));
    }
}
