using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Positions;
using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>What a method makes of all batches: sums over the weighted items, not yet divided by the number of gradient points.</summary>
/// <param name="Edges">[F, K]; cells that are no edge may hold anything.</param>
/// <param name="Nodes">[F]; null where the method scores no nodes.</param>
/// <param name="Metrics">The metric of the clean and the corrupted runs; null where the method computes none.</param>
/// <param name="Path">The recorded path in any order; null where none was asked for.</param>
/// <param name="Cells">A sum per number of the run's edges between spans; null where it has none.</param>
internal sealed record ScoreSums(
    double[] Edges, double[]? Nodes, ItemMetrics? Metrics = null, IReadOnlyList<EmbeddingPathPoint>? Path = null, double[]? Cells = null)
{
    /// <summary>The sums of a gradient method.</summary>
    /// <param name="context">The run.</param>
    /// <param name="sums">[F, K], or with spans a sum per number of an edge between them.</param>
    /// <param name="metrics">The metric of the clean and the corrupted runs.</param>
    /// <param name="path">The recorded path; null where none was asked for.</param>
    /// <returns>The sums of edges, which are those over all spans, and of nodes.</returns>
    public static ScoreSums Of(
        RunContext context, double[] sums, ItemMetrics metrics, IReadOnlyList<EmbeddingPathPoint>? path = null)
    {
        double[]? cells = context.Positions is null ? null : sums;
        double[] edges = context.Positions?.Graph.Sum(sums) ?? sums;
        return new ScoreSums(edges, NodesOf(context.Graph, edges), metrics, path, cells);
    }

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

    /// <summary>The scores of edges between spans.</summary>
    /// <param name="graph">The graph of spans.</param>
    /// <param name="divisor">What sums are divided by.</param>
    /// <returns>A score per number; 0 where there is no edge.</returns>
    /// <exception cref="GradpathException">A score is not a number.</exception>
    public float[] PositionalScores(PositionalGraph graph, double divisor)
    {
        var scores = new float[graph.Cells];
        foreach (PositionalEdge edge in graph.Edges)
        {
            int at = graph.IndexOf(edge);
            scores[at] = (float)(Cells![at] / divisor);
            if (!float.IsFinite(scores[at])) throw Overflow.Of($"the score of {graph.EdgeName(edge)}");
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
