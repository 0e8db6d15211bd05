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
    // What is read in a fraction of a second.
    private const long MostBytes = 256L << 20;

    /// <summary>Units whose files are longer than what is read of all: of these the contents were not looked at.</summary>
    public int Unread { get; private init; }

    /// <summary>How many units stand somewhere.</summary>
    /// <param name="kind">Where.</param>
    public int Count(UnitStateKind kind) => Units.Count(u => u.Kind == kind);

    /// <summary>Looks at a sweep. Nothing in it is changed.</summary>
    /// <param name="folder">The sweep.</param>
    /// <param name="own">The keys of the units whose time is asked for; null for all.</param>
    /// <exception cref="GradpathException">A file of it cannot be read.</exception>
    public static SweepStatus Of(SweepFolder folder, IReadOnlySet<string>? own = null)
    {
        long bytes = MostBytes;
        int unread = 0;
        using UnitClaims claims = folder.Claims();
        Dictionary<string, (UnitClaim Claim, bool IsExpired)> claimed =
            claims.All(out DateTime now).ToDictionary(c => c.Claim.Key, StringComparer.Ordinal);

        // After the claims: what is done by now is no longer claimed.
        HashSet<string> failed = folder.Failed(), done = folder.Done();
        UnitState[] units = [.. folder.Units.Select(State)];
        return new SweepStatus(units, now, TimeLeft(units, own)) { Unread = unread };

        UnitState State(SweepUnit unit)
        {
            if (done.Contains(unit.Key) && Settled(folder, unit, ref bytes) is { } state)
            {
                if (bytes < 0) unread++;
                return state;
            }
            if (failed.Contains(unit.Key) && folder.Failure(unit.Key) is { } failure)
                return new UnitState(unit, UnitStateKind.Failed, null, failure, false);
            bool isSaved = File.Exists(ProgressFile.Beside(folder.WorkFile(unit.Key)));
            return claimed.TryGetValue(unit.Key, out var claim)
                ? new UnitState(unit, claim.IsExpired ? UnitStateKind.Silent : UnitStateKind.Running, claim.Claim, null, isSaved)
                : new UnitState(unit, UnitStateKind.Waiting, null, null, isSaved);
        }
    }

    // Null where another process has just set it aside.
    private static UnitState? Settled(SweepFolder folder, SweepUnit unit, ref long bytes)
    {
        try
        {
            string? fault = DamagedUnits.Fault(folder, unit.Key, ref bytes, out UnitResult? result);
            if (fault is not null && !folder.IsDone(unit.Key)) return null;
            return new UnitState(unit, fault is null ? UnitStateKind.Done : UnitStateKind.Damaged, null, null, false)
            {
                Damage = fault,
                IsEmpty = result?.IsEmpty ?? false,
                Seconds = fault is null ? UnitTimes.Own(unit, result!) : null,
            };
        }
        catch (GradpathException) when (!folder.IsDone(unit.Key))
        {
            return null;
        }
    }

    private static TimeSpan? TimeLeft(UnitState[] units, IReadOnlySet<string>? own)
    {
        UnitTimes times = new();
        foreach (UnitState unit in units)
        {
            if (unit.Seconds is { } seconds) times.Took(unit.Unit, seconds);
            else if (unit.Kind != UnitStateKind.Failed && own?.Contains(unit.Unit.Key) != false) times.Open(unit.Unit);
        }
        int processes = Math.Max(1, units.Count(u => u.Kind == UnitStateKind.Running));
        return times.Left() is { } left ? SweepPace.Times(TimeSpan.FromSeconds(1), left / processes) : null;
    }
}
