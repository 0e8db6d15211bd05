namespace Gradpath.Diagnostics.Ops;

/// <summary>What the comparison of one op on two devices found.</summary>
/// <param name="Check">The op.</param>
/// <param name="Cases">Number of seeds that were run.</param>
/// <param name="Allowed">Largest relative difference that the device's arithmetic explains.</param>
/// <param name="LargestError">Largest relative difference; infinite where a number is none or a guard was written.</param>
/// <param name="Fault">What went wrong first, or null.</param>
internal sealed record OpOutcome(OpCheck Check, int Cases, double Allowed, double LargestError, string? Fault)
{
    /// <summary>Whether the devices agree.</summary>
    public bool Passed => Fault is null;
}
