using Gradpath.Gpt2Runtime.Checkpoints;

namespace Gradpath.Gpt2Runtime.Graph;

/// <summary>One edge with its score.</summary>
/// <param name="Row">The writer.</param>
/// <param name="Column">The reader.</param>
/// <param name="Score">The score.</param>
public readonly record struct ScoredEdge(int Row, int Column, float Score);

/// <summary>
/// The scores of all edges of a model's graph, and where one has been chosen the circuit: which edges and nodes are in it.
/// </summary>
public sealed class EdgeScores
{
    /// <summary>Scores for a graph.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="values">[F, K] row-major; 0 where there is no edge. Kept, not copied.</param>
    /// <exception cref="ArgumentException">The number of values is not F x K.</exception>
    public EdgeScores(ComputationGraph graph, float[] values)
    {
        Graph = graph;
        Values = RequireLength(values, graph.Writers * graph.Readers, nameof(values));
    }

    /// <summary>The graph that rows and columns belong to.</summary>
    public ComputationGraph Graph { get; }

    /// <summary>[F, K] row-major: row = writer, column = reader; 0 where there is no edge.</summary>
    public float[] Values { get; }

    /// <summary>[F]: scores of the writers as nodes, where they were computed.</summary>
    public float[]? NodeScores
    {
        get;
        init => field = value is null ? null : RequireLength(value, Graph.Writers, nameof(NodeScores));
    }

    /// <summary>[F, K]: the edges of the circuit, or null where none has been chosen.</summary>
    public bool[]? EdgesInGraph
    {
        get;
        init => field = value is null ? null : RequireLength(value, Values.Length, nameof(EdgesInGraph));
    }

    /// <summary>[F]: the writers of the circuit, or null where none has been chosen. The logits are always in.</summary>
    public bool[]? NodesInGraph
    {
        get;
        init => field = value is null ? null : RequireLength(value, Graph.Writers, nameof(NodesInGraph));
    }

    /// <summary>Width D of the model's residual stream (<c>d_model</c>); 0 where a file did not say.</summary>
    public int ModelWidth { get; init; }

    /// <summary>How the scores were made, or null where a file did not say.</summary>
    public Provenance? Provenance { get; init; }

    /// <summary>The score of one edge.</summary>
    /// <param name="row">The writer.</param>
    /// <param name="column">The reader.</param>
    public float this[int row, int column] => Values[row * Graph.Readers + column];

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
        return new ScoredEdge(row, column, Values[index]);
    }

    /// <summary>
    /// Positions in <see cref="Values"/> of the strongest edges, strongest first. Equal strength: the lowest position first, so that
    /// the ranking is the same on every run.
    /// </summary>
    /// <param name="count">How many edges.</param>
    /// <param name="bySign">Rank by the score itself instead of its absolute value.</param>
    /// <returns>The positions.</returns>
    /// <exception cref="GradpathException">There are fewer edges than that, or a score is not a finite number.</exception>
    public int[] Rank(int count, bool bySign = false)
    {
        if (count < 0 || count > Graph.EdgeCount)
            throw new GradpathException($"cannot take {count} edges: the graph has {Graph.EdgeCount}.");
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

    /// <summary>Refuses scores that hold NaN or infinity.</summary>
    /// <exception cref="GradpathException">Names the first edge or node concerned.</exception>
    public void RequireFinite()
    {
        for (int i = 0; i < Values.Length; i++)
        {
            if (!float.IsFinite(Values[i])) throw NotFinite(i / Graph.Readers, i % Graph.Readers, Values[i]);
        }
        int node = NodeScores is null ? -1 : Array.FindIndex(NodeScores, s => !float.IsFinite(s));
        if (node >= 0)
            throw new GradpathException($"the score of node {Graph.WriterName(node)} is {NodeScores![node]}: not a finite number.");
    }

    /// <summary>Refuses scores of a model of another shape.</summary>
    /// <param name="config">The model that they are to be used with.</param>
    /// <param name="source">Where the scores came from, for the message.</param>
    /// <exception cref="GradpathException">The shapes differ; the message states both.</exception>
    public void RequireModel(Gpt2Config config, string source) => ModelShape.Require(Graph, ModelWidth, config, source, "scores belong");

    // Sorts as the ranking does: the strongest edge has the lowest key, and of equal edges the one at the lowest position.
    internal ulong RankKey(int index, bool bySign)
    {
        float score = Values[index];
        if (!float.IsFinite(score)) throw NotFinite(index / Graph.Readers, index % Graph.Readers, score);
        return ((ulong)~Order(bySign ? score : MathF.Abs(score)) << 32) | (uint)index;
    }

    private static T[] RequireLength<T>(T[] array, int length, string name) => array.Length == length
        ? array
        : throw new ArgumentException($"expected {length} values, got {array.Length}", name);

    // An unsigned number that grows with the score; both zeros are equal.
    private static uint Order(float score)
    {
        uint bits = BitConverter.SingleToUInt32Bits(score + 0f);
        return (bits & 0x8000_0000) != 0 ? ~bits : bits | 0x8000_0000;
    }

    private GradpathException NotFinite(int row, int column, float score) =>
        new($"the score of edge {Graph.EdgeName(row, column)} is {score}: not a finite number.");
}
