using Gradpath.Gpt2Runtime.Attribution;

namespace Gradpath.Tests.Support.Reference;

/// <summary>Edge scores [F, K] and node scores [F], 0 where there is no edge.</summary>
internal sealed class ReferenceScores(int rows, int columns)
{
    public double[,] Edges { get; } = new double[rows, columns];

    public double[] Nodes { get; } = new double[rows];

    /// <summary>This += factor other.</summary>
    public void Add(ReferenceScores other, double factor)
    {
        for (int u = 0; u < Edges.GetLength(0); u++)
        {
            Nodes[u] += factor * other.Nodes[u];
            for (int v = 0; v < Edges.GetLength(1); v++)
            {
                Edges[u, v] += factor * other.Edges[u, v];
            }
        }
    }

    /// <summary>
    /// This += factor delta_u . g_v at every edge, where g_v is the gradient that the run's tape holds at reader v;
    /// and at every writer += factor delta_u . (gradient at the writer's output).
    /// </summary>
    public void AddProducts(ReferenceGraph graph, IReadOnlyList<RealMatrix> delta, ReferenceRun run, double factor)
    {
        foreach ((int u, int v) in graph.Edges)
        {
            if (run.Readers[v].Gradient is RealMatrix gradient)
            {
                Edges[u, v] += factor * RealMatrix.Dot(delta[u], gradient);
            }
        }
        for (int u = 0; u < graph.Rows; u++)
        {
            Nodes[u] += factor * RealMatrix.Dot(delta[u], run.Writers[u].GradientOrZero);
        }
    }

    /// <summary>Combines the items' scores as the normalisation says.</summary>
    public static ReferenceScores Normalize(IReadOnlyList<ReferenceScores> items, ReferenceOptions options)
    {
        ReferenceScores result = new(items[0].Edges.GetLength(0), items[0].Edges.GetLength(1));
        ReferenceScores[][] batches = [.. items.Chunk(options.BatchSize)];
        foreach (ReferenceScores[] batch in batches)
        {
            foreach (ReferenceScores item in batch)
            {
                result.Add(item, options.Normalization switch
                {
                    ReferenceNormalization.PerItemMean => 1.0 / items.Count,
                    _ when options.Method == AttributionMethods.Exact => 1.0 / batch.Length / batches.Length,
                    _ => 1.0 / batch.Length / items.Count,
                });
            }
        }
        return result;
    }
}
