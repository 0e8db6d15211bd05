using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>Which circuits a <see cref="SparsityCurve"/> is made of.</summary>
public sealed record SparsityOptions
{
    /// <summary>The fractions of the MIB circuit benchmark.</summary>
    public static IReadOnlyList<double> DefaultFractions { get; } = [.001, .002, .005, .01, .02, .05, .1, .2, .5, 1];

    /// <summary>Shares p of all E edges, above 0 and at most 1; int(p E) edges are selected before pruning.</summary>
    public IReadOnlyList<double> Fractions { get; init; } = DefaultFractions;

    /// <summary>Select with <see cref="CircuitSelection.Greedy"/> instead of <see cref="CircuitSelection.TopEdges"/>.</summary>
    public bool Greedy { get; init; }

    /// <summary>Seed of the intervals' random draws.</summary>
    public ulong Seed { get; init; }

    /// <summary>How circuits are evaluated.</summary>
    public EvaluationOptions Evaluation { get; init; } = new();
}
