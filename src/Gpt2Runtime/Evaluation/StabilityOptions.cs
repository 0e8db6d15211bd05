namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>How the stability of scores is measured.</summary>
public sealed record StabilityOptions
{
    /// <summary>Numbers of strongest edges, each a circuit whose stability is measured.</summary>
    public IReadOnlyList<int> Sizes { get; init; } = [100];

    /// <summary>Data sets that are drawn, at least 2.</summary>
    public int Resamples { get; init; } = 200;

    /// <summary>
    /// A part of the prompt pairs' labels, such as <c>template</c>: groups of pairs that have the same value there are drawn whole, instead
    /// of single pairs. Null: pairs are drawn.
    /// </summary>
    public string? Part { get; init; }

    /// <summary>Rank by the score itself instead of its absolute value.</summary>
    public bool BySign { get; init; }

    /// <summary>Seed of the draws.</summary>
    public ulong Seed { get; init; }

    /// <summary>An edge that so large a share of the circuits has belongs to the core.</summary>
    public double Core { get; init; } = 0.9;

    /// <summary>An edge that a smaller share of the circuits has is noise; what lies between is contingent.</summary>
    public double Noise { get; init; } = 0.1;
}
