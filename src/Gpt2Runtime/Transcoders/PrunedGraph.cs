namespace Gradpath.Gpt2Runtime.Transcoders;

/// <summary>
/// What is left of an attribution graph: the nodes that have most of the influence on the logits, and between them the edges that do.
/// Tokens and logits stay. Then features without incoming and features and errors without outgoing edges go, until there are none.
/// </summary>
internal sealed class PrunedGraph
{
    /// <summary>Prunes a graph.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="nodeThreshold">The share of all nodes' influence that is kept.</param>
    /// <param name="edgeThreshold">The share of all edges' influence that is kept.</param>
    public PrunedGraph(AttributionGraph graph, double nodeThreshold, double edgeThreshold)
    {
        (Graph, NodeThreshold, EdgeThreshold) = (graph, nodeThreshold, edgeThreshold);
        int slots = graph.Sources.Slots.Length;
        GraphRow[] rows = [.. graph.Targets().Select(t => graph.Incoming(t)!)];
        double[] influence = GraphInfluence.Of(graph.Sources, graph.Logits, rows, graph.Has);
        (Replacement, Completeness) = Scores(graph, rows, influence);
        Influence = Cumulative(influence);
        double least = Threshold([.. influence], nodeThreshold);
        bool[] keeps = new bool[graph.Count];
        for (int n = 0; n < keeps.Length; n++)
            keeps[n] = n >= slots || (graph.Has(n) && influence[n] > 0 && influence[n] >= least);

        List<(int Source, int Target, float Weight, double Score)> edges = [];
        GraphInfluence.Of(graph.Sources, graph.Logits, rows, s => keeps[s], (row, share) =>
        {
            int target = row.Slot >= 0 ? row.Slot : graph.Sources.Count - 1 - row.Slot;
            for (int s = 0; s < row.Slots.Length; s++)
            {
                if (keeps[s] && row.Slots[s] != 0) edges.Add((s, target, row.Slots[s], share * Math.Abs(row.Slots[s])));
            }
            for (int t = 0; t < row.Tokens.Length; t++)
            {
                if (row.Tokens[t] != 0) edges.Add((slots + t, target, row.Tokens[t], share * Math.Abs(row.Tokens[t])));
            }
        });
        double leastEdge = Threshold([.. edges.Select(e => e.Score)], edgeThreshold);
        edges.RemoveAll(e => e.Score < leastEdge);
        while (true)
        {
            bool[] reads = new bool[keeps.Length], writes = new bool[keeps.Length];
            foreach ((int source, int target, _, _) in edges) (writes[source], reads[target]) = (true, true);
            int before = edges.Count, gone = 0;
            for (int n = 0; n < slots; n++)
            {
                if (!keeps[n] || (writes[n] && (reads[n] || graph.IsError(n)))) continue;
                keeps[n] = false;
                gone++;
            }
            edges.RemoveAll(e => !keeps[e.Source] || !keeps[e.Target]);
            if (gone == 0 && edges.Count == before) break;
        }
        Nodes = [.. Enumerable.Range(0, keeps.Length).Where(n => keeps[n])];
        Edges = [.. edges.OrderBy(e => e.Target).ThenBy(e => e.Source).Select(e => (e.Source, e.Target, e.Weight))];
    }

    /// <summary>The graph.</summary>
    public AttributionGraph Graph { get; }

    /// <summary>The share of all nodes' influence that is kept.</summary>
    public double NodeThreshold { get; }

    /// <summary>The share of all edges' influence that is kept.</summary>
    public double EdgeThreshold { get; }

    /// <summary>The nodes that are left, ascending.</summary>
    public int[] Nodes { get; }

    /// <summary>The edges that are left, by target and source.</summary>
    public (int Source, int Target, float Weight)[] Edges { get; }

    /// <summary>
    /// [sources]: the share of all influence that a source and those of more influence have together; of the most influential one it is the
    /// least.
    /// </summary>
    public double[] Influence { get; }

    /// <summary>Of the influence that begins at tokens or errors, the tokens' share.</summary>
    public double Replacement { get; }

    /// <summary>The share of incoming edges that begin at no error, each node counted by its influence.</summary>
    public double Completeness { get; }

    private static double[] Cumulative(double[] influence)
    {
        int[] order = [.. Enumerable.Range(0, influence.Length).OrderByDescending(n => influence[n])];
        double sum = influence.Sum(), so = 0;
        double[] result = new double[influence.Length];
        foreach (int n in order)
        {
            so += influence[n];
            result[n] = sum > 0 ? so / sum : 0;
        }
        return result;
    }

    // The score of the last one that is needed for a share of the sum.
    private static double Threshold(double[] scores, double share)
    {
        Array.Sort(scores);
        Array.Reverse(scores);
        double sum = scores.Sum(), so = 0;
        foreach (double score in scores)
        {
            so += score;
            if (so >= share * sum) return score;
        }
        return scores.Length > 0 ? scores[^1] : 0;
    }

    private static (double Replacement, double Completeness) Scores(AttributionGraph graph, GraphRow[] rows, double[] influence)
    {
        double tokens = 0, errors = 0;
        for (int n = 0; n < influence.Length; n++)
        {
            if (n >= graph.Sources.Slots.Length) tokens += influence[n];
            else if (graph.IsError(n)) errors += influence[n];
        }

        // Nodes without incoming edges have none from errors.
        double all = influence.Sum() + graph.Logits.Sum(l => l.Probability), from = 0;
        GraphInfluence.Of(graph.Sources, graph.Logits, rows, graph.Has, (row, share) =>
        {
            for (int s = 0; s < row.Slots.Length; s++)
            {
                if (graph.IsError(s)) from += share * Math.Abs(row.Slots[s]);
            }
        });
        return (tokens + errors > 0 ? tokens / (tokens + errors) : 0, all > 0 ? 1 - (from / all) : 0);
    }
}
