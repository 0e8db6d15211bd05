using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Model;

/// <summary>
/// What a masked pass computes, as compact numbers: only writers that can differ from their ablated output and are read, and only readers
/// that such a writer feeds. Everything else is left out of memory and of every product; where nothing is pruned it is the whole graph.
/// </summary>
/// <remarks>
/// Slots number the computed writers in row order. Compact columns number the computed readers: by layer the MLP, then the queries, keys
/// and values of its heads; the logits last. A mask matrix is [slots, columns].
/// </remarks>
internal sealed class MaskedPlan
{
    private readonly int[] _slotOfRow;
    private readonly int[] _compactOfColumn;

    /// <summary>Plans a pass.</summary>
    /// <param name="graph">The model's graph.</param>
    /// <param name="candidates">[F, K] row-major: edges whose mask may differ from 0; null for all.</param>
    /// <param name="ablatedInputsMatter">See <see cref="PatchPlan"/>: false when patching, true for the other ablations.</param>
    public MaskedPlan(ComputationGraph graph, bool[]? candidates, bool ablatedInputsMatter)
    {
        Graph = graph;
        var circuit = new PatchedCircuit(graph, candidates);
        var active = new PatchPlan(graph);
        active.SetCircuit(circuit, ablatedInputsMatter, 0);
        _slotOfRow = new int[graph.Writers];
        for (int row = 0; row < graph.Writers; row++) _slotOfRow[row] = active.IsActive(row) ? Slots++ : -1;
        _compactOfColumn = new int[graph.Readers];
        Array.Fill(_compactOfColumn, -1);
        Layers = new Layer[graph.Layers];
        for (int l = 0; l < graph.Layers; l++) Layers[l] = MakeLayer(l);
        _compactOfColumn[graph.LogitsColumn] = Columns++;
        Edges = [.. CandidateEdges(circuit)];

        Layer MakeLayer(int layer)
        {
            int first = Columns;
            int[] heads = [.. Enumerable.Range(0, graph.Heads).Where(h => active.IsActive(graph.HeadRow(layer, h)))];
            bool mlp = active.IsActive(graph.MlpRow(layer));
            if (mlp) _compactOfColumn[graph.MlpColumn(layer)] = Columns++;
            var readers = new List<Run>[3];
            var constants = new List<Run>[3];
            for (int part = 0; part < 3; part++)
            {
                (readers[part], constants[part]) = ([], []);
                for (int a = 0; a < heads.Length; a++)
                {
                    int column = graph.HeadColumn(layer, (HeadInput)part, heads[a]);
                    bool reads = Enumerable.Range(0, graph.WritersBefore(column)).Any(u => _slotOfRow[u] >= 0 && circuit.Keeps(u, column));
                    int reader = reads ? _compactOfColumn[column] = Columns++ : -1;
                    Extend(reads ? readers[part] : constants[part], heads[a], a, reader - first);
                }
            }
            var outputs = new List<Run>();
            for (int a = 0; a < heads.Length; a++) Extend(outputs, heads[a], a, _slotOfRow[graph.HeadRow(layer, heads[a])]);
            int before = Enumerable.Range(0, graph.HeadRow(layer, 0)).Count(row => _slotOfRow[row] >= 0);
            return new Layer(
                heads, mlp, before, first, Columns - first, [.. readers.Select(r => r.ToArray())], [.. constants.Select(r => r.ToArray())],
                [.. outputs]);
        }
    }

    /// <summary>Heads that follow each other both in the model and in what is computed, so that they are one batch of products.</summary>
    /// <param name="Head">First head in the model.</param>
    /// <param name="Index">Its index among the layer's computed heads.</param>
    /// <param name="Count">Number of heads.</param>
    /// <param name="At">First reader within the layer's compact columns, or first slot, of the run; -1 where they have none.</param>
    public readonly record struct Run(int Head, int Index, int Count, int At);

