namespace Gradpath.Host.Sweeps.Store;

/// <summary>How a process left the units that are its own.</summary>
/// <param name="Units">How many there are.</param>
/// <param name="Done">How many are done, whoever computed them.</param>
/// <param name="Computed">How many this process has computed, those of other shards that it took on among them.</param>
/// <param name="Failures">Those that have failed, in the plan's order.</param>
internal sealed record SweepOutcome(int Units, int Done, int Computed, IReadOnlyList<UnitFailure> Failures)
{
    /// <summary>How many wait for units of other shards.</summary>
    public int Waiting => Units - Done - Failures.Count;
}
