using Gradpath.Diagnostics.Bench;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Model;

namespace Gradpath.Diagnostics.Tests.Bench;

public sealed class WorkFlopsTests
{
    /// <summary>
    /// GPT-2 small, 20 pairs of 16 tokens that share nothing: from no edge to all but one a circuit costs more and more, and the full one,
    /// which is the clean run, nothing; two runs cost 24 D^2 a row and layer, but for attention and the last layer's queries and MLPs.
    /// </summary>
    [Fact]
    public void Flops_of_circuits_are_those_of_what_runs()
    {
        ComputationGraph graph = new(Workloads.Shape("small"));
        WorkFlops flops = new(Workloads.Shape("small"), 20, 16, 0);
        (int, int)[] edges = [.. graph.Edges];
        double Of(int count) => flops.Evaluation(Circuit.Of(graph, edges.TakeLast(count)));
        const double D2 = 768.0 * 768, Logits = 2.0 * 768 * 50257 * 20;
        double runs = 2 * D2 * ((11 * 320 * 24) + (320 * 4) + (20 * 20)), full = Of(edges.Length);
        Assert.Equal(runs + (2 * Logits), full, 0.005 * full);
        Assert.Equal(full + Logits + (20 * 768), Of(1), 1.0);
        Assert.InRange(Of(1000), Of(100), Of(edges.Length - 1));
        Assert.InRange(Of(edges.Length - 1) - full, 0.9 * runs / 2, 1.1 * runs / 2 + Logits);
        Assert.Equal(
            Of(1) + Of(1000) - full, flops.Evaluation(Circuit.Of(graph, edges.TakeLast(1)), Circuit.Of(graph, edges.TakeLast(1000))), 1.0);
    }

    /// <summary>
    /// A step of edge pruning is what the masked pass says of itself, attention, logits and the last layer's unneeded rows aside.
    /// </summary>
    [Fact]
    public void Flops_of_edge_pruning_are_those_of_the_masked_pass()
    {
        Gpt2Config small = Workloads.Shape("small");
        WorkFlops flops = new(small, 32, 16, 0);
        double step = flops.EdgePruning(2, 32) - flops.EdgePruning(1, 32);
        double stated = 2.0 * 32 * 16 * new MaskedPlan(new ComputationGraph(small), null, false).WorkPerRow(768, 64, 3072);
        Assert.InRange(step / stated, 0.9, 1.0);
        Assert.Equal(
            0.25, ((flops with { Shared = 12 }).EdgePruning(2, 32) - (flops with { Shared = 12 }).EdgePruning(1, 32)) / step, 0.02);
    }

    /// <summary>Counted by hand: GPT-2 small, 20 pairs of 16 tokens that share nothing.</summary>
    [Fact]
    public void Flops_are_those_of_the_products()
    {
        WorkFlops whole = new(Workloads.Shape("small"), 20, 16, 0), shared = whole with { Shared = 12 };
        Assert.Equal(187, whole.Method(new AttributionOptions { Method = AttributionMethods.Eap }) / 1e9, 1.0);
        Assert.Equal(594.5, whole.Method(Works.EapIg) / 1e9, 1.0);
        Assert.Equal(1180.6, whole.Method(Works.EapIg with { Method = AttributionMethods.EapGp }) / 1e9, 1.0);

        // A quarter of the rows in every pass, and the other three quarters once.
        Assert.InRange(shared.Method(Works.EapIg) / whole.Method(Works.EapIg), 0.25, 0.35);
        Assert.Equal(whole.Method(Works.EapIg), shared.Method(Works.EapIg, wholePrompts: true));
    }
}