    /// <summary>What a layer computes.</summary>
    /// <param name="Heads">Heads that are computed.</param>
    /// <param name="Mlp">Whether the MLP is.</param>
    /// <param name="SlotsBefore">Slots of the writers before the layer, which is the slot of its first head; its MLP's is behind its
    /// heads'.</param>
    /// <param name="FirstColumn">Compact column of the first reader.</param>
    /// <param name="Readers">Number of readers, the MLP (the first, where it is computed) included.</param>
    /// <param name="Reading">Runs of heads with a reader: of the queries, the keys and the values.</param>
    /// <param name="Constant">Runs of heads whose query, key or value comes from the ablated residual stream alone.</param>
    /// <param name="Outputs">Runs of all heads, with their slots.</param>
    public sealed record Layer(
        int[] Heads, bool Mlp, int SlotsBefore, int FirstColumn, int Readers, Run[][] Reading, Run[][] Constant, Run[] Outputs)
    {
        /// <summary>Number of readers before the queries: 1 with an MLP.</summary>
        public int MlpReaders => Mlp ? 1 : 0;

        /// <summary>Number of queries, keys and values that are read.</summary>
        public int AttentionReaders => Readers - MlpReaders;

        /// <summary>
        /// The MLP and the queries that are read: the first readers. In the last layer they are needed at the answers alone.
        /// </summary>
        public int MlpAndQueryReaders { get; } = (Mlp ? 1 : 0) + Reading[0].Sum(r => r.Count);

        /// <summary>The MLP's slot.</summary>
        public int MlpSlot => SlotsBefore + Heads.Length;

        /// <summary>Whether some query, key or value is constant.</summary>
        public bool HasConstants => Constant.Any(c => c.Length > 0);
    }

    /// <summary>The model's graph.</summary>
    public ComputationGraph Graph { get; }

    /// <summary>Number of computed writers.</summary>
    public int Slots { get; }

    /// <summary>Number of computed readers.</summary>
    public int Columns { get; private set; }

    /// <summary>The layers.</summary>
    public Layer[] Layers { get; }

    /// <summary>The largest number of readers of a layer.</summary>
    public int MostReaders => Math.Max(1, Layers.Max(l => l.Readers));

    /// <summary>
    /// Candidates between a computed writer and a computed reader, in row order: those that a mask can change anything at.
    /// </summary>
    public (int Row, int Column)[] Edges { get; }

    /// <summary>The cell of an edge in a mask matrix [slots, columns].</summary>
    /// <param name="row">A computed writer.</param>
    /// <param name="column">A computed reader.</param>
    /// <returns>Position, row-major.</returns>
    public int CellOf(int row, int column) => (_slotOfRow[row] * Columns) + _compactOfColumn[column];

    /// <summary>The slot of a writer.</summary>
    /// <param name="row">The writer.</param>
    /// <returns>The slot, or -1 where it is not computed.</returns>
    public int SlotOf(int row) => _slotOfRow[row];

    /// <summary>
    /// Multiply-adds of a pass and its gradients for each row of the residual stream: the mixing (inputs, residual gradients, edge
    /// gradients) and the layers (forwards and backwards). Attention's own products and the logits are not in it, and the last layer counts
    /// as if all of it ran at all rows.
    /// </summary>
    /// <param name="width">Width D.</param>
    /// <param name="headWidth">Width of a head.</param>
    /// <param name="innerWidth">Width of the MLP.</param>
    /// <returns>Multiply-adds.</returns>
    public long WorkPerRow(int width, int headWidth, int innerWidth)
    {
        long work = 0;
        foreach (Layer layer in Layers)
        {
            work += 3L * layer.SlotsBefore * layer.Readers * width;
            work += 2L * (layer.AttentionReaders + layer.Heads.Length) * headWidth * width;
            if (layer.Mlp) work += (3L * layer.Heads.Length * width) + (4L * width * innerWidth);
        }
        return work;
    }

    private static void Extend(List<Run> runs, int head, int index, int at)
    {
        if (runs.Count > 0 && runs[^1] is { } last && last.Head + last.Count == head && last.Index + last.Count == index)
            runs[^1] = last with { Count = last.Count + 1 };
        else runs.Add(new Run(head, index, 1, at));
    }

    private IEnumerable<(int Row, int Column)> CandidateEdges(PatchedCircuit circuit)
    {
        for (int row = 0; row < Graph.Writers; row++)
        {
            if (_slotOfRow[row] < 0) continue;
            for (int column = 0; column < Graph.Readers; column++)
            {
                if (_compactOfColumn[column] >= 0 && Graph.IsEdge(row, column) && circuit.Keeps(row, column)) yield return (row, column);
            }
        }
    }
}
