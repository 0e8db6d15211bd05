using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>How far a circuit agrees with another one that it is judged by.</summary>
/// <param name="Edges">Their edges.</param>
/// <param name="Nodes">Their nodes, without the logits, which are in every circuit.</param>
public sealed record GroundTruthOverlap(SetOverlap Edges, SetOverlap Nodes)
{
    /// <summary>Compares two circuits.</summary>
    /// <param name="circuit">The one that is judged.</param>
    /// <param name="truth">The one that it is judged by.</param>
    /// <param name="withoutMlps">Leave MLPs out, with all their edges: many circuits that were found by hand take every MLP in
    /// unasked.</param>
    /// <returns>The overlap.</returns>
    /// <exception cref="GradpathException">The circuits belong to models of different shapes.</exception>
    public static GroundTruthOverlap Compare(Circuit circuit, Circuit truth, bool withoutMlps = false)
    {
        ArgumentNullException.ThrowIfNull(circuit);
        ArgumentNullException.ThrowIfNull(truth);
        EdgeUniverse universe = EdgeUniverse.Of(circuit.Graph, truth, withoutMlps);
        int shared = 0, found = 0, wanted = 0;
        foreach ((int row, int column) in universe.Edges)
        {
            (bool isFound, bool isWanted) = (circuit.Contains(row, column), truth.Contains(row, column));
            if (isFound) found++;
            if (isWanted) wanted++;
            if (isFound && isWanted) shared++;
        }
        int[] nodes = [.. circuit.Nodes.Where(universe.HasNode)];
        return new GroundTruthOverlap(
            new SetOverlap(shared, found, wanted),
            new SetOverlap(nodes.Count(truth.ContainsNode), nodes.Length, truth.Nodes.Count(universe.HasNode)));
    }
}
