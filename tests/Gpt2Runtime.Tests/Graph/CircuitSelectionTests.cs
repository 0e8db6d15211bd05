using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Tests.Graph;

public sealed class CircuitSelectionTests
{
    private static readonly ComputationGraph s_graph = new(3, 2);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_top_edges_are_those_of_a_plain_sort(bool bySign)
    {
        EdgeScores scores = ScoreSamples.Random(s_graph, 3);
        for (int n = 0; n <= s_graph.EdgeCount; n += 7)
        {
            int[] expected = [.. s_graph.Edges.Select(e => scores.IndexOf(e.Row, e.Column))
                .OrderByDescending(i => bySign ? scores.Values[i] : Math.Abs(scores.Values[i])).ThenBy(i => i).Take(n)];
            Circuit circuit = CircuitSelection.TopEdges(scores, n, bySign);
            Assert.Equal(n, circuit.EdgeCount);
            Assert.All(expected, i => Assert.True(circuit.Membership[i]));
            Assert.Same(scores, circuit.Scores);
            Assert.Equal(24, circuit.ModelWidth);
            Assert.Same(scores.Provenance, circuit.Provenance);
        }
    }

    [Fact]
    public void Ties_go_to_the_lowest_position()
    {
        EdgeScores scores = ScoreSamples.Changed(ScoreSamples.Zeros(s_graph), values => Array.Fill(values, 1f));
        Assert.Equal([(0, 0), (0, 1), (0, 2)], CircuitSelection.TopEdges(scores, 3).Edges.Order());

        // From a0.h0 on, its own incoming edges stand before the other edges into the logits.
        Assert.Equal([(0, 0), (0, 2), (0, 4), (0, s_graph.LogitsColumn), (1, s_graph.LogitsColumn)],
            CircuitSelection.Greedy(scores, 5).Edges.Order());
    }

