using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Sweeps.Plan;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Sweeps.Merge;

/// <summary>What a sweep has so far. The order of results and failures does not matter.</summary>
internal sealed record MergeInput
{
    /// <summary>The plan.</summary>
    public required SweepPlan Plan { get; init; }

    /// <summary>How many units the plan has, parts among them.</summary>
    public required int Units { get; init; }

    /// <summary>The finished units. Parts of divided prompts may be among them: they are counted and give no rows.</summary>
    public required IReadOnlyList<(SweepUnit Unit, UnitResult Result)> Done { get; init; }

    /// <summary>The failed ones.</summary>
    public IReadOnlyList<FailedUnit> Failed { get; init; } = [];

    /// <summary>
    /// The circuit of a unit with so many edges asked for; of a search the one that it has found, whatever the number. Null where there is
    /// none. It is asked for all sizes of a unit one after the other, and not at all where the plan does not want overlaps.
    /// </summary>
    public Func<SweepUnit, int, Circuit?>? CircuitOf { get; init; }

    /// <summary>The files of a unit, for the page's links; null for none.</summary>
    public Func<SweepUnit, IReadOnlyList<UnitFile>>? FilesOf { get; init; }

    /// <summary>The same with results and failures in the plan's order.</summary>
    public MergeInput Ordered() => this with
    {
        Done = [.. Done.OrderBy(d => d.Unit.Index)],
        Failed = [.. Failed.OrderBy(f => f.Unit.Index).ThenBy(f => f.Error, StringComparer.Ordinal)],
    };
}
