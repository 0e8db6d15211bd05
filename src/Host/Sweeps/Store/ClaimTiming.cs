namespace Gradpath.Host.Sweeps.Store;

/// <summary>How long a claim on a unit holds without a sign of life.</summary>
/// <param name="Heartbeat">The time between two signs of life.</param>
/// <param name="Expiry">After so long without one, others take the unit over.</param>
internal sealed record ClaimTiming(TimeSpan Heartbeat, TimeSpan Expiry)
{
    /// <summary>The times where nothing else is said; changed by tests alone. All processes of a sweep have the same.</summary>
    internal static ClaimTiming Default { get; set; } = new(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(60));

    /// <summary>A process whose last sign of life is older than this no longer takes its claim for its own: another process may be about to
    /// take it over.</summary>
    public TimeSpan Sure => Expiry / 2;
}
