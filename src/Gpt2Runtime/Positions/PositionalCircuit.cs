using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Positions;

/// <summary>A circuit of edges between spans. It does not change once it is made.</summary>
public sealed class PositionalCircuit
{
    private readonly bool[] _isIn;

    /// <summary>A circuit from its edges.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="edges">Its edges, in any order; repetitions count once.</param>
    /// <exception cref="ArgumentException">One is no edge of the graph.</exception>
    public PositionalCircuit(PositionalGraph graph, IEnumerable<PositionalEdge> edges)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(edges);
        Graph = graph;
        _isIn = new bool[graph.Cells];
        foreach (PositionalEdge edge in edges)
        {
            if (!graph.IsEdge(edge)) throw new ArgumentException($"{edge} is no edge of {graph}", nameof(edges));
            _isIn[graph.IndexOf(edge)] = true;
        }
        EdgeCount = _isIn.Count(isIn => isIn);
        EdgesBeforePrune = EdgeCount;
    }

    /// <summary>The graph.</summary>
    public PositionalGraph Graph { get; }

    /// <summary>Number of edges in the circuit.</summary>
    public int EdgeCount { get; }

    /// <summary>Number of edges that were selected, before pruning took some away.</summary>
    public int EdgesBeforePrune { get; init; }

    /// <summary>The scores that the circuit was selected from; null where they are not known. Files keep those of its edges.</summary>
    public PositionalScores? Scores { get; init; }

    /// <summary>Width D of the model's residual stream; 0 where it is not known.</summary>
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

    /// <summary>The circuit's edges in the order of <see cref="PositionalGraph.Edges"/>.</summary>
    public IEnumerable<PositionalEdge> Edges => Graph.Edges.Where(Contains);

    /// <summary>Whether an edge is in the circuit.</summary>
    /// <param name="edge">An edge of the graph.</param>
    public bool Contains(PositionalEdge edge) => _isIn[Graph.IndexOf(edge)];

    /// <summary>The circuit without its spans: an edge is in it where it is between any two spans.</summary>
    public Circuit Flatten() => new(Graph.Graph, Membership(_ => true))
    {
        ModelWidth = ModelWidth,
        Provenance = Provenance,
    };

    /// <summary>The circuit of one pair of spans.</summary>
    /// <param name="from">The writers' span.</param>
    /// <param name="to">The readers' span.</param>
    public Circuit Between(int from, int to) => new(Graph.Graph, Membership(pair => pair == (from, to)))
    {
        ModelWidth = ModelWidth,
        Provenance = Provenance,
    };

    /// <summary>A plain circuit with its edges between all spans.</summary>
    /// <param name="graph">The graph of spans.</param>
    /// <param name="circuit">The circuit.</param>
    /// <returns>The same circuit: it computes the same.</returns>
    public static PositionalCircuit Of(PositionalGraph graph, Circuit circuit)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(circuit);
        return new PositionalCircuit(graph, graph.Edges.Where(e => circuit.Contains(e.Row, e.Column))) { ModelWidth = circuit.ModelWidth };
    }

    /// <summary>The same circuit with another statement of how it was made.</summary>
    /// <param name="provenance">How it was made.</param>
    /// <returns>The circuit.</returns>
    public PositionalCircuit With(Provenance provenance)
    {
        ArgumentNullException.ThrowIfNull(provenance);
        return new PositionalCircuit(Graph, Edges)
        {
            EdgesBeforePrune = EdgesBeforePrune,
            Scores = Scores,
            ModelWidth = ModelWidth,
            Provenance = provenance,
        };
    }

    /// <summary>Reads a circuit from a file, see <see cref="Save"/>.</summary>
    /// <param name="path">The file: <c>.json</c> or <c>.safetensors</c>.</param>
    /// <returns>The circuit with the file's scores of its edges.</returns>
    /// <exception cref="GradpathException">The file cannot be read, has no positions, or holds no circuit.</exception>
    public static PositionalCircuit Load(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return PositionalFile.ReadCircuit(path);
    }

    /// <summary>Writes the circuit to a file, which is one of the plain circuit too. One that exists is replaced, by a whole one.</summary>
    /// <param name="path">The file; its extension names the format: <c>.json</c> or <c>.safetensors</c>.</param>
    /// <exception cref="GradpathException">The extension is not known, or the file cannot be written.</exception>
    public void Save(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        PositionalFile.Write(path, this);
    }

    /// <summary>Refuses a circuit of a model of another shape.</summary>
    /// <param name="config">The model that it is to be used with.</param>
    /// <param name="source">Where the circuit came from, for the message.</param>
    /// <exception cref="GradpathException">The shapes differ; the message states both.</exception>
    public void RequireModel(Gpt2Config config, string source)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(source);
        ModelShape.Require(Graph.Graph, ModelWidth, config, source, "circuit belongs");
    }

    private bool[] Membership(Func<(int From, int To), bool> pairs)
    {
        var edges = new bool[Graph.Graph.Writers * Graph.Graph.Readers];
        foreach (PositionalEdge edge in Edges.Where(e => pairs((e.From, e.To))))
            edges[(edge.Row * Graph.Graph.Readers) + edge.Column] = true;
        return edges;
    }
}