    [Theory]
    [InlineData(1f, false, 3)]
    [InlineData(1f, true, 2)]
    [InlineData(1.5f, false, 1)]
    [InlineData(3f, true, 0)]
    [InlineData(-2f, true, 100)]
    public void A_threshold_keeps_what_reaches_it(float threshold, bool bySign, int expected)
    {
        EdgeScores scores = ScoreSamples.Changed(ScoreSamples.Zeros(s_graph), values => (values[0], values[1], values[2]) = (1, -2, 1));
        Assert.Equal(expected, CircuitSelection.Threshold(scores, threshold, bySign).EdgeCount);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Greedy_takes_the_best_candidate_each_time(bool bySign)
    {
        EdgeScores scores = ScoreSamples.Random(s_graph, 8);
        List<int> order = PlainGreedy(scores, bySign);
        for (int n = 0; n <= s_graph.EdgeCount; n += 5)
        {
            Circuit circuit = CircuitSelection.Greedy(scores, n, bySign);
            Assert.Equal(order.Take(n).Order(), Enumerable.Range(0, scores.Values.Length).Where(i => circuit.Membership[i]));
            Assert.Equal(n, circuit.EdgeCount);
            foreach ((_, int column) in circuit.Edges)
                Assert.True(column == s_graph.LogitsColumn
                    || circuit.Membership.Slice(s_graph.NodeOfColumn(column) * s_graph.Readers, s_graph.Readers).Contains(true));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_node_circuit_has_every_edge_among_its_nodes(bool bySign)
    {
        EdgeScores scores = ScoreSamples.Random(s_graph, 4);
        float[] nodes = scores.NodeScores.ToArray();
        for (int n = 0; n <= s_graph.Writers; n++)
        {
            int[] kept = [.. Enumerable.Range(0, s_graph.Writers).OrderByDescending(r => bySign ? nodes[r] : Math.Abs(nodes[r]))
                .ThenBy(r => r).Take(n)];
            Circuit circuit = CircuitSelection.Nodes(scores, n, bySign);
            Assert.Equal(kept.Order(), circuit.Nodes);
            bool IsIn(int node) => node == s_graph.LogitsNode || kept.Contains(node);
            foreach ((int row, int column) in s_graph.Edges)
                Assert.Equal(IsIn(row) && IsIn(s_graph.NodeOfColumn(column)), circuit.Contains(row, column));
        }
    }

    [Fact]
    public void Equal_nodes_are_taken_in_order()
    {
        EdgeScores scores = new(s_graph, new float[s_graph.Writers * s_graph.Readers]) { NodeScores = new float[s_graph.Writers] };
        Assert.Equal([0, 1, 2], CircuitSelection.Nodes(scores, 3).Nodes);
    }

    [Fact]
    public void Impossible_numbers_are_refused()
    {
        EdgeScores scores = ScoreSamples.Random(s_graph, 4);
        void Refused(Func<Circuit> select, params string[] parts) => RefusedAs<GradpathException>(select, parts);
        void RefusedNumber(Func<Circuit> select, params string[] parts) => RefusedAs<OptionException>(select, parts);
        void RefusedAs<T>(Func<Circuit> select, string[] parts)
            where T : Exception
        {
            string message = Assert.Throws<T>(select).Message;
            foreach (string part in parts) Assert.Contains(part, message, StringComparison.Ordinal);
        }
        RefusedNumber(() => CircuitSelection.TopEdges(scores, -1), "-1 edges", "negative");
        RefusedNumber(() => CircuitSelection.TopEdges(scores, 101), "101 edges", "has 100");
        RefusedNumber(() => CircuitSelection.Greedy(scores, -1), "-1 edges", "negative");
        RefusedNumber(() => CircuitSelection.Greedy(scores, 101), "101 edges", "has 100");
        RefusedNumber(() => CircuitSelection.Nodes(scores, -1), "-1 nodes", "negative");
        RefusedNumber(() => CircuitSelection.Nodes(scores, 11), "11 nodes", "has 10");
        Refused(() => CircuitSelection.Nodes(ScoreSamples.Zeros(s_graph), 1), "no node scores");
        RefusedNumber(() => CircuitSelection.Threshold(scores, float.NaN), "threshold");
        scores = ScoreSamples.Changed(scores, values => values[0] = float.NaN);
        Refused(() => CircuitSelection.TopEdges(scores, 1), "input->a0.h0<q>");
        Refused(() => CircuitSelection.Greedy(scores, 1), "input->a0.h0<q>");
        Refused(() => CircuitSelection.Threshold(scores, 1), "input->a0.h0<q>");
    }

    private static List<int> PlainGreedy(EdgeScores scores, bool bySign)
    {
        HashSet<int> nodes = [s_graph.LogitsNode];
        List<int> taken = [];
        while (taken.Count < s_graph.EdgeCount)
        {
            (int row, int column) = s_graph.Edges
                .Where(e => nodes.Contains(s_graph.NodeOfColumn(e.Column)) && !taken.Contains(scores.IndexOf(e.Row, e.Column)))
                .OrderByDescending(e => bySign ? scores[e.Row, e.Column] : Math.Abs(scores[e.Row, e.Column])).ThenBy(e =>
                    scores.IndexOf(e.Row, e.Column)).First();
            taken.Add(scores.IndexOf(row, column));
            nodes.Add(row);
        }
        return taken;
    }

    /// <summary>The filled circuit is the largest pruned one that is not too large, found here by trying every number.</summary>
    [Theory]
    [InlineData(0, false)]
    [InlineData(1, false)]
    [InlineData(7, false)]
    [InlineData(7, true)]
    [InlineData(20, false)]
    [InlineData(20, true)]
    [InlineData(1000, false)]
    public void A_selection_is_filled_up_to_what_pruning_leaves(int wanted, bool greedy)
    {
        var graph = new ComputationGraph(2, 2);
        var random = new Random(wanted);
        var values = new float[graph.Writers * graph.Readers];
        foreach ((int row, int column) in graph.Edges) values[(row * graph.Readers) + column] = (float)random.NextDouble() - 0.5f;
        var scores = new EdgeScores(graph, values);
        Circuit Select(int n) => greedy ? CircuitSelection.Greedy(scores, n) : CircuitSelection.TopEdges(scores, n);
        Circuit filled = CircuitPruning.Fill(Select, wanted, graph.EdgeCount);
        Circuit[] all = [.. Enumerable.Range(0, graph.EdgeCount + 1).Select(n => CircuitPruning.Prune(Select(n)))];
        Circuit expected = all.Last(c => c.EdgeCount <= wanted);
        Assert.Equal(expected.Membership.ToArray(), filled.Membership.ToArray());
        Assert.Equal(expected.EdgesBeforePrune, filled.EdgesBeforePrune);
    }
}
