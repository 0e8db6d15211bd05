using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>One point of a receiver operating characteristic.</summary>
/// <param name="FalsePositiveRate">Share of the edges outside the ground truth that were found.</param>
/// <param name="TruePositiveRate">Share of the ground truth's edges that were found.</param>
/// <param name="Threshold">The |score| from which edges count as found; infinite at the curve's start, NaN for a circuit without
/// scores.</param>
public readonly record struct RocPoint(double FalsePositiveRate, double TruePositiveRate, double Threshold)
{
    /// <summary>The point of a circuit: for methods that give one circuit per setting.</summary>
    /// <param name="circuit">The circuit.</param>
    /// <param name="truth">The edges that it should have.</param>
    /// <param name="withoutMlps">Leave MLPs out, with all their edges.</param>
    /// <returns>The point.</returns>
    /// <exception cref="GradpathException">The shapes differ, or the ground truth has none or all of the edges.</exception>
    public static RocPoint Of(Circuit circuit, Circuit truth, bool withoutMlps = false)
    {
        ArgumentNullException.ThrowIfNull(circuit);
        ArgumentNullException.ThrowIfNull(truth);
        EdgeUniverse universe = EdgeUniverse.Of(circuit.Graph, truth, withoutMlps);
        SetOverlap edges = GroundTruthOverlap.Compare(circuit, truth, withoutMlps).Edges;
        int negatives = RocCurve.RequireBoth(edges.Wanted, universe.Edges.Count());
        return new RocPoint((double)(edges.Found - edges.Shared) / negatives, edges.Recall, double.NaN);
    }
}
