using System.Globalization;

namespace Gradpath.Gpt2Runtime.Graph;

// The names of nodes, readers and edges, which are those of the EAP-IG library.
public sealed partial class ComputationGraph
{
    private const string Arrow = "->";
    private const string Letters = "qkv";

    /// <summary>Name of a writer: <c>input</c>, <c>a3.h1</c>, <c>m11</c>.</summary>
    /// <param name="row">The row; <see cref="LogitsNode"/> gives <c>logits</c>.</param>
    /// <returns>The name.</returns>
    public string WriterName(int row)
    {
        RequireNode(row);
        if (row == InputRow) return "input";
        if (row == LogitsNode) return "logits";
        (int layer, int within) = OfWriter(row);
        return within == Heads
            ? string.Create(CultureInfo.InvariantCulture, $"m{layer}")
            : string.Create(CultureInfo.InvariantCulture, $"a{layer}.h{within}");
    }

    /// <summary>Name of a reader: <c>a3.h1&lt;q&gt;</c>, <c>m11</c>, <c>logits</c>.</summary>
    /// <param name="column">The column.</param>
    /// <returns>The name.</returns>
    public string ReaderName(int column)
    {
        string node = WriterName(NodeOfColumn(column));
        return KindOfReader(column) == NodeKind.Head ? $"{node}<{Letters[(int)InputOfReader(column)]}>" : node;
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
}
