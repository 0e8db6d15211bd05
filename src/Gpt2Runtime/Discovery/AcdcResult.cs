namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>
/// What ACDC found. The circuit is not pruned. Its scores are the changes of the objective when each edge was tested: at least the
/// threshold for the edges that stayed, less for the others, 0 for those that were dropped.
/// </summary>
public sealed record AcdcResult : SearchResult
{
    /// <summary>The threshold tau.</summary>
    public required double Threshold { get; init; }

    /// <summary>Every edge of the graph in the order of its turn.</summary>
    public required IReadOnlyList<AcdcStep> Steps { get; init; }

    /// <summary>The objective of the full model.</summary>
    public required double Full { get; init; }

    /// <summary>The objective of the circuit.</summary>
    public required double Objective { get; init; }

    /// <summary>What it took.</summary>
    public required AcdcEffort Effort { get; init; }
}
