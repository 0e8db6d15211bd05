using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Kernels.Circuits;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>
/// Where the masks' parameters start, and the sparsity that this is. Without scores all start at <see cref="Cold"/>. With scores those of
/// an edge with score s start at <see cref="Warm"/> + <see cref="Spread"/> (ln |s| - m) / d, where m and d are the mean and the standard
/// deviation of ln |s| over the edges that have masks. The quotient is kept within <see cref="Most"/> of 0, and a score of 0 counts as the
/// smallest that is not 0.
/// </summary>
/// <remarks>
/// Scores spread over orders of magnitude, so it is their logarithms that have a scale. A parameter of 5 makes a mask that is 1 in nearly
/// all samples, one of -5 a mask that is 0 in nearly all: about two fifths of the edges start closed. Ranks, other centres and other
/// spreads were tried: docs/edge-pruning.md has the figures.
/// </remarks>
internal static class MaskStart
{
    /// <summary>The published start: all samples of a mask are 1 there, and decay brings it down.</summary>
    public const double Cold = 10;

    /// <summary>Where an edge of mean strength starts when there are scores.</summary>
    public const double Warm = 5;

    /// <summary>What one standard deviation of the logarithm is worth.</summary>
    public const double Spread = 20;

    /// <summary>Standard deviations that count at most.</summary>
    public const double Most = 3;

    private const int Points = 256;

    /// <summary>Where the parameters start, but for the noise that each draws.</summary>
    /// <param name="plan">The edges that have masks.</param>
    /// <param name="scores">The scores; null for none.</param>
    /// <param name="nodeMasks">Whether writers have masks too. Each starts where the strongest of its edges does.</param>
    /// <returns>[edges], then [slots] with node masks.</returns>
    public static double[] Means(MaskedPlan plan, EdgeScores? scores, bool nodeMasks)
    {
        int edges = plan.Edges.Length;
        var means = new double[edges + (nodeMasks ? plan.Slots : 0)];
        if (scores is null)
        {
            Array.Fill(means, Cold);
            return means;
        }
        double[] strengths = [.. plan.Edges.Select(e => Math.Abs((double)scores[e.Row, e.Column]))];
        double least = strengths.Where(s => s > 0).DefaultIfEmpty(1).Min();
        double[] logs = [.. strengths.Select(s => Math.Log(Math.Max(s, least)))];
        double mean = logs.Average();
        double deviation = Math.Sqrt(logs.Average(l => (l - mean) * (l - mean)));
        Array.Fill(means, double.NegativeInfinity);
        for (int i = 0; i < edges; i++)
        {
            // Where all are equal, rounding may leave a deviation that means nothing.
            double place = deviation > 1e-9 ? Math.Clamp((logs[i] - mean) / deviation, -Most, Most) : 0;
            means[i] = Warm + (Spread * place);
            if (!nodeMasks) continue;
            int gate = edges + plan.SlotOf(plan.Edges[i].Row);
            means[gate] = Math.Max(means[gate], means[i]);
        }

        // A writer that no candidate reads keeps the published start.
        for (int i = edges; i < means.Length; i++) means[i] = double.IsFinite(means[i]) ? means[i] : Cold;
        return means;
    }

    /// <summary>
    /// Options whose targets grow from the sparsity at which scores let the masks start. A target that began below it would have the
    /// Lagrangian open what the scores have closed.
    /// </summary>
    /// <param name="plan">The edges that have masks.</param>
    /// <param name="options">Resolved options; without scores they stay as they are.</param>
    /// <param name="means">What <see cref="Means"/> gives for them.</param>
    /// <returns>The options.</returns>
    public static EdgePruningOptions Scheduled(MaskedPlan plan, EdgePruningOptions options, double[] means)
    {
        if (options.Init is null) return options;
        int edges = plan.Edges.Length, gates = means.Length - edges;
        double[] shares = [.. means.Select(Expected)];
        double sum = 0;
        for (int i = 0; i < edges; i++) sum += shares[i];
        return options with
        {
            StartSparsity = 1 - (sum / plan.Graph.EdgeCount),
            NodeStartSparsity = gates == 0 ? 0 : 1 - shares[edges..].Average(),
        };
    }

    // The mean of a mask over the noise, at the middles of equal shares of it.
    private static double Expected(double logAlpha)
    {
        double sum = 0;
        for (int i = 0; i < Points; i++)
        {
            double u = (i + 0.5) / Points;
            double s = 1 / (1 + Math.Exp(-(Math.Log(u / (1 - u)) + logAlpha) / HardConcrete.Temperature));
            sum += Math.Clamp(HardConcrete.Left + ((HardConcrete.Right - HardConcrete.Left) * s), 0, 1);
        }
        return sum / Points;
    }
}
