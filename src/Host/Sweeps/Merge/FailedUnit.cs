using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Sweeps.Merge;

/// <summary>A unit that could not be computed.</summary>
/// <param name="Unit">The unit.</param>
/// <param name="Error">The reason, in one line.</param>
internal sealed record FailedUnit(SweepUnit Unit, string Error);
