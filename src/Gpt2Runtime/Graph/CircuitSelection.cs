namespace Gradpath.Gpt2Runtime.Graph;

/// <summary>
/// From scores to circuits. Edges are ranked by absolute score unless signed ranking is asked for; ties go to the lowest position of the
/// row-major [F, K] matrix, so that a selection is the same on every run. Nothing is pruned here: see <see cref="CircuitPruning"/>.
/// </summary>
/// <remarks>
/// These are the EAP-IG library's selections (<c>apply_topn</c>, <c>apply_threshold</c>, <c>apply_greedy</c>) but for ties, which that
/// library breaks arbitrarily, and for node circuits, where it also sets cells that are no edges. CircuitGoldenTests compares them.
/// </remarks>
public static class CircuitSelection
{
    /// <summary>The n edges of largest score.</summary>
    /// <param name="scores">The scores.</param>
    /// <param name="count">n, before pruning.</param>
    /// <param name="bySign">Rank by the score itself, not its absolute value.</param>
    /// <returns>A circuit of n edges.</returns>
    /// <exception cref="OptionException">n is negative or above the number of edges.</exception>
    /// <exception cref="GradpathException">A score is not a finite number.</exception>
    public static Circuit TopEdges(EdgeScores scores, int count, bool bySign = false)
    {
        ArgumentNullException.ThrowIfNull(scores);
        RequireCount(count, scores.Graph.EdgeCount, "edges");
        bool[] edges = new bool[scores.Values.Length];
        foreach (int index in scores.Rank(count, bySign)) edges[index] = true;
        return new Circuit(scores.Graph, edges) { Scores = scores };
    }

    /// <summary>All edges whose score is at least a threshold; equal scores stay together.</summary>
    /// <param name="scores">The scores.</param>
    /// <param name="threshold">The threshold.</param>
    /// <param name="bySign">Compare the score itself, not its absolute value.</param>
    /// <returns>The circuit; it may be empty.</returns>
    /// <exception cref="OptionException">The threshold is not a finite number.</exception>
    /// <exception cref="GradpathException">A score is not a finite number.</exception>
    public static Circuit Threshold(EdgeScores scores, float threshold, bool bySign = false)
    {
        ArgumentNullException.ThrowIfNull(scores);
        if (!float.IsFinite(threshold)) throw new OptionException($"the threshold is {threshold}: not a finite number");
        scores.RequireFinite();
        bool[] edges = new bool[scores.Values.Length];
        foreach ((int row, int column) in scores.Graph.Edges)
        {
            int index = scores.IndexOf(row, column);
            edges[index] = (bySign ? scores.Values[index] : MathF.Abs(scores.Values[index])) >= threshold;
        }
        return new Circuit(scores.Graph, edges) { Scores = scores };
    }

    /// <summary>
    /// Grows a circuit back from the logits: of the edges into nodes that are in, the best one enters; when its writer enters with it for
    /// the first time, that writer's incoming edges become candidates too. Every edge of the result leads to the logits.
    /// </summary>
    /// <param name="scores">The scores.</param>
    /// <param name="count">Number of edges n, before pruning.</param>
    /// <param name="bySign">Rank by the score itself, not its absolute value.</param>
    /// <returns>A circuit of n edges.</returns>
    /// <exception cref="OptionException">n is negative or above the number of edges.</exception>
    /// <exception cref="GradpathException">A score is not a finite number.</exception>
    public static Circuit Greedy(EdgeScores scores, int count, bool bySign = false)
    {
        ArgumentNullException.ThrowIfNull(scores);
        ComputationGraph graph = scores.Graph;
        RequireCount(count, graph.EdgeCount, "edges");
        scores.RequireFinite();
        bool[] edges = new bool[scores.Values.Length];
        bool[] entered = new bool[graph.Writers];
        PriorityQueue<int, ulong> frontier = new();
        Enter(graph.LogitsNode);
        for (int taken = 0; taken < count; taken++)
        {
            int index = frontier.Dequeue();
            edges[index] = true;
            int writer = index / graph.Readers;
            if (entered[writer]) continue;
            entered[writer] = true;
            Enter(writer);
        }
        return new Circuit(graph, edges) { Scores = scores };

        void Enter(int node)
        {
            foreach (int column in graph.ReadersOf(node))
            {
                for (int row = 0; row < graph.WritersBefore(column); row++)
                {
                    int index = scores.IndexOf(row, column);
                    frontier.Enqueue(index, scores.RankKey(index, bySign));
                }
            }
        }
    }

    /// <summary>The n nodes of largest node score, with every edge between two of them or from one of them to the logits.</summary>
    /// <param name="scores">The scores, with node scores.</param>
    /// <param name="count">n, of the F writers (the input is one of them), before pruning.</param>
    /// <param name="bySign">Rank by the score itself, not its absolute value.</param>
    /// <returns>The circuit.</returns>
    /// <exception cref="OptionException">n is negative or above the number of writers.</exception>
    /// <exception cref="GradpathException">There are no node scores, a node was not scored, or a score is not a finite number.</exception>
    public static Circuit Nodes(EdgeScores scores, int count, bool bySign = false)
    {
        ArgumentNullException.ThrowIfNull(scores);
        ComputationGraph graph = scores.Graph;
        RequireCount(count, graph.Writers, "nodes");
        float[] nodeScores = scores.NodeScores.ToArray();
        if (nodeScores.Length == 0)
            throw new GradpathException(
                "the scores hold no node scores, so no node circuit can be selected from them; choose edges instead.");
        scores.RequireFinite();
        int unscored = Array.FindIndex(nodeScores, float.IsNaN);
        if (unscored >= 0)
        {
            throw new GradpathException(
                $"the node {graph.WriterName(unscored)} was not scored, so no node circuit can be selected from the scores; "
                + "choose edges instead.");
        }

        // The sort is stable, so ties go to the lowest row.
        bool[] isIn = new bool[graph.Writers + 1];
        foreach (int row in Enumerable.Range(0, graph.Writers).OrderByDescending(r => bySign ? nodeScores[r] : MathF.Abs(nodeScores[r]))
            .Take(count))
            isIn[row] = true;
        isIn[graph.LogitsNode] = true;
        bool[] edges = new bool[scores.Values.Length];
        foreach ((int row, int column) in graph.Edges)
            edges[scores.IndexOf(row, column)] = isIn[row] && isIn[graph.NodeOfColumn(column)];
        return new Circuit(graph, edges) { Scores = scores };
    }

    private static void RequireCount(int count, int most, string what)
    {
        if (count < 0) throw new OptionException($"cannot take {count} {what}: the number must not be negative");
        if (count > most) throw new OptionException($"cannot take {count} {what}: the graph has {most}");
    }
}
