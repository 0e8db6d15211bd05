using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>What following paths backwards gives.</summary>
/// <param name="Graph">The model's graph.</param>
/// <param name="CleanMetric">Mean metric of the model on the clean prompts.</param>
/// <param name="Rounds">The rounds, first one first.</param>
/// <param name="BatchSize">Prompt pairs per pass.</param>
/// <param name="PeakDeviceBytes">The most memory that was in use on the device in this run, weights included.</param>
public sealed record PathTrace(
    ComputationGraph Graph, double CleanMetric, IReadOnlyList<PathRound> Rounds, int BatchSize, long PeakDeviceBytes)
{
    /// <summary>
    /// The circuit of all edges that were followed. Where MLPs reacted to the senders, an effect also went through MLPs between sender and
    /// receiver; then their edges belong to the circuit too.
    /// </summary>
    /// <param name="withMlps">Whether MLPs reacted.</param>
    /// <param name="lossSign">-1 for metrics of which more is better, 1 for a divergence.</param>
    /// <returns>The circuit, with the effects as scores of the edges: positive where corrupting hurts.</returns>
    public Circuit Circuit(bool withMlps, int lossSign)
    {
        var values = new float[Graph.Writers * Graph.Readers];
        var edges = new HashSet<(int, int)>();
        foreach (PathEdge edge in Rounds.SelectMany(r => r.Edges))
        {
            int column = edge.Receiver.Column;
            edges.Add((edge.Row, column));
            ref float value = ref values[(edge.Row * Graph.Readers) + column];
            if (Math.Abs(edge.Effect) > Math.Abs(value)) value = (float)(lossSign * edge.Effect);
            if (!withMlps) continue;
            int[] between =
                [.. Enumerable.Range(0, Graph.Layers).Select(Graph.MlpRow).Where(m => m > edge.Row && m < Graph.WritersBefore(column))];
            for (int i = 0; i < between.Length; i++)
            {
                int mlpColumn = Graph.ReadersOf(between[i])[0];
                edges.Add((edge.Row, mlpColumn));
                edges.Add((between[i], column));
                for (int j = 0; j < i; j++) edges.Add((between[j], mlpColumn));
            }
        }
        Circuit circuit = Gpt2Runtime.Graph.Circuit.Of(Graph, edges);
        return new Circuit(Graph, circuit.Membership) { Scores = new EdgeScores(Graph, values) };
    }
}
