using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>The circuit that rounds of path tracing make up.</summary>
internal static class PathCircuit
{
    /// <summary>
    /// The circuit of all edges that were followed. Where MLPs reacted to the senders, an effect also went through MLPs between sender and
    /// receiver; then their edges belong to the circuit too.
    /// </summary>
    /// <param name="graph">The model's graph.</param>
    /// <param name="rounds">The rounds.</param>
    /// <param name="withMlps">Whether MLPs reacted.</param>
    /// <param name="lossSign">-1 for metrics of which more is better, 1 for a divergence.</param>
    /// <param name="width">Width D of the model, which files state.</param>
    /// <returns>The circuit, with the effects as scores of the edges: positive where corrupting hurts.</returns>
    public static Circuit Of(ComputationGraph graph, IReadOnlyList<PathRound> rounds, bool withMlps, int lossSign, int width)
    {
        var values = new float[graph.Writers * graph.Readers];
        var edges = new HashSet<(int, int)>();
        foreach (PathEdge edge in rounds.SelectMany(r => r.Edges))
        {
            int column = edge.Receiver.Column;
            edges.Add((edge.Row, column));
            ref float value = ref values[(edge.Row * graph.Readers) + column];
            if (Math.Abs(edge.Effect) > Math.Abs(value)) value = (float)(lossSign * edge.Effect);
            if (!withMlps) continue;
            int[] between =
                [.. Enumerable.Range(0, graph.Layers).Select(graph.MlpRow).Where(m => m > edge.Row && m < graph.WritersBefore(column))];
            for (int i = 0; i < between.Length; i++)
            {
                int mlpColumn = graph.ReadersOf(between[i])[0];
                edges.Add((edge.Row, mlpColumn));
                edges.Add((between[i], column));
                for (int j = 0; j < i; j++) edges.Add((between[j], mlpColumn));
            }
        }
        Circuit circuit = Circuit.Of(graph, edges);
        return new Circuit(graph, circuit.Membership) { Scores = new EdgeScores(graph, values), ModelWidth = width };
    }
}
