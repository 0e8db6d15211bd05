using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Kernels.Circuits;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>
/// From masks to a circuit: the edges of the largest masks, as many as leave the requested number on paths from input to logits.
/// </summary>
internal static class MaskDiscretization
{
    // The published program's mask without noise is sigmoid(0.8 log alpha / temperature).
    private const double Sharpness = 0.8 / HardConcrete.Temperature;

    /// <summary>Selects a circuit.</summary>
    /// <param name="plan">The edges that have masks.</param>
    /// <param name="logAlpha">[edges], then [slots] with node masks.</param>
    /// <param name="nodeMasks">Whether writers have masks.</param>
    /// <param name="kept">Number of edges wanted.</param>
    /// <param name="width">Width D of the model, which files state.</param>
    /// <returns>
    /// The pruned circuit of that many edges, or the nearest number above that connected edges give (below, where there are too few
    /// candidates); scores are the masks without noise, 0 for edges that have none.
    /// </returns>
    public static Circuit Select(MaskedPlan plan, float[] logAlpha, bool nodeMasks, int kept, int width)
    {
        ComputationGraph graph = plan.Graph;
        int count = plan.Edges.Length;
        var keys = new double[count];
        var masks = new float[graph.Writers * graph.Readers];
        for (int i = 0; i < count; i++)
        {
            // The logarithm keeps apart what is 1 in float32.
            keys[i] = LogMask(logAlpha[i]) + (nodeMasks ? LogMask(logAlpha[count + plan.SlotOf(plan.Edges[i].Row)]) : 0);
            masks[CellOf(i)] = (float)Math.Exp(keys[i]);
        }
        int[] order = [.. Enumerable.Range(0, count).OrderByDescending(i => keys[i])];
        var scores = new EdgeScores(graph, masks);

        // The fewest edges that leave enough after pruning; more edges never make the pruned circuit smaller.
        int low = Math.Min(kept, count), high = count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (Of(Top(middle)).EdgeCount >= kept) high = middle;
            else low = middle + 1;
        }
        return Trim(Top(low));

        // The last edge may have brought others with it, whose node had no input or no output before: then the smallest masks go again.
        Circuit Trim(bool[] membership)
        {
            Circuit circuit = Of(membership);
            for (int at = low - 1; at >= 0 && circuit.EdgeCount > kept; at--)
            {
                int cell = CellOf(order[at]);
                if (!circuit.Membership[cell]) continue;
                membership[cell] = false;
                Circuit without = Of(membership);
                if (without.EdgeCount >= kept) circuit = without;
                else membership[cell] = true;
            }
            return circuit;
        }

        bool[] Top(int edges)
        {
            var membership = new bool[masks.Length];
            foreach (int i in order.AsSpan(0, edges)) membership[CellOf(i)] = true;
            return membership;
        }

        Circuit Of(bool[] membership) => CircuitPruning.Prune(new Circuit(graph, membership) { Scores = scores, ModelWidth = width });

        int CellOf(int edge) => (plan.Edges[edge].Row * graph.Readers) + plan.Edges[edge].Column;
    }

    // ln sigmoid(x), without overflow.
    private static double LogMask(double logAlpha)
    {
        double x = Sharpness * logAlpha;
        return Math.Min(x, 0) - Math.Log(1 + Math.Exp(-Math.Abs(x)));
    }
}
