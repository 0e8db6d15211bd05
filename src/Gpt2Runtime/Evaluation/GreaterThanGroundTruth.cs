using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Tasks.Catalog;

namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>
/// The circuit for Greater-Than of Hanna et al. (2023): early heads and MLPs read the start year, heads in the middle bring it to the last
/// position, late MLPs make the years above it likely. The queries of the middle heads are left clean, so they take every earlier MLP.
/// </summary>
internal static class GreaterThanGroundTruth
{
    private const int MlpsThatFeedEachOther = 9;

    public static GroundTruth Make()
    {
        ComputationGraph graph = new(12, 12);
        GroundTruthEdges edges = new(graph);
        int[] startYear = edges.Class("start year", "a0.h3", "a0.h5");
        int[] first = edges.Class("first layer", "a0.h1");
        int[] early = edges.Class("early mlp", "m0", "m1", "m2", "m3");
        int[] middle = edges.Class("middle", "a5.h5", "a6.h1", "a6.h9", "a7.h10", "a8.h11", "a9.h1");
        int[] late = edges.Class("late mlp", "m8", "m9", "m10", "m11");

        edges.Connect([ComputationGraph.InputRow], [.. startYear, .. first, .. early]);
        edges.Connect(first, [.. early, .. middle]);
        edges.Connect(startYear, middle);
        edges.Connect(early, [.. early, .. middle]);
        edges.Connect(middle, late);
        edges.Connect(late, late);
        edges.Connect([.. middle, .. late], [graph.LogitsNode]);

        int[] chain = edges.Mlps[..MlpsThatFeedEachOther];
        edges.Connect(chain, chain);
        edges.Connect(edges.Mlps, middle, "q");
        return edges.Build(GreaterThanTask.Row.Name, "Hanna et al. 2023, edges by the rules of Conmy et al. 2023");
    }
}
