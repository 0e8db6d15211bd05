using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>What a method makes of all batches: sums over the weighted items, not yet divided by the number of gradient points.</summary>
/// <param name="Edges">[F, K]; cells that are no edge may hold anything.</param>
/// <param name="Nodes">[F]; null where the method scores no nodes.</param>
/// <param name="Metrics">The metric of the clean and the corrupted runs; null where the method computes none.</param>
/// <param name="Path">The recorded path in any order; null where none was asked for.</param>
internal sealed record ScoreSums(
    double[] Edges, double[]? Nodes, ItemMetrics? Metrics = null, IReadOnlyList<EmbeddingPathPoint>? Path = null)
{
    /// <summary>The scores of edges.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="divisor">What sums are divided by.</param>
    /// <returns>[F, K]: 0 where there is no edge.</returns>
    /// <exception cref="GradpathException">A score is not a number.</exception>
    public float[] EdgeScores(ComputationGraph graph, double divisor)
    {
        var scores = new float[Edges.Length];
        foreach ((int row, int column) in graph.Edges)
        {
            int at = (row * graph.Readers) + column;
            scores[at] = (float)(Edges[at] / divisor);
            if (!float.IsFinite(scores[at])) throw Overflow.Of($"the score of {graph.EdgeName(row, column)}");
        }
        return scores;
    }

    /// <summary>
    /// Node scores of a gradient method. A writer's readers see the whole of its output, so the gradient there is the sum of theirs.
    /// </summary>
    /// <param name="graph">The graph.</param>
    /// <param name="edges">[F, K]: sums of the edges.</param>
    /// <returns>[F]: per writer the sum over its outgoing edges.</returns>
    public static double[] NodesOf(ComputationGraph graph, double[] edges)
    {
        var nodes = new double[graph.Writers];
        for (int row = 0; row < graph.Writers; row++)
        {
            for (int column = 0; column < graph.Readers; column++)
            {
                if (graph.IsEdge(row, column)) nodes[row] += edges[(row * graph.Readers) + column];
            }
        }
        return nodes;
    }
}
