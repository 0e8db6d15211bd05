namespace Gradpath.Host.Sweeps.Store;

/// <summary>A claim on a unit as others see it. Times are the file system's, so that the clocks of machines do not matter.</summary>
/// <param name="Key">The unit's key.</param>
/// <param name="Host">The machine whose process has the claim; empty for a moment after it was taken.</param>
/// <param name="Process">The process's number on that machine.</param>
/// <param name="Token">Tells claims apart.</param>
/// <param name="Taken">When it was taken.</param>
/// <param name="Touched">When its process last gave a sign of life.</param>
internal sealed record UnitClaim(string Key, string Host, int Process, string Token, DateTime Taken, DateTime Touched)
{
    /// <summary>How far the unit is, and of what that is a share (empty for all of it); null where its process does not say.</summary>
    public (double Share, string Stage)? Done { get; init; }
}
