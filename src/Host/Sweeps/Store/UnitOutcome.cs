using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Positions;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Sweeps.Store;

/// <summary>What a unit's work gave: measures, and what it found.</summary>
/// <param name="Result">The measures.</param>
/// <param name="Scores">The scores; null for a method that searches.</param>
/// <param name="Circuit">The circuit; null for a method that scores.</param>
internal sealed record UnitOutcome(UnitResult Result, EdgeScores? Scores = null, Circuit? Circuit = null)
{
    /// <summary>The scores of edges between spans, of which the scores are the sums; null where there are none.</summary>
    public PositionalScores? Spans { get; init; }

    /// <summary>[F, K] row-major: the scores of a part of the pairs before they are rounded, see <see cref="SweepUnit.Part"/>; null
    /// else.</summary>
    public double[]? Sums { get; init; }

    /// <summary>How many edges a search has found, before those were pruned that lie on no path from the input to the logits; null for a
    /// method that scores.</summary>
    public int? FoundEdges { get; init; }
}
