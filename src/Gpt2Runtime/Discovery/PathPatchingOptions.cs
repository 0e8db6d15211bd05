using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>How paths are patched.</summary>
public sealed record PathPatchingOptions
{
    /// <summary>The metric; by default the prompt set's own.</summary>
    public Metric? Metric { get; init; }

    /// <summary>What replaces a sender's output: its output on the corrupted prompt, zero, or its mean.</summary>
    public Ablation Ablation { get; init; } = Ablation.Patching;

    /// <summary>
    /// Whether MLPs keep their clean outputs, as heads always do, so that the only path is the edge from sender to receiver.
    /// </summary>
    public bool FreezeMlps { get; init; }

    /// <summary>Where a sender's output is replaced.</summary>
    public TokenPositions SenderPositions { get; init; } = TokenPositions.All;

    /// <summary>Prompt pairs per pass; 0 picks the number by the memory at hand.</summary>
    public int BatchSize { get; init; }
}
