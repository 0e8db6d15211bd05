namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>
/// What following paths backwards gives. The circuit has all edges that were followed and, where MLPs reacted to the senders, those through
/// the MLPs between; its scores are the effects, positive where corrupting the edge hurts.
/// </summary>
public sealed record PathTracingResult : SearchResult
{
    /// <summary>Mean metric of the model on the clean prompts.</summary>
    public required double CleanMetric { get; init; }

    /// <summary>The rounds, first one first.</summary>
    public required IReadOnlyList<PathRound> Rounds { get; init; }
}
