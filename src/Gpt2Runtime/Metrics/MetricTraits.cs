namespace Gradpath.Gpt2Runtime.Metrics;

/// <summary>What holds for a metric beside its numbers.</summary>
public sealed record MetricTraits
{
    /// <summary>What tables and prose call it; by default its name.</summary>
    public string? Title { get; init; }

    /// <summary>What its value is, as a noun phrase; by default its name.</summary>
    public string? Meaning { get; init; }

    /// <summary>Whether every prompt pair must have a right answer.</summary>
    public bool NeedsAnswers { get; init; }

    /// <summary>Whether every prompt pair must have a wrong answer.</summary>
    public bool NeedsWrongAnswers { get; init; }

    /// <summary>Whether less is better. Scores are of a loss: the metric itself where this holds, else minus the metric.</summary>
    public bool IsLoss { get; init; }

    /// <summary>
    /// Whether it is a distance from the clean run: 0 there, which is its least value. It is a loss then, whatever
    /// <see cref="IsLoss"/> says, and what would ask for its gradient at the clean run alone is refused.
    /// </summary>
    public bool MeasuresDistance { get; init; }

    /// <summary>
    /// Whether a value above 0 says that the model answers right. Else it does where the most probable token is an answer.
    /// </summary>
    public bool PositiveIsRight { get; init; }
}
