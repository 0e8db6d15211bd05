using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Sweeps.Store;

/// <summary>Where a unit of a sweep stands.</summary>
/// <param name="Unit">The unit.</param>
/// <param name="Kind">Where it stands.</param>
/// <param name="Claim">Who computes it, or did when it fell silent; null where nobody does.</param>
/// <param name="Failure">Why it failed; null where it has not.</param>
/// <param name="HasSavedState">Whether there is a state that it goes on from, see <see cref="RunCheckpoint"/>.</param>
internal sealed record UnitState(SweepUnit Unit, UnitStateKind Kind, UnitClaim? Claim, UnitFailure? Failure, bool HasSavedState)
{
    /// <summary>What is wrong with its files; null where nothing is.</summary>
    public string? Damage { get; init; }

    /// <summary>Whether it is a search that is done and whose circuit has no edges.</summary>
    public bool IsEmpty { get; init; }

    /// <summary>The time that it took; null where it is not done.</summary>
    public double? Seconds { get; init; }
}
