namespace Gradpath.Tests.Support.Reference;

/// <summary>
/// The numbering of writers (rows) and readers (columns), for L layers of H heads.
/// Rows: input 0, a{l}.h{h} 1 + l(H+1) + h, m{l} 1 + l(H+1) + H.
/// Columns: a{l}.h{h}&lt;q|k|v&gt; l(3H+1) + {0,1,2}H + h, m{l} l(3H+1) + 3H, logits last.
/// </summary>
internal sealed class ReferenceGraph
{
    private readonly Dictionary<string, (int Row, int Column)> _byName;

    public ReferenceGraph(int layers, int heads)
    {
        Layers = layers;
        Heads = heads;
        WriterNames = [.. Enumerable.Range(0, Rows).Select(NameOfWriter)];
        ReaderNames = [.. Enumerable.Range(0, Columns).Select(NameOfReader)];
        Edges = [.. ListEdges()];
        _byName = Edges.ToDictionary(e => $"{WriterNames[e.Row]}->{ReaderNames[e.Column]}", StringComparer.Ordinal);
    }

    public int Layers { get; }

    public int Heads { get; }

    /// <summary>F, the number of writers.</summary>
    public int Rows => 1 + Layers * (Heads + 1);

    /// <summary>K, the number of readers.</summary>
    public int Columns => Layers * (3 * Heads + 1) + 1;

    public IReadOnlyList<string> WriterNames { get; }

    public IReadOnlyList<string> ReaderNames { get; }

    /// <summary>
    /// All edges: per layer, writer by writer, the heads' q, k, v; then the writers into the layer's MLP; at the end those into logits.
    /// </summary>
    public IReadOnlyList<(int Row, int Column)> Edges { get; }

    public int RowOfHead(int layer, int head) => 1 + layer * (Heads + 1) + head;

    public int RowOfMlp(int layer) => RowOfHead(layer, Heads);

    /// <summary>The column of one head's query (part 0), key (1) or value (2).</summary>
    public int ColumnOfHead(int layer, int part, int head) => layer * (3 * Heads + 1) + part * Heads + head;

    public int ColumnOfMlp(int layer) => ColumnOfHead(layer, 3, 0);

    /// <summary>How many writers come before a reader; they are the rows 0, 1, ...</summary>
    public int WritersBefore(int column)
    {
        int layer = column / (3 * Heads + 1);
        bool isMlp = layer < Layers && column == ColumnOfMlp(layer);
        return RowOfHead(layer, 0) + (isMlp ? Heads : 0);
    }

    public bool IsEdge(int row, int column) => row < WritersBefore(column);

    /// <summary>Row and column of an edge by its name, as <c>a0.h1-&gt;a3.h2&lt;q&gt;</c>.</summary>
    public (int Row, int Column) Edge(string name) => _byName[name];

    public string EdgeName((int Row, int Column) edge) => $"{WriterNames[edge.Row]}->{ReaderNames[edge.Column]}";

    /// <summary>A circuit: true at the given edges.</summary>
    public bool[,] Circuit(IEnumerable<(int Row, int Column)> edges)
    {
        bool[,] circuit = new bool[Rows, Columns];
        foreach ((int row, int column) in edges)
        {
            circuit[row, column] = true;
        }
        return circuit;
    }

    private string NameOfWriter(int row)
    {
        int layer = (row - 1) / (Heads + 1), head = (row - 1) % (Heads + 1);
        return row == 0 ? "input" : head == Heads ? $"m{layer}" : $"a{layer}.h{head}";
    }

    private string NameOfReader(int column)
    {
        int layer = column / (3 * Heads + 1), place = column % (3 * Heads + 1);
        return layer == Layers ? "logits" : place == 3 * Heads ? $"m{layer}" : $"a{layer}.h{place % Heads}<{"qkv"[place / Heads]}>";
    }

    private IEnumerable<(int Row, int Column)> ListEdges()
    {
        for (int layer = 0; layer < Layers; layer++)
        {
            for (int row = 0; row < RowOfHead(layer, 0); row++)
            {
                for (int head = 0; head < Heads; head++)
                {
                    for (int part = 0; part < 3; part++)
                    {
                        yield return (row, ColumnOfHead(layer, part, head));
                    }
                }
            }
            for (int row = 0; row < RowOfMlp(layer); row++)
            {
                yield return (row, ColumnOfMlp(layer));
            }
        }
        for (int row = 0; row < Rows; row++)
        {
            yield return (row, Columns - 1);
        }
    }
}
