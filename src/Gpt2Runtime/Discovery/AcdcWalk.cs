using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>
/// The bookkeeping of one ACDC search: whose turn it is, what has been decided, what is left. It knows no model: it is told the objective
/// without the edge whose turn it is, and decides.
/// </summary>
/// <remarks>
/// Readers come in reverse topological order: the logits, the last layer's MLP, its heads from the last to the first with query, key and
/// value in turn, the MLP before it and so on. Whether something reads a node is settled before its sublayer's turn, so the candidates of a
/// sublayer are known when it begins.
/// </remarks>
internal sealed class AcdcWalk
{
    private readonly ComputationGraph _graph;
    private readonly AcdcOptions _options;
    private readonly double _threshold;
    private readonly bool[] _kept;
    private readonly List<AcdcStep> _steps = [];
    private readonly List<(int Row, int Column, bool Tested)> _turns = [];
    private int _next;
    private int _edgesLeft;

    /// <summary>Starts with the full graph.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="options">The options.</param>
    /// <param name="threshold">The threshold.</param>
    /// <param name="full">The objective of the full model.</param>
    public AcdcWalk(ComputationGraph graph, AcdcOptions options, double threshold, double full)
    {
        _graph = graph;
        _options = options;
        _threshold = threshold;
        _kept = new bool[graph.Writers * graph.Readers];
        foreach ((int row, int column) in graph.Edges) _kept[(row * graph.Readers) + column] = true;
        _edgesLeft = graph.EdgeCount;
        Objective = full;
        Sublayer = 2 * graph.Layers;
        FillTurns();
        Advance();
    }

    /// <summary>[F, K]: the circuit so far.</summary>
    public bool[] Kept => _kept;

    /// <summary>The objective of the circuit so far.</summary>
    public double Objective { get; private set; }

    /// <summary>The sublayer whose readers have their turn; -1 at the end.</summary>
    public int Sublayer { get; private set; }

    /// <summary>Whether every edge has had its turn.</summary>
    public bool Done => Sublayer < 0;

    /// <summary>Every edge that has had its turn.</summary>
    public IReadOnlyList<AcdcStep> Steps => _steps;

    /// <summary>The next candidates, at most as many as this sublayer has left.</summary>
    /// <param name="most">How many at most.</param>
    /// <returns>The one whose turn it is, and those behind it.</returns>
    public List<(int Row, int Column)> Ahead(int most)
    {
        List<(int Row, int Column)> ahead = [];
        for (int i = _next; i < _turns.Count && ahead.Count < most; i++)
        {
            if (_turns[i].Tested) ahead.Add((_turns[i].Row, _turns[i].Column));
        }
        return ahead;
    }

    /// <summary>Decides about the edge whose turn it is.</summary>
    /// <param name="after">The objective of the circuit without it.</param>
    /// <returns>Whether it is removed.</returns>
    public bool Decide(double after)
    {
        (int row, int column, _) = _turns[_next++];
        double change = after - Objective;
        bool removed = (_options.Absolute ? Math.Abs(change) : change) < _threshold;
        double before = Objective;
        if (removed)
        {
            Remove(row, column);
            Objective = after;
        }
        _steps.Add(new AcdcStep(row, column, before, after, removed ? AcdcDecision.Removed : AcdcDecision.Kept, _edgesLeft));
        Advance();
        return removed;
    }

    // Past the dropped edges to the next one to test, into earlier sublayers where this one has none left.
    private void Advance()
    {
        while (!Done)
        {
            for (; _next < _turns.Count && !_turns[_next].Tested; _next++)
            {
                (int row, int column, _) = _turns[_next];
                Remove(row, column);
                _steps.Add(new AcdcStep(row, column, Objective, double.NaN, AcdcDecision.Dropped, _edgesLeft));
            }
            if (_next < _turns.Count) return;
            Sublayer--;
            if (!Done) FillTurns();
        }
    }

    private void FillTurns()
    {
        _turns.Clear();
        _next = 0;
        int first = _graph.WritersBeforeSublayer(Sublayer);
        int end = Sublayer == 2 * _graph.Layers ? _graph.LogitsNode + 1 : _graph.WritersBeforeSublayer(Sublayer + 1);
        for (int node = end - 1; node >= first; node--)
        {
            bool isRead = node == _graph.LogitsNode || _kept.AsSpan(node * _graph.Readers, _graph.Readers).Contains(true);
            foreach (int column in _graph.ReadersOf(node))
            {
                foreach (int row in Senders(column)) _turns.Add((row, column, isRead));
            }
        }
    }

    private IEnumerable<int> Senders(int column)
    {
        IEnumerable<int> lastFirst = Enumerable.Range(0, _graph.WritersBefore(column)).Reverse();
        return _options.Order switch
        {
            SenderOrder.Normal => lastFirst,
            SenderOrder.Reverse => lastFirst.Reverse(),
            _ => lastFirst.OrderBy(row => MathF.Abs(_options.Scores![row, column])),
        };
    }

    private void Remove(int row, int column)
    {
        _kept[(row * _graph.Readers) + column] = false;
        _edgesLeft--;
    }
}
