using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Model;

/// <summary>
/// What one circuit of a patched pass computes. A writer is active where its output can differ from the ablated one and something reads
/// it; all others cost nothing. An active reader's input is the ablated residual stream plus the differences of the active writers whose
/// edges are kept, or, where that list is longer, the stream with all differences minus those whose edges are cut.
/// </summary>
/// <remarks>A plan object serves one circuit after the other and allocates only while its lists grow.</remarks>
/// <param name="graph">The model's graph.</param>
internal sealed class PatchPlan(ComputationGraph graph)
{
    private readonly Input[] _inputs = new Input[graph.Readers];
    private readonly bool[] _read = new bool[graph.Writers];
    private readonly int[] _kept = new int[graph.Writers];
    private readonly int[] _cut = new int[graph.Writers];
    private bool[] _active = new bool[graph.Writers];
    private bool[] _listed = new bool[graph.Writers];
    private int[] _lists = new int[64];
    private int _used;

    /// <summary>An input of a reader.</summary>
    /// <param name="TakesTotal">Whether the listed writers are taken off the total of all differences, not added to the baseline.</param>
    /// <param name="Start">Where its writers are listed.</param>
    /// <param name="Count">How many.</param>
    public readonly record struct Input(bool TakesTotal, int Start, int Count)
    {
        /// <summary>The whole residual stream.</summary>
        public static readonly Input Everything = new(true, 0, 0);
    }

    /// <summary>The last sublayer with an input that starts from the total of all differences; -1 for none.</summary>
    public int LastTotal { get; private set; }

    /// <summary>Plans a circuit.</summary>
    /// <param name="circuit">The circuit.</param>
    /// <param name="ablatedInputsMatter">
    /// Whether a writer whose inputs are all cut still differs from its ablated output: not when patching, where it reproduces it.
    /// </param>
    /// <param name="from">First sublayer that runs; every writer before it is active, as the run that it continues left it.</param>
    public void SetCircuit(PatchedCircuit circuit, bool ablatedInputsMatter, int from)
    {
        Clear(0);
        FindActive(circuit, ablatedInputsMatter, from);
        for (int column = graph.FirstColumnOfSublayer(from); column < graph.Readers; column++)
        {
            int node = graph.NodeOfColumn(column);
            if (node == graph.LogitsNode || _active[node]) SetInput(circuit, column);
        }
    }

    /// <summary>
    /// Plans what a sender whose output is replaced changes while heads stay as they are: the MLPs behind it read everything.
    /// </summary>
    /// <param name="sender">Row of the sender.</param>
    public void SetSender(int sender)
    {
        Clear(0);
        LastTotal = int.MaxValue;
        for (int l = 0; l < graph.Layers; l++)
        {
            if (graph.MlpRow(l) <= sender) continue;
            _active[graph.MlpRow(l)] = true;
            _inputs[graph.MlpColumn(l)] = Input.Everything;
        }
    }

    /// <summary>
    /// Plans what readers whose input is replaced change: themselves and all that is behind them. A replacement stands beside the writers,
    /// with the number F + its index, and is taken off the total like any listed writer.
    /// </summary>
    /// <param name="replacements">Number of different replacements.</param>
    /// <param name="replacementOf">Index of the replacement of each reader that has one.</param>
    public void SetReceivers(int replacements, IReadOnlyDictionary<int, int> replacementOf)
    {
        Clear(replacements);
        LastTotal = int.MaxValue;
        int firstActive = graph.Writers;
        for (int node = 1; node <= graph.LogitsNode; node++)
        {
            ReadOnlySpan<int> readers = graph.ReadersOf(node);
            bool receives = firstActive < graph.WritersBefore(readers[0]);
            foreach (int column in readers) receives |= replacementOf.ContainsKey(column);
            if (!receives && node != graph.LogitsNode) continue;
            if (node != graph.LogitsNode) _active[node] = true;
            firstActive = Math.Min(firstActive, node);
            foreach (int column in readers)
            {
                if (replacementOf.TryGetValue(column, out int index)) List(column, true, [graph.Writers + index]);
                else _inputs[column] = Input.Everything;
            }
        }
    }

    /// <summary>Whether a writer is computed (or was, before the pass started).</summary>
    /// <param name="writer">Row of the writer.</param>
    /// <returns>False where its difference is 0 or nobody reads it.</returns>
    public bool IsActive(int writer) => _active[writer];

    /// <summary>Whether some input lists a writer, so that its difference must be kept by itself.</summary>
    /// <param name="writer">Row of the writer.</param>
    /// <returns>True where it is listed.</returns>
    public bool IsListed(int writer) => _listed[writer];

