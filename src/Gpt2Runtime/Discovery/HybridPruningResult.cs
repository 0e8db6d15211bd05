using System.Diagnostics.CodeAnalysis;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>What HAP gives: what edge pruning among the candidates gave, and the candidates.</summary>
public sealed record HybridPruningResult : EdgePruningResult
{
    /// <summary>Takes over what training gave.</summary>
    /// <param name="training">The second stage.</param>
    /// <param name="candidates">What the first one kept.</param>
    [SetsRequiredMembers]
    internal HybridPruningResult(EdgePruningResult training, Circuit candidates)
        : base(training)
    {
        Candidates = candidates;
    }

    /// <summary>The edges that the scores kept.</summary>
    public Circuit Candidates { get; }

    /// <summary>How much of a circuit the scores have kept.</summary>
    /// <param name="circuit">A circuit of the same graph.</param>
    /// <returns>Share of the circuit's edges that are candidates; NaN for an empty circuit.</returns>
    public double Recall(Circuit circuit)
    {
        ArgumentNullException.ThrowIfNull(circuit);
        return circuit.Edges.Count(e => Candidates.Contains(e.Row, e.Column)) / (double)circuit.EdgeCount;
    }
}
