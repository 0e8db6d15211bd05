namespace Gradpath.Gpt2Runtime.Graph;

/// <summary>
/// Removes what cannot matter: a node without an outgoing edge, a node other than the input without an incoming edge (into any of a
/// head's query, key and value), and every edge of such a node, until nothing changes. What stays lies on a path from input to logits.
/// </summary>
/// <remarks>
/// Rows are in topological order, so one sweep forward (nodes that nothing reaches) and one backward (nodes that reach nothing) are the
/// fixed point: the backward sweep removes edges into nodes that have no outgoing edge, and no node loses its input by that.
/// With patching as the ablation, pruning never changes what a circuit computes.
/// </remarks>
public static class CircuitPruning
{
    /// <summary>Prunes a circuit.</summary>
    /// <param name="circuit">The circuit.</param>
    /// <returns>The pruned circuit; it still states how many edges had been selected.</returns>
    public static Circuit Prune(Circuit circuit)
    {
        ArgumentNullException.ThrowIfNull(circuit);
        ComputationGraph graph = circuit.Graph;
        bool[] edges = circuit.Membership.ToArray();
        for (int node = 1; node < graph.Writers; node++)
        {
            if (!HasIncoming(graph, edges, node)) Outgoing(graph, edges, node).Clear();
        }
        for (int node = graph.Writers - 1; node > ComputationGraph.InputRow; node--)
        {
            if (!Outgoing(graph, edges, node).Contains(true)) ClearIncoming(graph, edges, node);
        }
        return new Circuit(graph, edges)
        {
            EdgesBeforePrune = circuit.EdgesBeforePrune,
            Scores = circuit.Scores,
            ModelWidth = circuit.ModelWidth,
            Provenance = circuit.Provenance,
        };
    }

    /// <summary>
    /// The pruned circuit of the largest selection that leaves no more than a number of edges after pruning, so that circuits of different
    /// rankings can be of one size. Selections must grow with their number of edges by edges alone, as top-n and greedy ones do.
    /// </summary>
    /// <param name="select">Makes a selection of n edges.</param>
    /// <param name="wanted">Edges to be left, at most.</param>
    /// <param name="most">Largest n.</param>
    /// <returns>The pruned circuit; it still states how many edges had been selected.</returns>
    public static Circuit Fill(Func<int, Circuit> select, int wanted, int most)
    {
        ArgumentNullException.ThrowIfNull(select);
        return LargestFit.Find(n => Prune(select(n)), circuit => circuit.EdgeCount, wanted, most);
    }

    private static Span<bool> Outgoing(ComputationGraph graph, bool[] edges, int node) => edges.AsSpan(node * graph.Readers, graph.Readers);

    private static bool HasIncoming(ComputationGraph graph, bool[] edges, int node)
    {
        foreach (int column in graph.ReadersOf(node))
        {
            for (int row = 0; row < graph.WritersBefore(column); row++)
            {
                if (edges[row * graph.Readers + column]) return true;
            }
        }
        return false;
    }

    private static void ClearIncoming(ComputationGraph graph, bool[] edges, int node)
    {
        foreach (int column in graph.ReadersOf(node))
        {
            for (int row = 0; row < graph.WritersBefore(column); row++) edges[row * graph.Readers + column] = false;
        }
    }
}
