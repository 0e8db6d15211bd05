using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Sweeps.Store;

/// <summary>Where all units of a sweep stand at one moment.</summary>
/// <param name="Units">The units, in the plan's order.</param>
/// <param name="Now">The moment, by the file system's clock.</param>
/// <param name="Left">The time left with as many processes as compute now, or one where none does; null where that is not known or nothing
/// is left.</param>
internal sealed record SweepStatus(IReadOnlyList<UnitState> Units, DateTime Now, TimeSpan? Left)
{
    /// <summary>How many units stand somewhere.</summary>
    /// <param name="kind">Where.</param>
    public int Count(UnitStateKind kind) => Units.Count(u => u.Kind == kind);

    /// <summary>Looks at a sweep. Nothing in it is changed.</summary>
    /// <param name="folder">The sweep.</param>
    /// <exception cref="GradpathException">A file of it cannot be read.</exception>
    public static SweepStatus Of(SweepFolder folder)
    {
        using UnitClaims claims = folder.Claims();
        Dictionary<string, (UnitClaim Claim, bool IsExpired)> claimed =
            claims.All(out DateTime now).ToDictionary(c => c.Claim.Key, StringComparer.Ordinal);

        // After the claims: what is done by now is no longer claimed.
        HashSet<string> failed = folder.Failed(), done = folder.Done();
        UnitState[] units = [.. folder.Units.Select(State)];
        return new SweepStatus(units, now, TimeLeft(units));

        UnitState State(SweepUnit unit)
        {
            if (done.Contains(unit.Key) && Settled(folder, unit) is { } state) return state;
            if (failed.Contains(unit.Key) && folder.Failure(unit.Key) is { } failure)
                return new UnitState(unit, UnitStateKind.Failed, null, failure, false);
            bool isSaved = File.Exists(ProgressFile.Beside(folder.WorkFile(unit.Key)));
            return claimed.TryGetValue(unit.Key, out var claim)
                ? new UnitState(unit, claim.IsExpired ? UnitStateKind.Silent : UnitStateKind.Running, claim.Claim, null, isSaved)
                : new UnitState(unit, UnitStateKind.Waiting, null, null, isSaved);
        }
    }

    // Null where another process has just set it aside.
    private static UnitState? Settled(SweepFolder folder, SweepUnit unit)
    {
        try
        {
            string? fault = DamagedUnits.Fault(folder, unit.Key, out UnitResult? result);
            return new UnitState(unit, fault is null ? UnitStateKind.Done : UnitStateKind.Damaged, null, null, false)
            {
                Damage = fault,
                Seconds = fault is null ? UnitTimes.Own(unit, result!) : null,
            };
        }
        catch (GradpathException) when (!folder.IsDone(unit.Key))
        {
            return null;
        }
    }

    private static TimeSpan? TimeLeft(UnitState[] units)
    {
        UnitTimes times = new();
        foreach (UnitState unit in units)
        {
            if (unit.Seconds is { } seconds) times.Took(unit.Unit, seconds);
            else if (unit.Kind != UnitStateKind.Failed) times.Open(unit.Unit);
        }
        int processes = Math.Max(1, units.Count(u => u.Kind == UnitStateKind.Running));
        return times.Left() is { } left ? SweepPace.Times(TimeSpan.FromSeconds(1), left / processes) : null;
    }
}
