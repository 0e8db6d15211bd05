using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>From masks to a circuit: the edges of the largest masks, as many as leave the requested number on paths from input to logits.</summary>
internal static class MaskDiscretization
{
    // The published program's mask without noise is sigmoid(0.8 log alpha / temperature).
    private const double Sharpness = 0.8 / HardConcrete.Temperature;

    /// <summary>Selects a circuit.</summary>
    /// <param name="plan">The edges that have masks.</param>
    /// <param name="logAlpha">[edges], then [slots] with node masks.</param>
    /// <param name="nodeMasks">Whether writers have masks.</param>
    /// <param name="kept">Number of edges wanted.</param>
    /// <returns>
    /// The pruned circuit whose number of edges is nearest; scores are the masks without noise, 0 for edges that have none.
    /// </returns>
    public static Circuit Select(MaskedPlan plan, float[] logAlpha, bool nodeMasks, int kept)
    {
        ComputationGraph graph = plan.Graph;
        int count = plan.Edges.Length;
        var keys = new double[count];
        var masks = new float[graph.Writers * graph.Readers];
        for (int i = 0; i < count; i++)
        {
            // The logarithm keeps apart what is 1 in float32.
            keys[i] = LogMask(logAlpha[i]) + (nodeMasks ? LogMask(logAlpha[count + plan.SlotOf(plan.Edges[i].Row)]) : 0);
            masks[(plan.Edges[i].Row * graph.Readers) + plan.Edges[i].Column] = (float)Math.Exp(keys[i]);
        }
        int[] order = [.. Enumerable.Range(0, count).OrderByDescending(i => keys[i])];
        var scores = new EdgeScores(graph, masks);

        // More edges never make the pruned circuit smaller.
        int low = Math.Min(kept, count), high = count;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            if (Of(middle).EdgeCount <= kept) low = middle;
            else high = middle - 1;
        }
        Circuit below = Of(low);
        if (below.EdgeCount == kept || low == count) return below;
        Circuit above = Of(low + 1);
        return above.EdgeCount - kept < kept - below.EdgeCount ? above : below;

        Circuit Of(int edges)
        {
            var membership = new bool[masks.Length];
            foreach (int i in order.AsSpan(0, edges)) membership[(plan.Edges[i].Row * graph.Readers) + plan.Edges[i].Column] = true;
            return CircuitPruning.Prune(new Circuit(graph, membership) { Scores = scores });
        }
    }

    // ln sigmoid(x), without overflow.
    private static double LogMask(double logAlpha)
    {
        double x = Sharpness * logAlpha;
        return Math.Min(x, 0) - Math.Log(1 + Math.Exp(-Math.Abs(x)));
    }
}
