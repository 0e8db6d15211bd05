using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Tasks.Catalog;

namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>
/// The circuit for indirect object identification of Wang et al. (2023), 26 heads in seven classes: previous-token heads feed induction
/// heads; these and the duplicate-token heads tell the S-inhibition heads what is repeated; the S-inhibition heads steer the queries of the
/// name movers (their backups and negatives too), which write the answer. The paper does not ablate MLPs, so all MLPs are in.
/// </summary>
internal static class IoiGroundTruth
{
    public static GroundTruth Make()
    {
        ComputationGraph graph = new(12, 12);
        GroundTruthEdges edges = new(graph);
        int[] nameMovers = edges.Class("name mover", "a9.h9", "a10.h0", "a9.h6");
        int[] backups = edges.Class("backup name mover", "a10.h10", "a10.h6", "a10.h2", "a10.h1", "a11.h2", "a9.h7", "a9.h0", "a11.h9");
        int[] negatives = edges.Class("negative name mover", "a10.h7", "a11.h10");
        int[] inhibition = edges.Class("s-inhibition", "a7.h3", "a7.h9", "a8.h6", "a8.h10");
        int[] induction = edges.Class("induction", "a5.h5", "a5.h8", "a5.h9", "a6.h9");
        int[] duplicate = edges.Class("duplicate token", "a0.h1", "a0.h10", "a3.h0");
        int[] previous = edges.Class("previous token", "a2.h2", "a4.h11");

        int[] input = [ComputationGraph.InputRow];
        int[] output = [graph.LogitsNode];
        int[] movers = [.. nameMovers, .. backups, .. negatives];
        int[] heads = [.. movers, .. inhibition, .. induction, .. duplicate, .. previous];

        // MLPs are connected with everything in the circuit.
        edges.Connect([.. input, .. edges.Mlps, .. heads], edges.Mlps);
        edges.Connect(edges.Mlps, [.. heads, .. output]);
        edges.Connect(input, output);

        edges.Connect(input, [.. previous, .. duplicate]);
        edges.Connect(input, inhibition, "q");
        edges.Connect(input, movers, "kv");
        edges.Connect(previous, induction, "kv");
        edges.Connect([.. induction, .. duplicate], inhibition, "kv");
        edges.Connect(inhibition, movers, "q");
        edges.Connect(movers, output);
        return edges.Build(IoiTask.Row.Name, "Wang et al. 2023, edges by the rules of Conmy et al. 2023");
    }
}
