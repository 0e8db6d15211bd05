using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>How strong senders are followed backwards.</summary>
public sealed record PathTracingOptions
{
    /// <summary>Most rounds; the first one asks for the given receivers.</summary>
    public int Rounds { get; init; } = 4;

    /// <summary>
    /// Senders are followed whose effect is at least this share of the clean metric, in either direction; null where <see cref="Top"/> decides.
    /// </summary>
    public double? Threshold { get; init; } = 0.05;

    /// <summary>The number of strongest pairs of a sender and the kind of input it reaches that are followed per round, or null.</summary>
    public int? Top { get; init; }
}

/// <summary>The effects of all senders on one set of receivers.</summary>
/// <param name="Kind">What the receivers are: <c>q</c>, <c>k</c>, <c>v</c>, <c>mlp</c> or <c>logits</c>; <c>all</c> where they are several of these together.</param>
/// <param name="Receivers">The receivers.</param>
/// <param name="Effects">[F]: per writer the mean change of the metric; NaN where it is no sender or feeds none of the receivers.</param>
public sealed record PathMap(string Kind, IReadOnlyList<PathReceiver> Receivers, double[] Effects);

/// <summary>An edge that was followed.</summary>
/// <param name="Row">The sender.</param>
/// <param name="Receiver">The receiver, and where its input was patched.</param>
/// <param name="Effect">The change of the metric by this path alone.</param>
public sealed record PathEdge(int Row, PathReceiver Receiver, double Effect);

/// <summary>One round: who feeds the receivers, and which of the edges were followed.</summary>
/// <param name="Maps">A map per kind of input, and one of all inputs together where there are several kinds.</param>
/// <param name="Edges">The edges that were followed, strongest first.</param>
public sealed record PathRound(IReadOnlyList<PathMap> Maps, IReadOnlyList<PathEdge> Edges);

/// <summary>What following paths backwards gives.</summary>
/// <param name="Graph">The model's graph.</param>
/// <param name="CleanMetric">Mean metric of the model on the clean prompts.</param>
/// <param name="Rounds">The rounds, first one first.</param>
/// <param name="BatchSize">Prompt pairs per pass.</param>
/// <param name="PeakDeviceBytes">The most memory that was in use on the device in this run, weights included.</param>
public sealed record PathTrace(ComputationGraph Graph, double CleanMetric, IReadOnlyList<PathRound> Rounds, int BatchSize, long PeakDeviceBytes)
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
            int[] between = [.. Enumerable.Range(0, Graph.Layers).Select(Graph.MlpRow).Where(m => m > edge.Row && m < Graph.WritersBefore(column))];
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
