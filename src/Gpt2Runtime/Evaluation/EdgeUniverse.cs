using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Evaluation;

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

    public bool HasNode(int node) => !WithoutMlps || Graph.KindOfWriter(node) != NodeKind.Mlp;
}