    /// <summary>The input of an active node's reader.</summary>
    /// <param name="column">The reader.</param>
    /// <returns>Its input.</returns>
    public Input InputOf(int column) => _inputs[column];

    /// <summary>The writers that an input lists.</summary>
    /// <param name="input">An input of this plan.</param>
    /// <returns>Their rows, ascending.</returns>
    public ReadOnlySpan<int> WritersOf(Input input) => _lists.AsSpan(input.Start, input.Count);

    /// <summary>Whether a reader has an input like a reader of another plan.</summary>
    /// <param name="column">The reader.</param>
    /// <param name="other">The other plan; may be this.</param>
    /// <param name="otherColumn">Its reader.</param>
    /// <returns>True where both list the same writers in the same way.</returns>
    public bool SameInput(int column, PatchPlan other, int otherColumn)
    {
        Input mine = _inputs[column];
        Input theirs = other._inputs[otherColumn];
        return mine.TakesTotal == theirs.TakesTotal && WritersOf(mine).SequenceEqual(other.WritersOf(theirs));
    }

    /// <summary>Whether a layer's heads are all active and all read the whole residual stream.</summary>
    /// <param name="layer">Index of the layer.</param>
    /// <returns>True where the layer runs as in a plain pass.</returns>
    public bool IsPlainAttention(int layer)
    {
        int first = graph.HeadColumn(layer, HeadInput.Query, 0);
        for (int h = 0; h < graph.Heads; h++)
        {
            if (!_active[graph.HeadRow(layer, h)]) return false;
        }
        for (int c = first; c < graph.MlpColumn(layer); c++)
        {
            if (!_inputs[c].TakesTotal || _inputs[c].Count > 0) return false;
        }
        return true;
    }

    private void Clear(int replacements)
    {
        int numbers = graph.Writers + replacements;
        if (_listed.Length < numbers)
        {
            _active = new bool[numbers];
            _listed = new bool[numbers];
        }
        Array.Clear(_active);
        Array.Clear(_listed);
        LastTotal = -1;
        _used = 0;
    }

    // Forwards for what can differ from the ablated output, backwards for what is read; both end where nothing changes any more.
    private void FindActive(PatchedCircuit circuit, bool ablatedInputsMatter, int from)
    {
        int firstWriter = graph.WritersBeforeSublayer(from);
        bool[] read = _read;
        Array.Clear(read);
        for (int node = graph.LogitsNode; node > ComputationGraph.InputRow; node--)
        {
            if (node != graph.LogitsNode && !read[node]) continue;
            foreach (int column in graph.ReadersOf(node))
            {
                if (circuit.KeepsAllInto(column))
                {
                    read.AsSpan(0, graph.WritersBefore(column)).Fill(true);
                    continue;
                }
                for (int u = 0; u < graph.WritersBefore(column); u++) read[u] |= circuit.Keeps(u, column);
            }
        }
        for (int node = 0; node < graph.Writers; node++)
        {
            if (node < firstWriter || node == ComputationGraph.InputRow)
            {
                _active[node] = true;
                continue;
            }
            _active[node] = read[node] && (ablatedInputsMatter || HasInput(circuit, node));
        }
    }

    private bool HasInput(PatchedCircuit circuit, int node)
    {
        foreach (int column in graph.ReadersOf(node))
        {
            for (int u = 0; u < graph.WritersBefore(column); u++)
            {
                if (_active[u] && circuit.Keeps(u, column)) return true;
            }
        }
        return false;
    }

    private void SetInput(PatchedCircuit circuit, int column)
    {
        int kept = 0;
        int cut = 0;
        if (!circuit.KeepsAllInto(column))
        {
            for (int u = 0; u < graph.WritersBefore(column); u++)
            {
                if (!_active[u]) continue;
                if (circuit.Keeps(u, column)) _kept[kept++] = u;
                else _cut[cut++] = u;
            }
        }
        bool takesTotal = cut == 0 || cut < kept;
        if (takesTotal) LastTotal = Math.Max(LastTotal, graph.SublayerOfColumn(column));
        List(column, takesTotal, takesTotal ? _cut.AsSpan(0, cut) : _kept.AsSpan(0, kept));
    }

    private void List(int column, bool takesTotal, ReadOnlySpan<int> writers)
    {
        if (_lists.Length < _used + writers.Length) Array.Resize(ref _lists, Math.Max(2 * _lists.Length, _used + writers.Length));
        writers.CopyTo(_lists.AsSpan(_used));
        foreach (int writer in writers) _listed[writer] = true;
        _inputs[column] = new Input(takesTotal, _used, writers.Length);
        _used += writers.Length;
    }
}
