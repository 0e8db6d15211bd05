using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>
/// Circuits to compare a circuit with. They are made of random paths from the input to the logits, so that every edge carries something: a
/// path leaves each node through one of the readers behind it, each equally likely.
/// </summary>
public static class RandomCircuits
{
    // Paths in a row that do not fit, before single edges fill the rest.
    private const int MostFailures = 100;

    /// <summary>
    /// A random circuit: paths are added while they fit, then single edges between its nodes, so that it has exactly the size asked for.
    /// </summary>
    /// <param name="graph">The graph.</param>
    /// <param name="edges">Number of edges, from 0 to all.</param>
    /// <param name="seed">The same seed gives the same circuit.</param>
    /// <returns>The circuit.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The graph has fewer edges.</exception>
    public static Circuit OfSize(ComputationGraph graph, int edges, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentOutOfRangeException.ThrowIfNegative(edges);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(edges, graph.EdgeCount);
        var random = new SplitMix64(seed);
        bool[] members = new bool[graph.Writers * graph.Readers];
        int left = edges;
        for (int failures = 0; left > 0 && failures < MostFailures;)
        {
            (int Row, int Column)[] added = Missing(graph, members, Path(graph, random));
            if (added.Length == 0 || added.Length > left)
            {
                failures++;
                continue;
            }
            Add(graph, members, added);
            left -= added.Length;
            failures = 0;
        }
        Fill(graph, members, left, random);
        return new Circuit(graph, members);
    }

    /// <summary>The circuit with a random path added that is not in it, and one of the edges that this added.</summary>
    /// <param name="circuit">A circuit that lacks an edge.</param>
    /// <param name="seed">The same seed gives the same path and edge.</param>
    /// <returns>The inflated circuit, and the edge.</returns>
    /// <exception cref="ArgumentException">The circuit has every edge of its graph.</exception>
    public static (Circuit Inflated, (int Row, int Column) Added) Inflate(Circuit circuit, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(circuit);
        ComputationGraph graph = circuit.Graph;
        if (circuit.EdgeCount == graph.EdgeCount) throw new ArgumentException("the circuit has every edge of its graph", nameof(circuit));
        var random = new SplitMix64(seed);
        bool[] members = circuit.Membership.ToArray();
        (int Row, int Column)[] added = [];
        for (int failures = 0; added.Length == 0 && failures < MostFailures; failures++)
            added = Missing(graph, members, Path(graph, random));

        // Almost all edges are in.
        if (added.Length == 0) added = [random.Pick(Missing(graph, members, graph.Edges))];
        Add(graph, members, added);
        return (new Circuit(graph, members), random.Pick(added));
    }

    /// <summary>A circuit without one edge.</summary>
    /// <param name="circuit">The circuit.</param>
    /// <param name="row">The edge's writer.</param>
    /// <param name="column">The edge's reader.</param>
    /// <returns>What is left, not pruned.</returns>
    public static Circuit Without(Circuit circuit, int row, int column)
    {
        ArgumentNullException.ThrowIfNull(circuit);
        bool[] members = circuit.Membership.ToArray();
        members[(row * circuit.Graph.Readers) + column] = false;
        return new Circuit(circuit.Graph, members);
    }

    /// <summary>The edges of the graph that a circuit lacks.</summary>
    /// <param name="circuit">The circuit.</param>
    /// <returns>Its complement.</returns>
    public static Circuit Complement(Circuit circuit)
    {
        ArgumentNullException.ThrowIfNull(circuit);
        return Circuit.Of(circuit.Graph, circuit.Graph.Edges.Where(e => !circuit.Contains(e.Row, e.Column)));
    }

    private static List<(int Row, int Column)> Path(ComputationGraph graph, SplitMix64 random)
    {
        List<(int Row, int Column)> path = [];
        for (int node = ComputationGraph.InputRow; node != graph.LogitsNode;)
        {
            // Readers stand in the order of the layers: those behind a node are the last ones.
            int first = FirstReaderBehind(graph, node);
            int column = first + random.Below(graph.Readers - first);
            path.Add((node, column));
            node = graph.NodeOfColumn(column);
        }
        return path;
    }

    private static int FirstReaderBehind(ComputationGraph graph, int node)
    {
        int column = node == ComputationGraph.InputRow ? 0 : graph.LayerOfWriter(node) * graph.ReadersPerLayer;
        while (graph.WritersBefore(column) <= node) column++;
        return column;
    }

    private static void Fill(ComputationGraph graph, bool[] members, int count, SplitMix64 random)
    {
        var nodes = new Circuit(graph, members);
        while (count > 0)
        {
            (int Row, int Column)[] missing = Missing(graph, members, graph.Edges);
            (int Row, int Column)[] within = [.. missing.Where(e => (e.Row == ComputationGraph.InputRow || nodes.ContainsNode(e.Row))
                && nodes.ContainsNode(graph.NodeOfColumn(e.Column)))];
            if (within.Length > 0) missing = within;
            int drawn = Math.Min(count, missing.Length);
            random.Draw<(int Row, int Column)>(missing, drawn);
            Add(graph, members, missing[..drawn]);
            count -= drawn;
        }
    }

    private static (int Row, int Column)[] Missing(ComputationGraph graph, bool[] members, IEnumerable<(int Row, int Column)> edges) =>
        [.. edges.Where(e => !members[(e.Row * graph.Readers) + e.Column])];

    private static void Add(ComputationGraph graph, bool[] members, IEnumerable<(int Row, int Column)> edges)
    {
        foreach ((int row, int column) in edges) members[(row * graph.Readers) + column] = true;
    }
}
