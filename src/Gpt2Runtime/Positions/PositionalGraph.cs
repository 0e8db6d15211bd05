using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Positions;

/// <summary>
/// The edges of a graph by the spans of a prompt in which they write and read. An edge (u, s -> v, t) is what reader v takes from writer
/// u's output at the positions of span s, and uses at those of span t. Queries, MLPs and the logits read where they are, so s = t there.
/// Keys and values at positions of s are seen by queries at positions of t, which stand there or behind.
/// </summary>
/// <remarks>
/// Edges have numbers, in which scores and circuits are stored: a block [F, K] for each span with itself, then a block [F, 2 L H] of keys
/// and values for each pair of different spans that exists: where in some prompt a position of s has one of t behind it. A number that
/// stands for no edge has no meaning.
/// </remarks>
public sealed class PositionalGraph : IEquatable<PositionalGraph>
{
    private readonly string[] _spans;
    private readonly int[] _blocks;
    private readonly (int From, int To)[] _pairs;
    private readonly int _firstCrossing;

    /// <summary>The edges of a graph by spans.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="spans">The names of the spans; all different.</param>
    /// <param name="crossing">The pairs of different spans that exist, by their numbers; repetitions count once.</param>
    /// <exception cref="ArgumentException">There are no spans, two have one name, or a pair is none of different spans.</exception>
    public PositionalGraph(ComputationGraph graph, IReadOnlyList<string> spans, IEnumerable<(int From, int To)> crossing)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(spans);
        ArgumentNullException.ThrowIfNull(crossing);
        Graph = graph;
        _spans = [.. spans];
        int count = _spans.Length;
        if (count == 0) throw new ArgumentException("there are no spans", nameof(spans));
        if (_spans.Distinct(StringComparer.Ordinal).Count() < count) throw new ArgumentException("two spans have one name", nameof(spans));
        _blocks = new int[count * count];
        Array.Fill(_blocks, -1);
        (int From, int To)[] others = [.. crossing.Distinct().Order()];
        if (others.Any(p => (uint)p.From >= (uint)count || (uint)p.To >= (uint)count || p.From == p.To))
            throw new ArgumentException("a pair is none of different spans", nameof(crossing));
        KeyValueColumns = 2 * graph.Layers * graph.Heads;
        int block = checked(graph.Writers * graph.Readers);
        for (int s = 0; s < count; s++) _blocks[(s * count) + s] = checked(s * block);

