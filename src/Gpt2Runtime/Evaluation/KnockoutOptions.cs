namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>Which node sets are knocked out. The defaults are those of Wang et al. (2022).</summary>
public sealed record KnockoutOptions
{
    /// <summary>Sets that the user names.</summary>
    public IReadOnlyList<NodeSet> Classes { get; init; } = [];

    /// <summary>Number of random halves.</summary>
    public int RandomDraws { get; init; } = 100;

    /// <summary>Number of greedy searches for the set of largest difference.</summary>
    public int GreedyRuns { get; init; } = 10;

    /// <summary>Nodes that a greedy search adds.</summary>
    public int GreedyIterations { get; init; } = 10;

    /// <summary>Nodes that a greedy search draws to choose the next one from.</summary>
    public int GreedyCandidates { get; init; } = 10;

    /// <summary>Seed of all draws.</summary>
    public ulong Seed { get; init; }

    /// <summary>How circuits are evaluated.</summary>
    public EvaluationOptions Evaluation { get; init; } = new();
}
