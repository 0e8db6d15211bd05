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
    // As many results tell the time of all.
    private const int MostRead = 300;

    /// <summary>How many units stand somewhere.</summary>
    /// <param name="kind">Where.</param>
    public int Count(UnitStateKind kind) => Units.Count(u => u.Kind == kind);

    /// <summary>Looks at a sweep. Nothing in it is changed.</summary>
    /// <param name="folder">The sweep.</param>
    /// <exception cref="GradpathException">A file of it is damaged.</exception>
    public static SweepStatus Of(SweepFolder folder)
    {
        using UnitClaims claims = folder.Claims();
        Dictionary<string, (UnitClaim Claim, bool IsExpired)> claimed =
            claims.All(out DateTime now).ToDictionary(c => c.Claim.Key, StringComparer.Ordinal);

        // After the claims: what is done by now is no longer claimed.
        HashSet<string> failed = folder.Failed(), done = folder.Done();
        UnitState[] units = [.. folder.Units.Select(State)];
        return new SweepStatus(units, now, TimeLeft(folder, units));

        UnitState State(SweepUnit unit)
        {
            if (done.Contains(unit.Key)) return new UnitState(unit, UnitStateKind.Done, null, null, false);
            if (failed.Contains(unit.Key) && folder.Failure(unit.Key) is { } failure)
                return new UnitState(unit, UnitStateKind.Failed, null, failure, false);
            bool isSaved = File.Exists(ProgressFile.Beside(folder.WorkFile(unit.Key)));
            return claimed.TryGetValue(unit.Key, out var claim)
                ? new UnitState(unit, claim.IsExpired ? UnitStateKind.Silent : UnitStateKind.Running, claim.Claim, null, isSaved)
                : new UnitState(unit, UnitStateKind.Waiting, null, null, isSaved);
        }
    }

    // What results say that they took, by cost.
    private static TimeSpan? TimeLeft(SweepFolder folder, UnitState[] units)
    {
        SweepUnit[] done = [.. units.Where(u => u.Kind == UnitStateKind.Done).Select(u => u.Unit)];
        double left = units.Where(u => u.Kind is not (UnitStateKind.Done or UnitStateKind.Failed)).Sum(u => u.Unit.Cost);
        double seconds = 0, cost = 0;
        for (int i = 0; i < Math.Min(done.Length, MostRead); i++)
        {
            SweepUnit unit = done[(int)((long)i * done.Length / Math.Min(done.Length, MostRead))];
            UnitResult result = folder.Result(unit.Key);
            seconds += result.Seconds + result.JudgeSeconds;
            cost += unit.Cost;
        }
        if (left <= 0 || cost <= 0 || double.IsNaN(seconds)) return null;
        int processes = Math.Max(1, units.Count(u => u.Kind == UnitStateKind.Running));
        return SweepPace.Times(TimeSpan.FromSeconds(1), left * seconds / cost / processes);
    }
}
