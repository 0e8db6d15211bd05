using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Model;

/// <summary>
/// What one circuit of a patched pass computes. A writer is active where its output can differ from the ablated one and something reads
/// it; all others cost nothing. An active reader's input is the ablated residual stream plus the differences of the active writers whose
/// edges are kept, or, where that list is longer, the stream with all differences minus those whose edges are cut.
/// </summary>
internal sealed class PatchPlan
{
    private readonly PatchedCircuit _circuit;
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
    {
        _circuit = circuit;
        _graph = circuit.Graph;
        _active = new bool[_graph.Writers];
        _listed = new bool[_graph.Writers];
        FindActive(ablatedInputsMatter, from);
        for (int column = _graph.FirstColumnOfSublayer(from); column < _graph.Readers; column++)
        {
            int node = _graph.NodeOfColumn(column);
            if (node != _graph.LogitsNode && !_active[node]) continue;
            Input input = MakeInput(column);
            _inputs[column] = input;
            foreach (int writer in input.Writers) _listed[writer] = true;
            NeedsTotal |= input.TakesTotal;
        }
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
    public bool NeedsTotal { get; }

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

    // Forwards for what can differ from the ablated output, backwards for what is read; both end where nothing changes any more.
    private void FindActive(bool ablatedInputsMatter, int from)
    {
        int firstWriter = _graph.WritersBeforeSublayer(from);
        var read = new bool[_graph.Writers];
        for (int node = _graph.LogitsNode; node >= 0; node--)
        {
            if (node != _graph.LogitsNode && !read[node]) continue;
            if (node == ComputationGraph.InputRow) continue;
            foreach (int column in node == _graph.LogitsNode ? [_graph.LogitsColumn] : _graph.ReadersOf(node))
            {
                if (_circuit.KeepsAllInto(column))
                {
                    read.AsSpan(0, _graph.WritersBefore(column)).Fill(true);
                    continue;
                }
                for (int u = 0; u < _graph.WritersBefore(column); u++) read[u] |= _circuit.Keeps(u, column);
            }
        }
        for (int node = 0; node < _graph.Writers; node++)
        {
            if (node < firstWriter || node == ComputationGraph.InputRow)
            {
                _active[node] = true;
                continue;
            }
            _active[node] = read[node] && (ablatedInputsMatter || HasInput(node));
        }
    }

    private bool HasInput(int node)
    {
        foreach (int column in _graph.ReadersOf(node))
        {
            for (int u = 0; u < _graph.WritersBefore(column); u++)
            {
                if (_active[u] && _circuit.Keeps(u, column)) return true;
            }
        }
        return false;
    }

    private Input MakeInput(int column)
    {
        if (_circuit.KeepsAllInto(column)) return Input.Everything;
        var kept = new List<int>();
        var cut = new List<int>();
        for (int u = 0; u < _graph.WritersBefore(column); u++)
        {
            if (_active[u]) (_circuit.Keeps(u, column) ? kept : cut).Add(u);
        }
        if (cut.Count == 0) return Input.Everything;
        return cut.Count < kept.Count ? new Input(true, [.. cut]) : new Input(false, [.. kept]);
    }
}
