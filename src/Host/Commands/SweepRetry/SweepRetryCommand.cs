using Gradpath.Host.Sweeps.Store;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath sweep retry</c>: forgets recorded failures of a sweep.</summary>
internal static class SweepRetryCommand
{
    public static CommandReport Run(SweepRetryOptions o)
    {
        SweepFolder folder = SweepLayout.Open(o.Folder);
        HashSet<string> failed = folder.Failed();
        SweepUnit[] wanted = o.Unit is null ? [.. folder.Units] : [.. Related(folder, One(folder, o.Unit, failed))];
        SweepUnit[] forgotten = [.. wanted.Where(u => failed.Contains(u.Key) && folder.Forget(u.Key))];
        CommandReport report = new() { Provenance = SweepProvenance.Now() };
        report.Line(
            forgotten.Length == 0 ? $"no unit of {o.Folder} has failed"
                : $"{Sizes.Of(forgotten.Length, "failure")} of {o.Folder} forgotten; the next sweep into this folder computes "
                    + (forgotten.Length == 1 ? "the unit again" : "the units again"),
            ("dir", o.Folder), ("forgotten", forgotten.Length));
        ReportTable table = ReportTable.Of("units", forgotten).Text("unit", "unit", u => u.Title).Text("key", "key", u => u.Key);
        if (forgotten.Length > 0) report.Table(table);
        else report.Data(table);
        return report;
    }

    private static SweepUnit One(SweepFolder folder, string key, HashSet<string> failed)
    {
        SweepUnit[] meant = [.. folder.Units.Where(u => key.Length > 0 && u.Key.StartsWith(key, StringComparison.OrdinalIgnoreCase))];
        return meant switch
        {
            [] => throw new UsageException(
                $"--unit {key}: {folder.Path} has no such unit; 'gradpath sweep status' lists those that failed."),
            [var one] when Needed(folder, one).Any(u => failed.Contains(u.Key)) => one,
            [var one] => throw new UsageException($"--unit {key}: {one.Title} has not failed."),
            _ => throw new UsageException($"--unit {key}: {Sizes.Count(meant.Length)} units begin so; give more of the key."),
        };
    }

    // The unit, what it needs, without which it would fail again, and what needs any of those and failed for want of it.
    private static IEnumerable<SweepUnit> Related(SweepFolder folder, SweepUnit unit)
    {
        HashSet<string> meant = [.. Needed(folder, unit).Select(u => u.Key)];
        while (true)
        {
            int before = meant.Count;
            meant.UnionWith(folder.Units.Where(u => u.Needs.Any(meant.Contains)).Select(u => u.Key));
            if (meant.Count == before) return folder.Units.Where(u => meant.Contains(u.Key));
        }
    }

    // The unit and all that it needs, directly or not.
    private static HashSet<SweepUnit> Needed(SweepFolder folder, SweepUnit unit)
    {
        HashSet<SweepUnit> found = [];
        Stack<SweepUnit> open = new([unit]);
        while (open.TryPop(out SweepUnit? next))
        {
            if (!found.Add(next)) continue;
            foreach (string key in next.Needs) open.Push(folder.Unit(key)!);
        }
        return found;
    }
}
