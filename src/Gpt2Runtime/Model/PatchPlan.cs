using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Model;

/// <summary>
/// What one circuit of a patched pass computes. A writer is active where its output can differ from the ablated one and something reads
/// it; all others cost nothing. An active reader's input is the ablated residual stream plus the differences of the active writers whose
/// edges are kept, or, where that list is longer, the stream with all differences minus those whose edges are cut.
/// </summary>
internal sealed class PatchPlan
{
    private readonly ComputationGraph _graph;
    private readonly bool[] _active;
    private readonly bool[] _listed;
    private readonly Dictionary<int, Input> _inputs = [];

    /// <summary>Plans a circuit.</summary>
    /// <param name="circuit">The circuit.</param>
    /// <param name="ablatedInputsMatter">
    /// Whether a writer whose inputs are all cut still differs from its ablated output: not when patching, where it reproduces it.
    /// </param>
    /// <param name="from">First sublayer that runs; every writer before it is active, as the run that it continues left it.</param>
    public PatchPlan(PatchedCircuit circuit, bool ablatedInputsMatter, int from)
        : this(circuit.Graph, 0)
    {
        FindActive(circuit, ablatedInputsMatter, from);
        for (int column = _graph.FirstColumnOfSublayer(from); column < _graph.Readers; column++)
        {
            int node = _graph.NodeOfColumn(column);
            if (node != _graph.LogitsNode && !_active[node]) continue;
            SetInput(column, MakeInput(circuit, column));
        }
    }

    private PatchPlan(ComputationGraph graph, int replacements)
    {
        _graph = graph;
        _active = new bool[graph.Writers + replacements];
        _listed = new bool[graph.Writers + replacements];
    }

    /// <summary>What a sender whose output is replaced changes while heads stay as they are: the MLPs behind it.</summary>
    /// <param name="graph">The model's graph.</param>
    /// <param name="sender">Row of the sender.</param>
    /// <returns>A plan of the MLPs, each reading the whole residual stream.</returns>
    public static PatchPlan BehindSender(ComputationGraph graph, int sender)
    {
        var plan = new PatchPlan(graph, 0) { NeedsTotal = true };
        for (int l = 0; l < graph.Layers; l++)
        {
            if (graph.MlpRow(l) <= sender) continue;
            plan._active[graph.MlpRow(l)] = true;
            plan.SetInput(graph.MlpColumn(l), Input.Everything);
        }
        return plan;
    }

    /// <summary>
    /// What readers whose input is replaced change: themselves and all that is behind them. A replacement stands beside the writers, with
    /// the number F + its index, and is taken off the total like any listed writer.
    /// </summary>
    /// <param name="graph">The model's graph.</param>
    /// <param name="replacements">Number of different replacements.</param>
    /// <param name="replacementOf">Index of the replacement of each reader that has one.</param>
    /// <returns>The plan.</returns>
    public static PatchPlan BehindReceivers(ComputationGraph graph, int replacements, IReadOnlyDictionary<int, int> replacementOf)
    {
        var plan = new PatchPlan(graph, replacements) { NeedsTotal = true };
        int firstActive = graph.Writers;
        for (int node = 1; node <= graph.LogitsNode; node++)
        {
            ReadOnlySpan<int> readers = graph.ReadersOf(node);
            bool receives = firstActive < graph.WritersBefore(readers[0]);
            foreach (int column in readers) receives |= replacementOf.ContainsKey(column);
            if (!receives && node != graph.LogitsNode) continue;
            if (node != graph.LogitsNode) plan._active[node] = true;
            firstActive = Math.Min(firstActive, node);
            foreach (int column in readers)
            {
                plan.SetInput(column, replacementOf.TryGetValue(column, out int index) ? new Input(true, [graph.Writers + index]) : Input.Everything);
            }
        }
        return plan;
    }

    /// <summary>An input of a reader.</summary>
    /// <param name="TakesTotal">Whether the listed writers are taken off the total of all differences, not added to the baseline.</param>
    /// <param name="Writers">The listed writers.</param>
    public sealed record Input(bool TakesTotal, int[] Writers)
    {
        /// <summary>The whole residual stream.</summary>
        public static readonly Input Everything = new(true, []);

        /// <summary>Whether two inputs are the same.</summary>
        /// <param name="other">The other.</param>
        /// <returns>True where they list the same writers in the same way.</returns>
        public bool SameAs(Input other) => ReferenceEquals(this, other) || (TakesTotal == other.TakesTotal && Writers.AsSpan().SequenceEqual(other.Writers));
    }

    /// <summary>Whether any input starts from the total of all differences.</summary>
    public bool NeedsTotal { get; private set; }

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

    /// <summary>Whether a layer's heads are all active and all read the whole residual stream.</summary>
    /// <param name="layer">Index of the layer.</param>
    /// <returns>True where the layer runs as in a plain pass.</returns>
    public bool IsPlainAttention(int layer)
    {
        int first = _graph.HeadColumn(layer, HeadInput.Query, 0);
        for (int h = 0; h < _graph.Heads; h++)
        {
            if (!_active[_graph.HeadRow(layer, h)]) return false;
        }
        for (int c = first; c < first + (3 * _graph.Heads); c++)
        {
            if (!_inputs[c].SameAs(Input.Everything)) return false;
        }
        return true;
    }

    private void SetInput(int column, Input input)
    {
        _inputs[column] = input;
        foreach (int writer in input.Writers) _listed[writer] = true;
        NeedsTotal |= input.TakesTotal;
    }

    // Forwards for what can differ from the ablated output, backwards for what is read; both end where nothing changes any more.
    private void FindActive(PatchedCircuit circuit, bool ablatedInputsMatter, int from)
    {
        int firstWriter = _graph.WritersBeforeSublayer(from);
        var read = new bool[_graph.Writers];
        for (int node = _graph.LogitsNode; node >= 0; node--)
        {
            if (node != _graph.LogitsNode && !read[node]) continue;
            if (node == ComputationGraph.InputRow) continue;
            foreach (int column in node == _graph.LogitsNode ? [_graph.LogitsColumn] : _graph.ReadersOf(node))
            {
                if (circuit.KeepsAllInto(column))
                {
                    read.AsSpan(0, _graph.WritersBefore(column)).Fill(true);
                    continue;
                }
                for (int u = 0; u < _graph.WritersBefore(column); u++) read[u] |= circuit.Keeps(u, column);
            }
        }
        for (int node = 0; node < _graph.Writers; node++)
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
        foreach (int column in _graph.ReadersOf(node))
        {
            for (int u = 0; u < _graph.WritersBefore(column); u++)
            {
                if (_active[u] && circuit.Keeps(u, column)) return true;
            }
        }
        return false;
    }

    private Input MakeInput(PatchedCircuit circuit, int column)
    {
        if (circuit.KeepsAllInto(column)) return Input.Everything;
        var kept = new List<int>();
        var cut = new List<int>();
        for (int u = 0; u < _graph.WritersBefore(column); u++)
        {
            if (_active[u]) (circuit.Keeps(u, column) ? kept : cut).Add(u);
        }
        if (cut.Count == 0) return Input.Everything;
        return cut.Count < kept.Count ? new Input(true, [.. cut]) : new Input(false, [.. kept]);
    }
}