        // A block begins at a whole number of its rows, as the contraction's blocks do.
        _firstCrossing = checked(((count * block) + KeyValueColumns - 1) / KeyValueColumns * KeyValueColumns);
        Cells = _firstCrossing;
        foreach ((int from, int to) in others)
        {
            _blocks[(from * count) + to] = Cells;
            Cells = checked(Cells + (graph.Writers * KeyValueColumns));
        }
        _pairs = [.. Enumerable.Range(0, count).Select(s => (s, s)), .. others];
        int keysValues = graph.Edges.Count(e => IsKeyOrValue(e.Column));
        EdgeCount = checked((count * graph.EdgeCount) + (others.Length * keysValues));
    }

    /// <summary>The graph.</summary>
    public ComputationGraph Graph { get; }

    /// <summary>The names of the spans.</summary>
    public IReadOnlyList<string> Spans => _spans;

    /// <summary>The pairs of spans that exist, by their numbers: each span with itself, then those of different ones.</summary>
    public IReadOnlyList<(int From, int To)> Pairs => _pairs;

    /// <summary>Number of edges.</summary>
    public int EdgeCount { get; }

    /// <summary>One past the largest number of an edge.</summary>
    public int Cells { get; }

    /// <summary>Keys and values of all heads: the columns of a block of different spans.</summary>
    internal int KeyValueColumns { get; }

    /// <summary>All edges: by pair of spans as in <see cref="Pairs"/>, then as in <see cref="ComputationGraph.Edges"/>.</summary>
    public IEnumerable<PositionalEdge> Edges => _pairs.SelectMany(pair => Graph.Edges
        .Where(e => pair.From == pair.To || IsKeyOrValue(e.Column))
        .Select(e => new PositionalEdge(e.Row, pair.From, e.Column, pair.To)));

    /// <summary>Whether a reader is a key or value, which is read from other positions.</summary>
    /// <param name="column">The reader.</param>
    public bool IsKeyOrValue(int column) =>
        column != Graph.LogitsColumn && column % Graph.ReadersPerLayer is var within && within >= Graph.Heads && within < 3 * Graph.Heads;

    /// <summary>Whether there is an edge.</summary>
    /// <param name="edge">The edge.</param>
    public bool IsEdge(PositionalEdge edge) => (uint)edge.From < (uint)_spans.Length && (uint)edge.To < (uint)_spans.Length
        && Graph.IsEdge(edge.Row, edge.Column) && BlockOf(edge.From, edge.To) >= 0 && (edge.From == edge.To || IsKeyOrValue(edge.Column));

    /// <summary>The number of an edge.</summary>
    /// <param name="edge">An edge of this graph.</param>
    public int IndexOf(PositionalEdge edge) => edge.From == edge.To
        ? BlockOf(edge.From, edge.To) + (edge.Row * Graph.Readers) + edge.Column
        : BlockOf(edge.From, edge.To) + (edge.Row * KeyValueColumns) + KeyValueColumn(edge.Column);

    /// <summary>The name of an edge, such as <c>a0.h1@S2->a3.h0&lt;k&gt;@end</c>.</summary>
    /// <param name="edge">An edge of this graph.</param>
    public string EdgeName(PositionalEdge edge) => string.Concat(
        Graph.WriterName(edge.Row), "@", _spans[edge.From], "->", string.Concat(Graph.ReaderName(edge.Column), "@", _spans[edge.To]));

    /// <summary>The number of a span.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>-1 where there is none.</returns>
    public int SpanOf(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Array.IndexOf(_spans, name);
    }

    /// <inheritdoc />
    public bool Equals(PositionalGraph? other) => other is not null && other.Graph.Equals(Graph)
        && other._spans.AsSpan().SequenceEqual(_spans) && other._pairs.AsSpan().SequenceEqual(_pairs);

    /// <inheritdoc />
    public override bool Equals(object? obj) => Equals(obj as PositionalGraph);

    /// <inheritdoc />
    public override int GetHashCode() => HashCode.Combine(Graph, _spans.Length, _pairs.Length);

    /// <summary>The shape in words, for messages.</summary>
    /// <returns>Such as <c>12 layers x 12 heads with the spans S1, S2, end</c>.</returns>
    public override string ToString() => $"{Graph} with the spans {string.Join(", ", _spans)}";

    /// <summary>The number of a pair's first cell.</summary>
    /// <param name="from">The writers' span.</param>
    /// <param name="to">The readers' span.</param>
    /// <returns>-1 where the pair does not exist.</returns>
    internal int BlockOf(int from, int to) => _blocks[(from * _spans.Length) + to];

    /// <summary>The place of a key or value in a row of a block of different spans.</summary>
    /// <param name="column">The reader.</param>
    internal int KeyValueColumn(int column)
    {
        (int layer, int within) = Math.DivRem(column, Graph.ReadersPerLayer);
        return (2 * layer * Graph.Heads) + within - Graph.Heads;
    }

    /// <summary>Adds the edges of all spans up: what the plain graph's edges have.</summary>
    /// <param name="cells">A value per number.</param>
    /// <returns>[F, K]; 0 where there is no edge.</returns>
    internal double[] Sum(double[] cells)
    {
        double[] sums = new double[Graph.Writers * Graph.Readers];
        foreach (PositionalEdge edge in Edges) sums[(edge.Row * Graph.Readers) + edge.Column] += cells[IndexOf(edge)];
        return sums;
    }
}
