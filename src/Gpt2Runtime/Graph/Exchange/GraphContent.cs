namespace Gradpath.Gpt2Runtime.Graph.Exchange;

/// <summary>What scores or a circuit hold, in parts that kinds of files can keep or not.</summary>
internal static class GraphContent
{
    private static readonly (GraphParts Part, string Words)[] s_words =
    [
        (GraphParts.Scores, "the scores of edges"),
        (GraphParts.OtherScores, "the scores of edges outside the circuit"),
        (GraphParts.Circuit, "which edges are in the circuit"),
        (GraphParts.NodeScores, "the scores of nodes"),
        (GraphParts.Provenance, "how it was made"),
        (GraphParts.Width, "the model's width"),
    ];

    /// <summary>The parts that are there.</summary>
    /// <param name="scores">Scores, perhaps with a circuit marked.</param>
    public static GraphParts Of(EdgeScores scores)
    {
        bool circuit = !scores.EdgesInGraph.IsEmpty, alone = IsCircuitAlone(scores);
        GraphParts parts = GraphParts.None;
        if (circuit) parts |= GraphParts.Circuit;
        if (!alone) parts |= GraphParts.Scores;
        if (circuit && !alone && ScoresOutside(scores)) parts |= GraphParts.OtherScores;
        if (!scores.NodeScores.IsEmpty) parts |= GraphParts.NodeScores;
        if (scores.Provenance is { } made && Says(made)) parts |= GraphParts.Provenance;
        if (scores.ModelWidth > 0) parts |= GraphParts.Width;
        return parts;
    }

    /// <summary>Whether a circuit has no scores beside it but the 1 and 0 that stand for them, see <see cref="CircuitFile"/>.</summary>
    /// <param name="scores">Scores, perhaps with a circuit marked.</param>
    public static bool IsCircuitAlone(EdgeScores scores)
    {
        if (scores.EdgesInGraph.IsEmpty) return false;
        for (int i = 0; i < scores.Values.Length; i++)
        {
            if (scores.Values[i] != (scores.EdgesInGraph[i] ? 1 : 0)) return false;
        }
        return true;
    }

    /// <summary>The edges of the circuit, or all of the graph where none is marked, in the graph's order.</summary>
    /// <param name="scores">Scores, perhaps with a circuit marked.</param>
    public static IEnumerable<(int Row, int Column)> Edges(EdgeScores scores)
    {
        bool[] edges = scores.EdgesInGraph.ToArray();
        return scores.Graph.Edges.Where(e => edges.Length == 0 || edges[scores.IndexOf(e.Row, e.Column)]);
    }

    /// <summary>Number of edges of the circuit; that of the graph where none is marked.</summary>
    /// <param name="scores">Scores, perhaps with a circuit marked.</param>
    public static int EdgeCount(EdgeScores scores) =>
        scores.EdgesInGraph.IsEmpty ? scores.Graph.EdgeCount : scores.EdgesInGraph.Count(true);

    /// <summary>Parts in words, for people.</summary>
    /// <param name="parts">The parts.</param>
    public static IReadOnlyList<string> Words(GraphParts parts) =>
        [.. s_words.Where(w => parts.HasFlag(w.Part)).Select(w => w.Words)];

    // The sizes of a circuit are also in the circuit.
    private static bool Says(Provenance made) => made.ToJson().Any(
        p => p.Key is not ("edges_before_prune" or "edges_in_circuit") && p.Value is not System.Text.Json.Nodes.JsonObject { Count: 0 });

    private static bool ScoresOutside(EdgeScores scores)
    {
        for (int i = 0; i < scores.Values.Length; i++)
        {
            if (!scores.EdgesInGraph[i] && scores.Values[i] != 0) return true;
        }
        return false;
    }
}
