using System.Globalization;
using Gradpath.Gpt2Runtime.Checkpoints;

namespace Gradpath.Gpt2Runtime.Graph;

/// <summary>Which of its three inputs an attention head reads with.</summary>
public enum HeadInput
{
    /// <summary>The query.</summary>
    Query,

    /// <summary>The key.</summary>
    Key,

    /// <summary>The value.</summary>
    Value,
}

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
public sealed class ComputationGraph : IEquatable<ComputationGraph>
{
    private const string Arrow = "->";
    private const string Letters = "qkv";

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
        Writers = checked(1 + layers * (heads + 1));
        Readers = checked(layers * (3 * heads + 1) + 1);
        _ = checked(Writers * Readers);
        for (int column = 0; column < Readers; column++) EdgeCount += WritersBefore(column);
        _readers = ReadersByNode();
    }

    /// <summary>The graph of a model.</summary>
    /// <param name="config">The model's shape.</param>
    public ComputationGraph(Gpt2Config config)
        : this(config.Layers, config.Heads)
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
    public int HeadRow(int layer, int head) => 1 + layer * (Heads + 1) + head;

    /// <summary>Row of an MLP.</summary>
    /// <param name="layer">Layer, from 0.</param>
    /// <returns>1 + l(H+1) + H.</returns>
    public int MlpRow(int layer) => HeadRow(layer, Heads);

    /// <summary>Column of one input of a head.</summary>
    /// <param name="layer">Layer, from 0.</param>
    /// <param name="input">Query, key or value.</param>
    /// <param name="head">Head, from 0.</param>
    /// <returns>l(3H+1) + {0,1,2}H + h.</returns>
    public int HeadColumn(int layer, HeadInput input, int head) => layer * (3 * Heads + 1) + (int)input * Heads + head;

    /// <summary>Column of an MLP.</summary>
    /// <param name="layer">Layer, from 0.</param>
    /// <returns>l(3H+1) + 3H.</returns>
    public int MlpColumn(int layer) => layer * (3 * Heads + 1) + 3 * Heads;

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
    internal int FirstColumnOfSublayer(int sublayer) => sublayer % 2 == 0 ? HeadColumn(sublayer / 2, HeadInput.Query, 0) : MlpColumn(sublayer / 2);

    /// <summary>The sublayer that a reader belongs to, numbered as in <see cref="WritersBeforeSublayer"/>.</summary>
    /// <param name="column">The reader.</param>
    /// <returns>0 to 2 L.</returns>
    internal int SublayerOfColumn(int column)
    {
        (int layer, int within) = Math.DivRem(column, 3 * Heads + 1);
        return 2 * layer + (column != LogitsColumn && within == 3 * Heads ? 1 : 0);
    }

    /// <summary>The sublayer that a writer belongs to, numbered as in <see cref="WritersBeforeSublayer"/>.</summary>
    /// <param name="row">The writer.</param>
    /// <returns>-1 for the input, else 0 to 2 L - 1.</returns>
    internal int SublayerOfWriter(int row)
    {
        if (row == InputRow) return -1;
        (int layer, int within) = Math.DivRem(row - 1, Heads + 1);
        return 2 * layer + (within == Heads ? 1 : 0);
    }

    /// <summary>How many writers feed a reader: the rows 0 .. n-1.</summary>
    /// <param name="column">The reader.</param>
    /// <returns>n.</returns>
    public int WritersBefore(int column)
    {
        if (column == LogitsColumn) return Writers;
        (int layer, int within) = Math.DivRem(column, 3 * Heads + 1);
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
        (int layer, int within) = Math.DivRem(column, 3 * Heads + 1);
        return within == 3 * Heads ? MlpRow(layer) : HeadRow(layer, within % Heads);
    }

    /// <summary>The readers of a node.</summary>
    /// <param name="node">A row, or <see cref="LogitsNode"/>.</param>
    /// <returns>None for the input; query, key and value columns of a head; one column of an MLP and of the logits.</returns>
    public ReadOnlySpan<int> ReadersOf(int node)
    {
        if (node == InputRow) return [];
        if (node == LogitsNode) return _readers.AsSpan(Readers - 1);
        (int layer, int within) = Math.DivRem(node - 1, Heads + 1);
        int start = layer * (3 * Heads + 1) + 3 * within;
        return _readers.AsSpan(start, within == Heads ? 1 : 3);
    }

    /// <summary>Name of a writer: <c>input</c>, <c>a3.h1</c>, <c>m11</c>.</summary>
    /// <param name="row">The row; <see cref="LogitsNode"/> gives <c>logits</c>.</param>
    /// <returns>The name.</returns>
    public string WriterName(int row)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(row, LogitsNode);
        if (row == InputRow) return "input";
        if (row == LogitsNode) return "logits";
        (int layer, int within) = Math.DivRem(row - 1, Heads + 1);
        return within == Heads
            ? string.Create(CultureInfo.InvariantCulture, $"m{layer}")
            : string.Create(CultureInfo.InvariantCulture, $"a{layer}.h{within}");
    }

    /// <summary>Name of a reader: <c>a3.h1&lt;q&gt;</c>, <c>m11</c>, <c>logits</c>.</summary>
    /// <param name="column">The column.</param>
    /// <returns>The name.</returns>
    public string ReaderName(int column)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(column);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(column, Readers);
        string node = WriterName(NodeOfColumn(column));
        int within = column % (3 * Heads + 1);
        return column == LogitsColumn || within == 3 * Heads ? node : $"{node}<{Letters[within / Heads]}>";
    }

    /// <summary>Name of an edge: <c>a0.h1-&gt;a3.h2&lt;q&gt;</c>.</summary>
    /// <param name="row">The writer.</param>
    /// <param name="column">The reader.</param>
    /// <returns>The name.</returns>
    public string EdgeName(int row, int column) => WriterName(row) + Arrow + ReaderName(column);

    /// <summary>Finds a writer by name.</summary>
    /// <param name="name">As <see cref="WriterName"/> writes it.</param>
    /// <param name="row">Its row.</param>
    /// <returns>False where this graph has no such writer.</returns>
    public bool TryParseWriter(ReadOnlySpan<char> name, out int row)
    {
        row = InputRow;
        if (name is "input") return true;
        if (!TryParseNode(name, out int layer, out int head)) return false;
        row = HeadRow(layer, head);
        return true;
    }

    /// <summary>Finds a reader by name.</summary>
    /// <param name="name">As <see cref="ReaderName"/> writes it.</param>
    /// <param name="column">Its column.</param>
    /// <returns>False where this graph has no such reader.</returns>
    public bool TryParseReader(ReadOnlySpan<char> name, out int column)
    {
        column = LogitsColumn;
        if (name is "logits") return true;
        if (name.Length > 3 && name[^3] == '<' && name[^1] == '>')
        {
            int letter = Letters.IndexOf(name[^2], StringComparison.Ordinal);
            if (letter < 0 || !TryParseNode(name[..^3], out int layer, out int head) || head == Heads) return false;
            column = HeadColumn(layer, (HeadInput)letter, head);
            return true;
        }
        if (!TryParseNode(name, out int mlpLayer, out int within) || within != Heads) return false;
        column = MlpColumn(mlpLayer);
        return true;
    }

    /// <summary>Finds an edge by name.</summary>
    /// <param name="name">As <see cref="EdgeName"/> writes it.</param>
    /// <param name="row">Its writer.</param>
    /// <param name="column">Its reader.</param>
    /// <returns>False where this graph has no such edge.</returns>
    public bool TryParseEdge(ReadOnlySpan<char> name, out int row, out int column)
    {
        row = column = 0;
        int arrow = name.IndexOf(Arrow);
        return arrow > 0
            && TryParseWriter(name[..arrow], out row)
            && TryParseReader(name[(arrow + Arrow.Length)..], out column)
            && IsEdge(row, column);
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

    // "m3" gives (3, H), "a3.h1" gives (3, 1).
    private bool TryParseNode(ReadOnlySpan<char> name, out int layer, out int head)
    {
        layer = 0;
        head = Heads;
        if (name.Length < 2) return false;
        if (name[0] == 'm') return TryParseIndex(name[1..], Layers, out layer);
        int dot = name.IndexOf(".h");
        return name[0] == 'a' && dot > 0
            && TryParseIndex(name[1..dot], Layers, out layer)
            && TryParseIndex(name[(dot + 2)..], Heads, out head);
    }

    private static bool TryParseIndex(ReadOnlySpan<char> digits, int limit, out int value) =>
        int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out value)
        && value < limit && (digits.Length == 1 || digits[0] != '0');

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
