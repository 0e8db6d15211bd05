using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Tests.Graph;

public sealed class CircuitTests
{
    private static readonly ComputationGraph s_graph = new(2, 2);

    [Fact]
    public void Nodes_follow_from_edges()
    {
        Circuit circuit = Parse("input->a0.h1<k>", "a0.h1->m1", "m1->logits", "input->a0.h1<k>");
        Assert.Equal(3, circuit.EdgeCount);
        Assert.Equal(3, circuit.EdgesBeforePrune);
        Assert.Equal(["input", "a0.h1", "m1"], circuit.Nodes.Select(s_graph.WriterName));
        Assert.Equal(3, circuit.NodeCount);
        Assert.True(circuit.ContainsNode(s_graph.LogitsNode));
        Assert.False(circuit.ContainsNode(-1));
        Assert.True(circuit.Contains(0, 3));
        Assert.False(circuit.Contains(0, 2));
        Assert.False(circuit.Contains(-1, 3));
        Assert.False(circuit.Contains(99, 99));
        Assert.Equal([2], circuit.WritersInto(s_graph.MlpColumn(1)));
        Assert.Empty(circuit.WritersInto(0));
        Assert.Equal(["input->a0.h1<k>", "a0.h1->m1", "m1->logits"], circuit.Edges.Select(e => s_graph.EdgeName(e.Row, e.Column)));
        Assert.Equal("3 edges, 3 nodes", circuit.ToString());
    }

    [Fact]
    public void The_whole_graph_and_nothing_are_circuits()
    {
        Circuit full = Circuit.Of(s_graph, s_graph.Edges);
        Assert.Equal((s_graph.EdgeCount, s_graph.Writers), (full.EdgeCount, full.NodeCount));
        Circuit empty = Circuit.Of(s_graph, []);
        Assert.Equal((0, 0), (empty.EdgeCount, empty.NodeCount));
        Assert.Equal(s_graph.EdgeCount, CircuitPruning.Prune(full).EdgeCount);
        Assert.Equal(0, CircuitPruning.Prune(empty).EdgeCount);
    }

    [Fact]
    public void What_is_no_edge_cannot_be_in_a_circuit()
    {
        bool[] edges = new bool[s_graph.Writers * s_graph.Readers];
        edges[3 * s_graph.Readers] = true;
        Assert.Contains("m0 does not feed a0.h0<q>", Assert.Throws<ArgumentException>(() => new Circuit(s_graph, edges)).Message,
            StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new Circuit(s_graph, new bool[4]));
        Assert.Throws<ArgumentException>(() => Circuit.Of(s_graph, [(3, 0)]));
        Assert.Throws<ArgumentException>(
            () => new Circuit(s_graph, new bool[edges.Length]) { Scores = ScoreSamples.Zeros(new ComputationGraph(1, 1)) });
    }

    [Fact]
    public void A_circuit_of_another_model_is_refused()
    {
        Gpt2Config config = new() { Layers = 2, Heads = 2, Width = 8, InnerWidth = 32, Positions = 16, Vocabulary = 11 };
        Circuit circuit = new(s_graph, new bool[s_graph.Writers * s_graph.Readers]) { ModelWidth = 8 };
        circuit.RequireModel(config, "c.json");
        string message = Assert.Throws<GradpathException>(() => circuit.RequireModel(config with { Heads = 4 }, "c.json")).Message;
        Assert.Contains("c.json: the circuit belongs to a model of 2 layers x 2 heads, width 8", message, StringComparison.Ordinal);
        Assert.Throws<GradpathException>(() => circuit.RequireModel(config with { Width = 16 }, "c.json"));
    }

    [Theory]
    [InlineData("", "input->a0.h0<q>", "m0->logits", "a0.h0->a1.h0<k>")]
    [InlineData("input->m0,m0->logits", "input->m0", "m0->logits", "input->a1.h1<v>", "a0.h1->m1")]
    [InlineData("input->logits", "input->logits", "a0.h0->m0", "m0->a1.h0<q>", "a1.h0->m1", "m1->logits")]
    [InlineData("input->a0.h0<v>,a0.h0->logits", "input->a0.h0<v>", "a0.h0->m0", "m0->a1.h0<q>", "a1.h0->m1", "a0.h0->logits")]
    public void Pruning_keeps_what_leads_from_input_to_logits(string expected, params string[] edges)
    {
        Circuit pruned = CircuitPruning.Prune(Parse(edges));
        Assert.Equal(
            expected.Split(',', StringSplitOptions.RemoveEmptyEntries), pruned.Edges.Select(e => s_graph.EdgeName(e.Row, e.Column)));
        Assert.Equal(edges.Length, pruned.EdgesBeforePrune);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Pruning_is_the_plain_fixed_point(int seed)
    {
        Random random = new(seed);
        foreach (ComputationGraph graph in new[] { new ComputationGraph(1, 1), new ComputationGraph(3, 2), new ComputationGraph(5, 3) })
        {
            foreach (double share in new[] { 0.01, 0.03, 0.1, 0.3, 0.8 })
            {
                Circuit circuit = Circuit.Of(graph, [.. graph.Edges.Where(_ => random.NextDouble() < share)]);
                Circuit pruned = CircuitPruning.Prune(circuit);
                Assert.Equal(PlainPrune(circuit), [.. pruned.Edges]);
                Assert.Equal(pruned.Membership.ToArray(), CircuitPruning.Prune(pruned).Membership.ToArray());
                Assert.Equal(circuit.EdgeCount, CircuitPruning.Prune(pruned).EdgesBeforePrune);
                foreach (int node in pruned.Nodes)
                {
                    Assert.True(Reaches(pruned, ComputationGraph.InputRow, node), graph.WriterName(node));
                    Assert.True(Reaches(pruned, node, graph.LogitsNode), graph.WriterName(node));
                }
            }
        }
    }

    // The rule as it is stated, over and over.
    private static HashSet<(int, int)> PlainPrune(Circuit circuit)
    {
        ComputationGraph graph = circuit.Graph;
        HashSet<(int Row, int Column)> edges = [.. circuit.Edges];
        bool Dropped(int node) => node != graph.LogitsNode
            && (!edges.Any(e => e.Row == node) || (node != 0 && !edges.Any(e => graph.NodeOfColumn(e.Column) == node)));
        int before;
        do
        {
            before = edges.Count;
            bool[] dropped = [.. Enumerable.Range(0, graph.Writers + 1).Select(Dropped)];
            edges.RemoveWhere(e => dropped[e.Row] || dropped[graph.NodeOfColumn(e.Column)]);
        }
        while (edges.Count < before);
        return edges;
    }

    private static bool Reaches(Circuit circuit, int from, int to)
    {
        HashSet<int> reached = [from];
        foreach ((int row, int column) in circuit.Edges.OrderBy(e => e.Row))
        {
            if (reached.Contains(row)) reached.Add(circuit.Graph.NodeOfColumn(column));
        }
        return reached.Contains(to);
    }

    private static Circuit Parse(params string[] edges) => Circuit.Of(s_graph, edges.Select(name =>
    {
        Assert.True(s_graph.TryParseEdge(name, out int row, out int column), name);
        return (row, column);
    }));
}
