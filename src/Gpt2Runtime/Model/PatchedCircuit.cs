using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Model;

/// <summary>The edges that carry this run's outputs in a patched pass: a set, or all edges, without a few.</summary>
internal sealed class PatchedCircuit
{
    private readonly bool[]? _kept;
    private readonly HashSet<(int Row, int Column)> _removed;
    private readonly HashSet<int> _touched;

    /// <summary>Describes a circuit.</summary>
    /// <param name="graph">The model's graph.</param>
    /// <param name="kept">Row-major [F, K], or null for all edges.</param>
    /// <param name="removed">Edges that are corrupted whatever <paramref name="kept"/> says.</param>
    public PatchedCircuit(ComputationGraph graph, bool[]? kept, IEnumerable<(int Row, int Column)>? removed = null)
    {
        Graph = graph;
        _kept = kept;
        _removed = removed is null ? [] : [.. removed];
        _touched = [.. _removed.Select(e => e.Column)];
    }

    /// <summary>The model's graph.</summary>
    public ComputationGraph Graph { get; }

    /// <summary>Whether every edge into a reader is kept.</summary>
    /// <param name="column">The reader.</param>
    /// <returns>True only where that is known without looking at the edges.</returns>
    public bool KeepsAllInto(int column) => _kept is null && !_touched.Contains(column);

    /// <summary>Whether an edge is kept.</summary>
    /// <param name="row">Its writer.</param>
    /// <param name="column">Its reader.</param>
    /// <returns>True inside the circuit.</returns>
    public bool Keeps(int row, int column) =>
        (_kept is null || _kept[((long)row * Graph.Readers) + column]) && !(_touched.Contains(column) && _removed.Contains((row, column)));
}
