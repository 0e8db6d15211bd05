using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Host.Comparison;

/// <summary>What a method found, and what it took.</summary>
/// <param name="Circuit">The circuit, pruned, with its provenance.</param>
/// <param name="Seconds">Time of the run that gave the circuit: scoring and cutting, one search, or scoring and training.</param>
internal sealed record FoundCircuit(Circuit Circuit, double Seconds)
{
    /// <summary>The same with the runs that looked for the threshold.</summary>
    public double SecondsWithSearch { get; init; } = Seconds;

    /// <summary>Whole forward passes over the prompts that the run's work amounts to; NaN where that is not known.</summary>
    public double Passes { get; init; } = double.NaN;

    /// <summary>The threshold of a search that has one; NaN for other methods.</summary>
    public double Threshold { get; init; } = double.NaN;

    /// <summary>Training steps; 0 where nothing is trained.</summary>
    public int Steps { get; init; }

    /// <summary>The scores that were cut; null for searches.</summary>
    public EdgeScores? Ranking { get; init; }

    /// <summary>The steps of the training; null where nothing is trained.</summary>
    public IReadOnlyList<EdgePruningStep>? Training { get; init; }
}
