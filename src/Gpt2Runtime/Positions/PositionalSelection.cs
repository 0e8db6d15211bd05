using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Positions;

/// <summary>
/// From scores of edges between spans to circuits, as <see cref="CircuitSelection"/> and <see cref="CircuitPruning"/> do for plain ones. A
/// node stands once in each span: an edge leaves its writer in the writer's span and enters the reader's node in the reader's.
/// </summary>
public static class PositionalSelection
{
    /// <summary>The n edges of largest score.</summary>
    /// <param name="scores">The scores.</param>
    /// <param name="count">n, before pruning.</param>
    /// <param name="bySign">Rank by the score itself, not its absolute value.</param>
    /// <returns>A circuit of n edges.</returns>
    /// <exception cref="OptionException">n is negative or above the number of edges.</exception>
    public static PositionalCircuit TopEdges(PositionalScores scores, int count, bool bySign = false)
    {
        ArgumentNullException.ThrowIfNull(scores);
        RequireCount(scores, count);
        return Of(scores, scores.Strongest(count, bySign));
    }

    /// <summary>All edges whose score is at least a threshold; equal scores stay together.</summary>
    /// <param name="scores">The scores.</param>
    /// <param name="threshold">The threshold.</param>
    /// <param name="bySign">Compare the score itself, not its absolute value.</param>
    /// <returns>The circuit; it may be empty.</returns>
    /// <exception cref="OptionException">The threshold is not a finite number.</exception>
    public static PositionalCircuit Threshold(PositionalScores scores, float threshold, bool bySign = false)
    {
        ArgumentNullException.ThrowIfNull(scores);
        if (!float.IsFinite(threshold)) throw new OptionException($"the threshold is {threshold}: not a finite number");
        return Of(scores, scores.Graph.Edges.Where(e => (bySign ? scores[e] : MathF.Abs(scores[e])) >= threshold));
    }

    /// <summary>
    /// Grows a circuit back from the logits: of the edges into nodes that are in, the best one enters; with its writer, in its span, the
    /// edges into that node become candidates too.
    /// </summary>
    /// <param name="scores">The scores.</param>
    /// <param name="count">Number of edges n, before pruning; fewer where no more lead to the logits.</param>
    /// <param name="bySign">Rank by the score itself, not its absolute value.</param>
    /// <returns>A circuit of n edges.</returns>
    /// <exception cref="OptionException">n is negative or above the number of edges.</exception>
    public static PositionalCircuit Greedy(PositionalScores scores, int count, bool bySign = false)
    {
        ArgumentNullException.ThrowIfNull(scores);
        RequireCount(scores, count);
        PositionalGraph graph = scores.Graph;
        ILookup<(int, int), PositionalEdge> into = graph.Edges.ToLookup(e => (graph.Graph.NodeOfColumn(e.Column), e.To));
        PriorityQueue<PositionalEdge, (float, int)> frontier = new();
        HashSet<(int, int)> entered = [];
        List<PositionalEdge> edges = [];
        for (int s = 0; s < graph.Spans.Count; s++) Enter((graph.Graph.LogitsNode, s));
        while (edges.Count < count && frontier.TryDequeue(out PositionalEdge edge, out _))
        {
            edges.Add(edge);
            Enter((edge.Row, edge.From));
        }
        return Of(scores, edges);

        void Enter((int, int) node)
        {
            if (!entered.Add(node)) return;
            foreach (PositionalEdge edge in into[node])
                frontier.Enqueue(edge, (-(bySign ? scores[edge] : MathF.Abs(scores[edge])), graph.IndexOf(edge)));
        }
    }

    /// <summary>Removes every edge that lies on no path from the input, in any span, to the logits.</summary>
    /// <param name="circuit">The circuit.</param>
    /// <returns>The pruned circuit; it still states how many edges had been selected.</returns>
    public static PositionalCircuit Prune(PositionalCircuit circuit)
    {
        ArgumentNullException.ThrowIfNull(circuit);
        ComputationGraph graph = circuit.Graph.Graph;

        // Rows are in topological order, whatever the span.
        PositionalEdge[] edges = [.. circuit.Edges.OrderBy(e => e.Row)];
        int spans = circuit.Graph.Spans.Count;
        var (reached, leads) = (new bool[(graph.LogitsNode + 1) * spans], new bool[(graph.LogitsNode + 1) * spans]);
        for (int s = 0; s < spans; s++) reached[At(ComputationGraph.InputRow, s)] = leads[At(graph.LogitsNode, s)] = true;
        foreach (PositionalEdge edge in edges) reached[At(graph.NodeOfColumn(edge.Column), edge.To)] |= reached[At(edge.Row, edge.From)];
        foreach (PositionalEdge edge in edges.Reverse())
            leads[At(edge.Row, edge.From)] |= leads[At(graph.NodeOfColumn(edge.Column), edge.To)];
        return new PositionalCircuit(
            circuit.Graph,
            edges.Where(e => reached[At(e.Row, e.From)] && leads[At(graph.NodeOfColumn(e.Column), e.To)]))
        {
            EdgesBeforePrune = circuit.EdgesBeforePrune,
            Scores = circuit.Scores,
            ModelWidth = circuit.ModelWidth,
            Provenance = circuit.Provenance,
        };

        int At(int node, int span) => (node * spans) + span;
    }

    /// <summary>
    /// The pruned circuit of the largest selection that leaves no more than a number of edges after pruning. Selections must grow with
    /// their number of edges by edges alone, as top-n and greedy ones do.
    /// </summary>
    /// <param name="select">Makes a selection of n edges.</param>
    /// <param name="wanted">Edges to be left, at most.</param>
    /// <param name="most">Largest n.</param>
    /// <returns>The pruned circuit; it still states how many edges had been selected.</returns>
    public static PositionalCircuit Fill(Func<int, PositionalCircuit> select, int wanted, int most)
    {
        ArgumentNullException.ThrowIfNull(select);
        return LargestFit.Find(n => Prune(select(n)), circuit => circuit.EdgeCount, wanted, most);
    }

    private static PositionalCircuit Of(PositionalScores scores, IEnumerable<PositionalEdge> edges) =>
        new(scores.Graph, edges) { Scores = scores };

    private static void RequireCount(PositionalScores scores, int count)
    {
        int most = scores.Graph.EdgeCount;
        if (count < 0) throw new OptionException($"cannot take {count} edges: the number must not be negative");
        if (count > most) throw new OptionException($"cannot take {count} edges: the graph has {most} edges between spans");
    }
}
