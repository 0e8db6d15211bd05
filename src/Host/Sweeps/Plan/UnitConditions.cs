using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Host.Sweeps.Plan;

/// <summary>What a unit adds to its method's settings. A method gets of these what it reads.</summary>
internal sealed record UnitConditions
{
    /// <summary>The metric; null for that of the prompts.</summary>
    public Metric? Metric { get; init; }

    /// <summary>What edges outside a circuit carry.</summary>
    public Ablation Ablation { get; init; } = Ablation.Patching;

    /// <summary>The seed of random draws.</summary>
    public int Seed { get; init; }

    /// <summary>Prompt pairs per pass, or per step of training; null for the method's default.</summary>
    public int? BatchSize { get; init; }
}
