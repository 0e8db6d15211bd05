using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>How circuits are evaluated.</summary>
public sealed record EvaluationOptions
{
    /// <summary>The metric; by default the prompt set's own.</summary>
    public Metric? Metric { get; init; }

    /// <summary>What edges outside a circuit carry.</summary>
    public Ablation Ablation { get; init; } = Ablation.Patching;

    /// <summary>Prompt pairs per batch; 0 picks the number by the memory at hand.</summary>
    public int BatchSize { get; init; }
}
