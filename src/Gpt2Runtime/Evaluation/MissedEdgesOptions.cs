using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Statistics;

namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>How <see cref="MissedEdges"/> looks for strong edges that a ranking has missed.</summary>
public sealed record MissedEdgesOptions
{
    /// <summary>Metric, ablation and batch size.</summary>
    public EvaluationOptions Evaluation { get; init; } = new();

    /// <summary>Random subsets to measure.</summary>
    public int Checks { get; init; } = 100;

    /// <summary>How many of the strongest edges count as found; null for a twentieth of all.</summary>
    public int? Found { get; init; }

    /// <summary>In which share of the subsets every edge left out is, so that a subset has this share of them on average.</summary>
    public double Share { get; init; } = 0.1;

    /// <summary>The confidence level of the limit.</summary>
    public double Level { get; init; } = 0.95;

    /// <summary>Seed of the subsets.</summary>
    public ulong Seed { get; init; }

    /// <summary>In how many of the subsets every edge left out is.</summary>
    public int Each => (int)Math.Round(Share * Checks);

    /// <summary>How many edges count as found.</summary>
    /// <param name="graph">The graph.</param>
    /// <returns>The number.</returns>
    public int FoundOf(ComputationGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        return Found ?? Math.Max(1, graph.EdgeCount / 20);
    }

    /// <summary>Refuses what cannot be used.</summary>
    /// <param name="graph">The graph; null where it is not known yet.</param>
    /// <exception cref="OptionException">Says what would be right.</exception>
    public void Check(ComputationGraph? graph = null)
    {
        Term share = Terms.VerifiedShare.With(Share);
        if (Share is not (> 0 and <= 0.5)) throw new OptionException($"{share}: must be above 0 and at most 0.5");
        if (Each < SubsetScreen.LeastSubsets || Checks - Each < SubsetScreen.LeastSubsets)
        {
            int least = Math.Max(2 * SubsetScreen.LeastSubsets, (int)Math.Ceiling((SubsetScreen.LeastSubsets - 0.5) / Share));
            throw new OptionException(
                $"{Terms.Checks.With(Checks)}: every edge must be in two subsets and missing in two; with {share} that takes {least}");
        }
        if (Level is not (> 0.5 and < 1)) throw new OptionException($"the level {Level} must be above 0.5 and below 1");
        if (graph is null || (FoundOf(graph) is var found && found >= 1 && found < graph.EdgeCount)) return;
        throw new OptionException(
            $"{Terms.VerifiedFound.With(FoundOf(graph))}: must be from 1 to {graph.EdgeCount - 1}, so that some are left");
    }
}
