using Gradpath.Gpt2Runtime.Checkpoints;

namespace Gradpath.Gpt2Runtime.Graph;

/// <summary>
/// A circuit: which edges of a model's graph are in it. A node is in it where one of its edges is; the logits always are. A circuit does
/// not change once it is made.
/// </summary>
public sealed class Circuit
{
    private readonly bool[] _edges;
    private readonly bool[] _nodes;

    /// <summary>A circuit from its membership matrix.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="edges">[F, K] row-major: true where the edge is in the circuit. Copied.</param>
    /// <exception cref="ArgumentException">The number of values is not F x K, or a cell that is no edge is true.</exception>
    public Circuit(ComputationGraph graph, ReadOnlySpan<bool> edges)
    {
        ArgumentNullException.ThrowIfNull(graph);
        if (edges.Length != graph.Writers * graph.Readers)
            throw new ArgumentException($"expected {graph.Writers * graph.Readers} values, got {edges.Length}", nameof(edges));
        Graph = graph;
        _edges = edges.ToArray();
        _nodes = new bool[graph.Writers + 1];
        _nodes[graph.LogitsNode] = true;
        for (int index = 0; index < _edges.Length; index++)
        {
            if (!_edges[index]) continue;
            (int row, int column) = Math.DivRem(index, graph.Readers);
            if (!graph.IsEdge(row, column))
                throw new ArgumentException($"{graph.WriterName(row)} does not feed {graph.ReaderName(column)}", nameof(edges));
            _nodes[row] = _nodes[graph.NodeOfColumn(column)] = true;
            EdgeCount++;
        }
        NodeCount = _nodes.Count(isIn => isIn) - 1;
        EdgesBeforePrune = EdgeCount;
    }

    /// <summary>A circuit from a list of edges.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="edges">Its edges, in any order; repetitions count once.</param>
    /// <returns>The circuit.</returns>
    /// <exception cref="ArgumentException">A pair is no edge of the graph.</exception>
    public static Circuit Of(ComputationGraph graph, IEnumerable<(int Row, int Column)> edges)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(edges);
        bool[] membership = new bool[graph.Writers * graph.Readers];
        foreach ((int row, int column) in edges)
        {
            if (!graph.IsEdge(row, column)) throw new ArgumentException($"({row}, {column}) is no edge of {graph}", nameof(edges));
            membership[row * graph.Readers + column] = true;
        }
        return new Circuit(graph, membership);
    }

    /// <summary>Reads a circuit from a file, see <see cref="Save"/>. Files of the EAP-IG library are read too.</summary>
    /// <param name="path">The file: <c>.json</c> or <c>.safetensors</c>.</param>
    /// <returns>The circuit with the file's scores.</returns>
    /// <exception cref="GradpathException">The file cannot be read, or holds scores from which no circuit has been selected.</exception>
    public static Circuit Load(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return CircuitFile.Read(path);
    }

    /// <summary>
    /// Writes the circuit with its scores and provenance to a file. One that exists is replaced, and only by a whole one.
    /// </summary>
    /// <param name="path">The file; its extension names the format: <c>.json</c> as the EAP-IG library's, or <c>.safetensors</c>.</param>
    /// <exception cref="GradpathException">The extension is not known, a score is not finite, or the file cannot be written.</exception>
    public void Save(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        CircuitFile.Write(path, this);
    }

    /// <summary>The graph that rows and columns belong to.</summary>
    public ComputationGraph Graph { get; }

    /// <summary>[F, K] row-major: true where the edge is in the circuit.</summary>
    public ReadOnlySpan<bool> Membership => _edges;

    /// <summary>Number of edges in the circuit.</summary>
    public int EdgeCount { get; }

    /// <summary>Number of nodes in the circuit, without the logits.</summary>
    public int NodeCount { get; }

    /// <summary>
    /// Number of edges that were selected, before pruning took some away; equal to <see cref="EdgeCount"/> where it has not.
    /// </summary>
    public int EdgesBeforePrune { get; init; }

    /// <summary>The scores that the circuit was selected from, or null: <see cref="Save"/> keeps them beside the circuit.</summary>
    public EdgeScores? Scores
    {
        get;
        init => field = value is null || value.Graph.Equals(Graph)
            ? value
            : throw new ArgumentException($"the scores belong to {value.Graph}, the circuit to {Graph}", nameof(Scores));
    }

    /// <summary>Width D of the model's residual stream (<c>d_model</c>); 0 where it is not known.</summary>
    public int ModelWidth
    {
        get => field > 0 ? field : Scores?.ModelWidth ?? 0;
        init;
    }

    /// <summary>How the circuit was made, or null where that is not known.</summary>
    public Provenance? Provenance
    {
        get => field ?? Scores?.Provenance;
        init;
    }

    /// <summary>The same circuit with another statement of how it was made.</summary>
    /// <param name="provenance">How it was made.</param>
    /// <returns>The circuit.</returns>
    public Circuit With(Provenance provenance)
    {
        ArgumentNullException.ThrowIfNull(provenance);
        return new Circuit(Graph, Membership)
        {
            EdgesBeforePrune = EdgesBeforePrune,
            Scores = Scores,
            ModelWidth = ModelWidth,
            Provenance = provenance,
        };
    }

    /// <summary>The circuit's edges in the order of <see cref="ComputationGraph.Edges"/>.</summary>
    public IEnumerable<(int Row, int Column)> Edges => Graph.Edges.Where(e => Contains(e.Row, e.Column));

    /// <summary>The circuit's nodes in row order, without the logits.</summary>
    public IEnumerable<int> Nodes => Enumerable.Range(0, Graph.Writers).Where(ContainsNode);

    /// <summary>Whether an edge is in the circuit.</summary>
    /// <param name="row">The writer.</param>
    /// <param name="column">The reader.</param>
    /// <returns>False also where there is no such edge.</returns>
    public bool Contains(int row, int column) =>
        (uint)row < (uint)Graph.Writers && (uint)column < (uint)Graph.Readers && _edges[row * Graph.Readers + column];

    /// <summary>Whether a node has an edge in the circuit.</summary>
    /// <param name="node">A row, or <see cref="ComputationGraph.LogitsNode"/>, which always is.</param>
    /// <returns>True where it is in.</returns>
    public bool ContainsNode(int node) => (uint)node < (uint)_nodes.Length && _nodes[node];

    /// <summary>The writers whose edge into a reader is in the circuit.</summary>
    /// <param name="column">The reader.</param>
    /// <returns>Rows, lowest first.</returns>
    public IEnumerable<int> WritersInto(int column) =>
        Enumerable.Range(0, Graph.WritersBefore(column)).Where(row => _edges[row * Graph.Readers + column]);

    /// <summary>Refuses a circuit of a model of another shape.</summary>
    /// <param name="config">The model that it is to be used with.</param>
    /// <param name="source">Where the circuit came from, for the message.</param>
    /// <exception cref="GradpathException">The shapes differ; the message states both.</exception>
    public void RequireModel(Gpt2Config config, string source)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(source);
        ModelShape.Require(Graph, ModelWidth, config, source, "circuit belongs");
    }

    /// <summary>The size in words, for messages.</summary>
    /// <returns>Such as <c>150 edges, 29 nodes</c>.</returns>
    public override string ToString() => $"{EdgeCount} edges, {NodeCount} nodes";
}
