using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>
/// The hybrid of Gu et al. (arXiv 2510.03282): scores that cost a few passes keep a generous share of the edges, and <see cref="EdgePruning"/>
/// searches among those alone. What the first stage prunes is not computed in the second (<see cref="EdgePruning"/> leaves out writers and
/// readers without candidates), and the second's schedule begins at the sparsity that the first has reached.
/// </summary>
/// <remarks>The share is not published; 0.5 is the default of a third party's re-implementation, and 0.25 and 0.1 are other presets here.</remarks>
public static class HybridPruning
{
    /// <summary>Share of the edges that the first stage keeps where none is given.</summary>
    public const double DefaultShare = 0.5;

    /// <summary>The first stage: the edges of largest absolute score.</summary>
    /// <param name="scores">Scores of every edge.</param>
    /// <param name="share">Share of the edges to keep, above 0 and at most 1.</param>
    /// <returns>[F, K] row-major: true where the edge is kept.</returns>
    /// <exception cref="OptionException">The share cannot be used.</exception>
    /// <exception cref="GradpathException">A score is not finite.</exception>
    public static bool[] Keep(EdgeScores scores, double share)
    {
        ArgumentNullException.ThrowIfNull(scores);
        if (share is not (> 0 and <= 1))
            throw new OptionException($"{Terms.Share.With(share)}: must be above 0 and at most 1");
        return CircuitSelection.TopEdges(scores, (int)Math.Round(share * scores.Graph.EdgeCount)).Membership.ToArray();
    }

    /// <summary>How much of a circuit the first stage has kept.</summary>
    /// <param name="kept">What <see cref="Keep"/> gives.</param>
    /// <param name="circuit">A circuit of the same graph.</param>
    /// <returns>Share of the circuit's edges that are kept; NaN for an empty circuit.</returns>
    public static double Recall(bool[] kept, Circuit circuit)
    {
        ArgumentNullException.ThrowIfNull(kept);
        ArgumentNullException.ThrowIfNull(circuit);
        return circuit.Edges.Count(e => kept[(e.Row * circuit.Graph.Readers) + e.Column]) / (double)circuit.EdgeCount;
    }
}
