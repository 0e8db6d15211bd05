using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>Everything that decides which circuit <see cref="Acdc"/> finds, but for the threshold.</summary>
public sealed record AcdcOptions
{
    /// <summary>What an edge must raise to stay, per item at the last position and averaged: KL from the full model, or minus a task metric.</summary>
    public Metric Objective { get; init; } = BuiltInMetrics.KlDivergence;

    /// <summary>Compare the size of the change, so that an edge also stays where its removal lowers the objective by the threshold.</summary>
    public bool Absolute { get; init; }

    /// <summary>The order of the senders.</summary>
    public SenderOrder Order { get; init; } = SenderOrder.Normal;

    /// <summary>The scores of <see cref="SenderOrder.Score"/>; not read with another order.</summary>
    public EdgeScores? Scores { get; init; }

    /// <summary>What removed edges carry.</summary>
    public Ablation Ablation { get; init; } = Ablation.Patching;

    /// <summary>Prompt pairs per pass; 0 picks the number by the memory at hand.</summary>
    public int BatchSize { get; init; }

    /// <summary>Candidates tried at once, which changes the time and nothing else; 0 tries as many as seem to pay, pass by pass. Fewer where the memory does not suffice.</summary>
    public int Candidates { get; init; }
}
