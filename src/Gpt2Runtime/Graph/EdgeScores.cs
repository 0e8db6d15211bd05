using System.Numerics.Tensors;
using Gradpath.Gpt2Runtime.Checkpoints;

namespace Gradpath.Gpt2Runtime.Graph;

/// <summary>
/// The scores of all edges of a model's graph, and where one has been chosen the circuit: which edges and nodes are in it.
/// </summary>
public sealed class EdgeScores
{
    private readonly float[] _values;
    private readonly float[] _nodeScores = [];
    private readonly bool[] _edgesInGraph = [];
    private readonly bool[] _nodesInGraph = [];

    /// <summary>Scores for a graph.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="values">[F, K] row-major; 0 where there is no edge. Copied.</param>
    /// <exception cref="ArgumentException">The number of values is not F x K.</exception>
    public EdgeScores(ComputationGraph graph, ReadOnlySpan<float> values)
    {
        ArgumentNullException.ThrowIfNull(graph);
        Graph = graph;
        _values = Copy(values, graph.Writers * graph.Readers, nameof(values));
    }

    /// <summary>The graph that rows and columns belong to.</summary>
    public ComputationGraph Graph { get; }

    /// <summary>[F, K] row-major: row = writer, column = reader; 0 where there is no edge.</summary>
    public ReadOnlySpan<float> Values => _values;

    /// <summary><see cref="Values"/> as a tensor [F, K] of writers x readers, for what System.Numerics.Tensors computes.</summary>
    public ReadOnlyTensorSpan<float> Matrix => new(_values, [Graph.Writers, Graph.Readers]);

    /// <summary><see cref="Values"/> for writing that takes place later.</summary>
    internal ReadOnlyMemory<float> ValueMemory => _values;

    /// <summary>
    /// [F]: scores of the writers as nodes; empty where none were computed. NaN is a node that was not scored, as in the EAP-IG library.
    /// </summary>
    public ReadOnlySpan<float> NodeScores
    {
        get => _nodeScores;
        init => _nodeScores = value.IsEmpty ? [] : Copy(value, Graph.Writers, nameof(NodeScores));
    }

    /// <summary>[F, K]: the edges of the circuit; empty where none has been chosen.</summary>
    public ReadOnlySpan<bool> EdgesInGraph
    {
        get => _edgesInGraph;
        init => _edgesInGraph = value.IsEmpty ? [] : Copy(value, _values.Length, nameof(EdgesInGraph));
    }

    /// <summary>[F]: the writers of the circuit; empty where none has been chosen. The logits are always in.</summary>
    public ReadOnlySpan<bool> NodesInGraph
    {
        get => _nodesInGraph;
        init => _nodesInGraph = value.IsEmpty ? [] : Copy(value, Graph.Writers, nameof(NodesInGraph));
    }

    /// <summary>Width D of the model's residual stream (<c>d_model</c>); 0 where a file did not say.</summary>
    public int ModelWidth { get; init; }

    /// <summary>
    /// Number of edges that a file has not scored: NaN or null stands there, as the EAP-IG library writes it. Their score is 0.
    /// </summary>
    public int UnscoredEdges { get; init; }

    /// <summary>How the scores were made, or null where a file did not say.</summary>
    public Provenance? Provenance { get; init; }

    /// <summary>Reads scores from a file, see <see cref="Save"/>. Files of the EAP-IG library are read too.</summary>
    /// <param name="path">The file: <c>.json</c> or <c>.safetensors</c>.</param>
    /// <returns>The scores.</returns>
    /// <exception cref="GradpathException">The extension is not known, or the file cannot be read or used; the message says
    /// why.</exception>
    public static EdgeScores Load(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return ScoreFile.Read(path);
    }

    /// <summary>Writes the scores with their provenance to a file. One that exists is replaced, and only by a whole one.</summary>
    /// <param name="path">The file; its extension names the format: <c>.json</c> as the EAP-IG library's, or <c>.safetensors</c>.</param>
    /// <exception cref="GradpathException">The extension is not known, a score is not finite, or the file cannot be written.</exception>
    public void Save(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        ScoreFile.Write(path, this);
    }

    /// <summary>The score of one edge.</summary>
    /// <param name="row">The writer.</param>
    /// <param name="column">The reader.</param>
    public float this[int row, int column] => _values[row * Graph.Readers + column];

