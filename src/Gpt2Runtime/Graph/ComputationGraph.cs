using Gradpath.Gpt2Runtime.Checkpoints;

namespace Gradpath.Gpt2Runtime.Graph;

/// <summary>
/// The numbering of a GPT-2 model's computational graph: writers are rows, readers are columns, and every earlier writer feeds every
/// later reader. Nothing is stored per edge: whether (row, column) is an edge is one comparison.
/// </summary>
/// <remarks>
/// With L layers and H heads there are F = 1 + L(H+1) writers and K = L(3H+1) + 1 readers:
/// <list type="bullet">
/// <item>row 0 is <c>input</c> (the token embedding), 1 + l(H+1) + h is head <c>a{l}.h{h}</c>, 1 + l(H+1) + H is <c>m{l}</c>;</item>
/// <item>column l(3H+1) + {0,1,2}H + h is the query, key or value of a head, l(3H+1) + 3H is <c>m{l}</c>, K - 1 is <c>logits</c>.</item>
/// </list>
/// Names, numbers and edge order are those of the EAP-IG library, so that files can be exchanged with it.
/// </remarks>
public sealed partial class ComputationGraph : IEquatable<ComputationGraph>
{
    private readonly int[] _readers;

    /// <summary>The graph of a model of this shape.</summary>
    /// <param name="layers">Number of layers L.</param>
    /// <param name="heads">Heads per layer H.</param>
    public ComputationGraph(int layers, int heads)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(layers);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(heads);
        Layers = layers;
        Heads = heads;
        WritersPerLayer = checked(heads + 1);
        ReadersPerLayer = checked(3 * heads + 1);
        Writers = checked(1 + layers * WritersPerLayer);
        Readers = checked(layers * ReadersPerLayer + 1);
        _ = checked(Writers * Readers);
        for (int column = 0; column < Readers; column++) EdgeCount += WritersBefore(column);
        _readers = ReadersByNode();
    }

    /// <summary>The graph of a model.</summary>
    /// <param name="config">The model's shape.</param>
    public ComputationGraph(Gpt2Config config)
        : this(Shape(config).Layers, config.Heads)
    {
    }

    /// <summary>Number of layers L.</summary>
    public int Layers { get; }

    /// <summary>Heads per layer H.</summary>
    public int Heads { get; }

    /// <summary>Number of writers F: the rows.</summary>
    public int Writers { get; }

    /// <summary>Number of readers K: the columns.</summary>
    public int Readers { get; }

    /// <summary>Writers of one layer, H + 1: its heads and its MLP.</summary>
    public int WritersPerLayer { get; }

    /// <summary>Readers of one layer, 3 H + 1: its heads' queries, keys and values, and its MLP.</summary>
    public int ReadersPerLayer { get; }

    /// <summary>Number of edges.</summary>
    public int EdgeCount { get; }

    /// <summary>Row of the token embedding.</summary>
    public const int InputRow = 0;

    /// <summary>Column of the logits.</summary>
    public int LogitsColumn => Readers - 1;

    /// <summary>The number that stands for <c>logits</c> where nodes are numbered: one past the last writer.</summary>
    public int LogitsNode => Writers;

    /// <summary>
    /// All edges in the order in which the EAP-IG library makes them: by layer; first those into attention, by writer, head and q, k, v;
    /// then those into the MLP, by writer; at the end those into the logits.
    /// </summary>
    public IEnumerable<(int Row, int Column)> Edges
    {
        get
        {
            for (int l = 0; l < Layers; l++)
            {
                for (int row = 0; row < HeadRow(l, 0); row++)
                {
                    for (int h = 0; h < Heads; h++)
                    {
                        yield return (row, HeadColumn(l, HeadInput.Query, h));
                        yield return (row, HeadColumn(l, HeadInput.Key, h));
                        yield return (row, HeadColumn(l, HeadInput.Value, h));
                    }
                }
                for (int row = 0; row < MlpRow(l); row++) yield return (row, MlpColumn(l));
            }
            for (int row = 0; row < Writers; row++) yield return (row, LogitsColumn);
        }
    }

    /// <summary>Row of a head.</summary>
    /// <param name="layer">Layer, from 0.</param>
    /// <param name="head">Head, from 0.</param>
    /// <returns>1 + l(H+1) + h.</returns>
    public int HeadRow(int layer, int head) => 1 + layer * WritersPerLayer + head;

    /// <summary>Row of an MLP.</summary>
    /// <param name="layer">Layer, from 0.</param>
    /// <returns>1 + l(H+1) + H.</returns>
    public int MlpRow(int layer) => HeadRow(layer, Heads);

    /// <summary>Column of one input of a head.</summary>
    /// <param name="layer">Layer, from 0.</param>
    /// <param name="input">Query, key or value.</param>
    /// <param name="head">Head, from 0.</param>
    /// <returns>l(3H+1) + {0,1,2}H + h.</returns>
    public int HeadColumn(int layer, HeadInput input, int head) => layer * ReadersPerLayer + (int)input * Heads + head;

    /// <summary>Column of an MLP.</summary>
    /// <param name="layer">Layer, from 0.</param>
    /// <returns>l(3H+1) + 3H.</returns>
    public int MlpColumn(int layer) => layer * ReadersPerLayer + 3 * Heads;

    /// <summary>What a node is.</summary>
    /// <param name="node">A writer's row, or <see cref="LogitsNode"/>.</param>
    /// <returns>Its kind.</returns>
    public NodeKind KindOfWriter(int node)
    {
        RequireNode(node);
        if (node == InputRow) return NodeKind.Input;
        if (node == LogitsNode) return NodeKind.Logits;
        return OfWriter(node).Within == Heads ? NodeKind.Mlp : NodeKind.Head;
    }

    /// <summary>What the node of a reader is.</summary>
    /// <param name="column">The reader.</param>
    /// <returns>Its kind; never <see cref="NodeKind.Input"/>.</returns>
    public NodeKind KindOfReader(int column)
    {
        RequireColumn(column);
        if (column == LogitsColumn) return NodeKind.Logits;
        return OfReader(column).Within == 3 * Heads ? NodeKind.Mlp : NodeKind.Head;
    }

    /// <summary>The layer of a head or an MLP.</summary>
    /// <param name="row">Its row.</param>
    /// <returns>The layer, from 0.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The node is the input or the logits, which belong to no layer.</exception>
    public int LayerOfWriter(int row)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(row, InputRow);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, Writers);
        return OfWriter(row).Layer;
    }

    /// <summary>The layer of a reader.</summary>
    /// <param name="column">The reader.</param>
    /// <returns>The layer, from 0.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The reader is the logits, which belong to no layer.</exception>
    public int LayerOfReader(int column)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(column);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(column, LogitsColumn);
        return OfReader(column).Layer;
    }

    /// <summary>The place of a head in its layer.</summary>
    /// <param name="row">The head's row.</param>
    /// <returns>The head, from 0.</returns>
    /// <exception cref="ArgumentException">The node is no head.</exception>
    public int HeadOfWriter(int row) =>
        KindOfWriter(row) == NodeKind.Head
            ? OfWriter(row).Within
            : throw new ArgumentException($"{WriterName(row)} is no head", nameof(row));

    /// <summary>The place of a reader's head in its layer.</summary>
    /// <param name="column">A head's query, key or value input.</param>
    /// <returns>The head, from 0.</returns>
    /// <exception cref="ArgumentException">The reader belongs to no head.</exception>
    public int HeadOfReader(int column) => PlaceInHead(column) % Heads;

    /// <summary>Which input of its head a reader is.</summary>
    /// <param name="column">A head's query, key or value input.</param>
    /// <returns>Query, key or value.</returns>
    /// <exception cref="ArgumentException">The reader belongs to no head.</exception>
    public HeadInput InputOfReader(int column) => (HeadInput)(PlaceInHead(column) / Heads);

    /// <summary>
    /// Number of writers before a sublayer, which is the row of its first writer. Sublayer 2 l is the attention of layer l, 2 l + 1 its
    /// MLP, 2 L stands for the logits.
    /// </summary>
    /// <param name="sublayer">0 to 2 L.</param>
    /// <returns>The row; F for the logits.</returns>
    internal int WritersBeforeSublayer(int sublayer) => HeadRow(sublayer / 2, sublayer % 2 == 0 ? 0 : Heads);

    /// <summary>Column of a sublayer's first reader, numbered as in <see cref="WritersBeforeSublayer"/>.</summary>
    /// <param name="sublayer">0 to 2 L.</param>
    /// <returns>The column.</returns>
    internal int FirstColumnOfSublayer(int sublayer) =>
        sublayer % 2 == 0 ? HeadColumn(sublayer / 2, HeadInput.Query, 0) : MlpColumn(sublayer / 2);

    /// <summary>The sublayer that a reader belongs to, numbered as in <see cref="WritersBeforeSublayer"/>.</summary>
    /// <param name="column">The reader.</param>
    /// <returns>0 to 2 L.</returns>
    internal int SublayerOfColumn(int column)
    {
        (int layer, int within) = OfReader(column);
        return 2 * layer + (column != LogitsColumn && within == 3 * Heads ? 1 : 0);
    }

    /// <summary>Number of readers of a sublayer, numbered as in <see cref="WritersBeforeSublayer"/>.</summary>
    /// <param name="sublayer">0 to 2 L.</param>
    /// <returns>3 H of an attention, 1 of an MLP and of the logits.</returns>
    internal int ReadersOfSublayer(int sublayer) => sublayer % 2 == 0 && sublayer < 2 * Layers ? 3 * Heads : 1;

    /// <summary>The sublayer that a writer belongs to, numbered as in <see cref="WritersBeforeSublayer"/>.</summary>
    /// <param name="row">The writer.</param>
    /// <returns>-1 for the input, else 0 to 2 L - 1.</returns>
    internal int SublayerOfWriter(int row)
    {
        if (row == InputRow) return -1;
        (int layer, int within) = OfWriter(row);
        return 2 * layer + (within == Heads ? 1 : 0);
    }

    /// <summary>How many writers feed a reader: the rows 0 .. n-1.</summary>
    /// <param name="column">The reader.</param>
    /// <returns>n.</returns>
    public int WritersBefore(int column)
    {
        if (column == LogitsColumn) return Writers;
        (int layer, int within) = OfReader(column);
        return within == 3 * Heads ? MlpRow(layer) : HeadRow(layer, 0);
    }

    /// <summary>Whether a writer feeds a reader.</summary>
    /// <param name="row">The writer.</param>
    /// <param name="column">The reader.</param>
    /// <returns>True where there is an edge.</returns>
    public bool IsEdge(int row, int column) =>
        (uint)column < (uint)Readers && (uint)row < (uint)WritersBefore(column);

    /// <summary>The node that a reader belongs to.</summary>
    /// <param name="column">The reader.</param>
    /// <returns>The node's row, or <see cref="LogitsNode"/>.</returns>
    public int NodeOfColumn(int column)
    {
        if (column == LogitsColumn) return LogitsNode;
        (int layer, int within) = OfReader(column);
        return within == 3 * Heads ? MlpRow(layer) : HeadRow(layer, within % Heads);
    }

    /// <summary>The readers of a node.</summary>
    /// <param name="node">A row, or <see cref="LogitsNode"/>.</param>
    /// <returns>None for the input; query, key and value columns of a head; one column of an MLP and of the logits.</returns>
    public ReadOnlySpan<int> ReadersOf(int node)
    {
        if (node == InputRow) return [];
        if (node == LogitsNode) return _readers.AsSpan(Readers - 1);
        (int layer, int within) = OfWriter(node);
        int start = layer * ReadersPerLayer + 3 * within;
        return _readers.AsSpan(start, within == Heads ? 1 : 3);
    }

    /// <inheritdoc />
    public bool Equals(ComputationGraph? other) => other is not null && other.Layers == Layers && other.Heads == Heads;

    /// <inheritdoc />
    public override bool Equals(object? obj) => Equals(obj as ComputationGraph);

    /// <inheritdoc />
    public override int GetHashCode() => HashCode.Combine(Layers, Heads);

    /// <summary>The shape in words, for messages.</summary>
    /// <returns>Such as <c>12 layers x 12 heads</c>.</returns>
    public override string ToString() => $"{Layers} layers x {Heads} heads";

    // The layer of a head or an MLP, and its place there: a head's number, or H.
    private (int Layer, int Within) OfWriter(int row) => Math.DivRem(row - 1, WritersPerLayer);

    // The layer of a reader, and its place there: input H + head, or 3 H for the MLP.
    private (int Layer, int Within) OfReader(int column) => Math.DivRem(column, ReadersPerLayer);

    private int PlaceInHead(int column) => KindOfReader(column) == NodeKind.Head
        ? OfReader(column).Within
        : throw new ArgumentException($"{ReaderName(column)} is no input of a head", nameof(column));

    private void RequireNode(int node)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(node);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(node, LogitsNode);
    }

    private void RequireColumn(int column)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(column);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(column, Readers);
    }

    private static Gpt2Config Shape(Gpt2Config config)
    {
        ArgumentNullException.ThrowIfNull(config);
        return config;
    }

    private int[] ReadersByNode()
    {
        int[] readers = new int[Readers];
        int next = 0;
        for (int l = 0; l < Layers; l++)
        {
            for (int h = 0; h < Heads; h++)
            {
                for (int input = 0; input < 3; input++) readers[next++] = HeadColumn(l, (HeadInput)input, h);
            }
            readers[next++] = MlpColumn(l);
        }
        readers[next] = LogitsColumn;
        return readers;
    }
}
