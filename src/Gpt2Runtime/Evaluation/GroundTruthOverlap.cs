using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>How far two sets agree. A ratio whose denominator is 0 is NaN.</summary>
/// <param name="Shared">Members of both.</param>
/// <param name="Found">Members of the set that is judged.</param>
/// <param name="Wanted">Members of the set that it is judged by.</param>
public readonly record struct SetOverlap(int Shared, int Found, int Wanted)
{
    /// <summary>Share of what was found that is wanted.</summary>
    public double Precision => (double)Shared / Found;

    /// <summary>Share of what is wanted that was found.</summary>
    public double Recall => (double)Shared / Wanted;

    /// <summary>Harmonic mean of precision and recall.</summary>
    public double F1 => 2.0 * Shared / (Found + Wanted);

    /// <summary>Share of the members of either that are members of both.</summary>
    public double Jaccard => (double)Shared / (Found + Wanted - Shared);
}

/// <summary>How far a circuit agrees with another one that it is judged by.</summary>
/// <param name="Edges">Their edges.</param>
/// <param name="Nodes">Their nodes, without the logits, which are in every circuit.</param>
public sealed record GroundTruthOverlap(SetOverlap Edges, SetOverlap Nodes)
{
    /// <summary>Compares two circuits.</summary>
    /// <param name="circuit">The one that is judged.</param>
    /// <param name="truth">The one that it is judged by.</param>
    /// <param name="withoutMlps">Leave MLPs out, with all their edges: many circuits that were found by hand take every MLP in unasked.</param>
    /// <returns>The overlap.</returns>
    /// <exception cref="GradpathException">The circuits belong to models of different shapes.</exception>
    public static GroundTruthOverlap Compare(Circuit circuit, Circuit truth, bool withoutMlps = false)
    {
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

/// <summary>The edges that a comparison is about: all of the graph's, or those between the input, heads and logits.</summary>
/// <param name="Graph">The graph.</param>
/// <param name="WithoutMlps">Whether MLPs are left out.</param>
internal readonly record struct EdgeUniverse(ComputationGraph Graph, bool WithoutMlps)
{
    public static EdgeUniverse Of(ComputationGraph graph, Circuit truth, bool withoutMlps) => graph.Equals(truth.Graph)
        ? new EdgeUniverse(graph, withoutMlps)
        : throw new GradpathException($"cannot compare edges of a model of {graph} with a circuit of a model of {truth.Graph}.");

    public IEnumerable<(int Row, int Column)> Edges
    {
        get
        {
            EdgeUniverse self = this;
            return Graph.Edges.Where(e => self.HasNode(e.Row) && self.HasNode(self.Graph.NodeOfColumn(e.Column)));
        }
    }

    public bool HasNode(int node) => !WithoutMlps || node == ComputationGraph.InputRow || node == Graph.LogitsNode || node % (Graph.Heads + 1) != 0;
}