    /// <summary>Position of an edge in <see cref="Values"/>.</summary>
    /// <param name="row">The writer.</param>
    /// <param name="column">The reader.</param>
    /// <returns>row K + column.</returns>
    public int IndexOf(int row, int column) => row * Graph.Readers + column;

    /// <summary>The edge at a position of <see cref="Values"/>.</summary>
    /// <param name="index">The position.</param>
    /// <returns>Writer, reader and score.</returns>
    public ScoredEdge EdgeAt(int index)
    {
        (int row, int column) = Math.DivRem(index, Graph.Readers);
        return new ScoredEdge(row, column, _values[index]);
    }

    /// <summary>
    /// Positions in <see cref="Values"/> of the strongest edges, strongest first. Equal strength: the lowest position first, so that
    /// the ranking is the same on every run.
    /// </summary>
    /// <param name="count">How many edges.</param>
    /// <param name="bySign">Rank by the score itself instead of its absolute value.</param>
    /// <returns>The positions.</returns>
    /// <exception cref="OptionException">There are fewer edges than that.</exception>
    /// <exception cref="GradpathException">A score is not a finite number.</exception>
    public int[] Rank(int count, bool bySign = false)
    {
        if (count < 0 || count > Graph.EdgeCount)
            throw new OptionException($"cannot take {count} edges: the graph has {Graph.EdgeCount}");
        ulong[] keys = new ulong[Graph.EdgeCount];
        int next = 0;
        for (int row = 0; row < Graph.Writers; row++)
        {
            for (int column = 0; column < Graph.Readers; column++)
            {
                if (Graph.IsEdge(row, column)) keys[next++] = RankKey(IndexOf(row, column), bySign);
            }
        }
        Array.Sort(keys);
        int[] ranked = new int[count];
        for (int i = 0; i < count; i++) ranked[i] = (int)(uint)keys[i];
        return ranked;
    }

    /// <summary>The strongest edges, strongest first; ranked as <see cref="Rank"/> does.</summary>
    /// <param name="count">How many; all where the graph has fewer.</param>
    /// <param name="bySign">Rank by the score itself instead of its absolute value.</param>
    /// <returns>The edges.</returns>
    public ScoredEdge[] Strongest(int count, bool bySign = false) =>
        Array.ConvertAll(Rank(Math.Min(count, Graph.EdgeCount), bySign), EdgeAt);

    /// <summary>Refuses scores of edges that hold NaN or infinity, and of nodes that hold infinity.</summary>
    /// <exception cref="GradpathException">Names the first edge or node concerned.</exception>
    public void RequireFinite()
    {
        for (int i = 0; i < _values.Length; i++)
        {
            if (!float.IsFinite(_values[i])) throw NotFinite(i / Graph.Readers, i % Graph.Readers, _values[i]);
        }
        int node = Array.FindIndex(_nodeScores, float.IsInfinity);
        if (node >= 0)
            throw new GradpathException($"the score of node {Graph.WriterName(node)} is {_nodeScores[node]}: not a finite number.");
    }

    /// <summary>Refuses scores of a model of another shape.</summary>
    /// <param name="config">The model that they are to be used with.</param>
    /// <param name="source">Where the scores came from, for the message.</param>
    /// <exception cref="GradpathException">The shapes differ; the message states both.</exception>
    public void RequireModel(Gpt2Config config, string source)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(source);
        ModelShape.Require(Graph, ModelWidth, config, source, "scores belong");
    }

    // Sorts as the ranking does: the strongest edge has the lowest key, and of equal edges the one at the lowest position.
    internal ulong RankKey(int index, bool bySign)
    {
        float score = _values[index];
        if (!float.IsFinite(score)) throw NotFinite(index / Graph.Readers, index % Graph.Readers, score);
        return ((ulong)~Order(bySign ? score : MathF.Abs(score)) << 32) | (uint)index;
    }

    private static T[] Copy<T>(ReadOnlySpan<T> values, int length, string name) => values.Length == length
        ? values.ToArray()
        : throw new ArgumentException($"expected {length} values, got {values.Length}", name);

    // An unsigned number that grows with the score; both zeros are equal.
    private static uint Order(float score)
    {
        uint bits = BitConverter.SingleToUInt32Bits(score + 0f);
        return (bits & 0x8000_0000) != 0 ? ~bits : bits | 0x8000_0000;
    }

    private GradpathException NotFinite(int row, int column, float score) =>
        new($"the score of edge {Graph.EdgeName(row, column)} is {score}: not a finite number.");
}
