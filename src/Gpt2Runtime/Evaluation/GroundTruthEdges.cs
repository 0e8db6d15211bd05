using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>
/// Collects a hand-made circuit's edges from statements about classes of nodes; what the layer order forbids is passed over.
/// </summary>
/// <param name="graph">The graph.</param>
internal sealed class GroundTruthEdges(ComputationGraph graph)
{
    private readonly HashSet<(int Row, int Column)> _edges = [];
    private readonly List<NodeClass> _classes = [];

    /// <summary>All MLPs.</summary>
    public int[] Mlps { get; } = [.. Enumerable.Range(0, graph.Layers).Select(graph.MlpRow)];

    /// <summary>Names a class of nodes.</summary>
    /// <param name="name">The part that they play.</param>
    /// <param name="nodes">Their names.</param>
    /// <returns>Their rows.</returns>
    public int[] Class(string name, params string[] nodes)
    {
        int[] rows = [.. nodes.Select(n => graph.TryParseWriter(n, out int row) ? row : throw new ArgumentException(n, nameof(nodes)))];
        _classes.Add(new NodeClass(name, rows));
        return rows;
    }

    /// <summary>Every writer feeds every reader that comes later.</summary>
    /// <param name="writers">Rows.</param>
    /// <param name="readers">Rows, or the logits' node.</param>
    /// <param name="inputs">Which inputs of a head; for MLPs and logits it does not matter.</param>
    public void Connect(IEnumerable<int> writers, IReadOnlyList<int> readers, string inputs = "qkv")
    {
        foreach (int writer in writers)
        {
            foreach (int reader in readers)
            {
                ReadOnlySpan<int> columns = graph.ReadersOf(reader);
                for (int i = 0; i < columns.Length; i++)
                {
                    bool isRead = columns.Length == 1 || inputs.Contains("qkv"[i], StringComparison.Ordinal);
                    if (isRead && graph.IsEdge(writer, columns[i])) _edges.Add((writer, columns[i]));
                }
            }
        }
    }

    /// <summary>The result.</summary>
    /// <param name="name">The task.</param>
    /// <param name="source">The papers, for the provenance.</param>
    public GroundTruth Build(string name, string source)
    {
        Circuit edges = Circuit.Of(graph, _edges);
        Circuit circuit = new(graph, edges.Membership) { Provenance = new Provenance { Task = name, Method = "by hand", Data = source } };
        return new GroundTruth(name, circuit, _classes);
    }
}
