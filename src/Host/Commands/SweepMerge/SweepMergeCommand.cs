using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Sessions;
using Gradpath.Host.Sweeps.Merge;
using Gradpath.Host.Sweeps.Plan;
using Gradpath.Host.Sweeps.Store;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath sweep merge</c>: the results of a sweep in, one table, tables for papers and a page out.</summary>
internal static class SweepMergeCommand
{
    public static CommandReport Run(SweepMergeOptions o, Terminal terminal, CancellationToken cancellation)
    {
        SweepFolder folder = SweepLayout.Open(o.Dir);
        List<(SweepUnit Unit, UnitResult Result)> results = Read(folder, terminal, cancellation, out int damaged);
        if (EmptyCircuits.Of([.. results.Where(r => r.Result.IsEmpty).Select(r => r.Unit)]) is { } empty) terminal.Warn(empty);
        IReadOnlyList<UnitFailure> failures = folder.Failures();
        MergeTargets into = Targets(o);
        UnitCircuits circuits = new(folder);
        MergeInput input = new()
        {
            Plan = SweepPlan.FromJson(folder.Plan, Path.Combine(o.Dir, SweepLayout.PlanFile)),
            Units = folder.Units.Count,
            Done = results,
            Failed = [.. failures.Select(f => new FailedUnit(folder.Unit(f.Key)!, f.Error))],
            CircuitOf = circuits.Of,
            FilesOf = unit => Files(folder, unit, Path.GetDirectoryName(Path.GetFullPath(into.Page ?? o.Dir))!),
        };
        (SweepTable table, IReadOnlyList<SeedGrid> grids) = SweepMerge.Write(input, into, cancellation);
        terminal.Progress.Part = "";

        CommandReport report = new() { Provenance = SweepProvenance.Now() };
        int left = folder.Units.Count - results.Count - failures.Count - damaged;
        report.Line(
            $"sweep {folder.Name}: {Sizes.Count(results.Count)} of {Sizes.Of(folder.Units.Count, "unit")} merged, "
                + $"{Sizes.Count(failures.Count)} failed; {Sizes.Of(table.Rows.Count, "row")}, "
                + $"{Sizes.Of(grids.Count, "table")} of means over seeds",
            ("name", folder.Name), ("units", folder.Units.Count), ("merged", results.Count), ("failed", failures.Count),
            ("damaged", damaged), ("waiting", left), ("rows", table.Rows.Count), ("tables", grids.Count));
        foreach (string damage in circuits.Damage) terminal.Warn($"{damage.TrimEnd('.')}; overlaps leave the unit out");
        if (left > 0) report.Note($"{Sizes.Of(left, "unit")} {(left == 1 ? "is" : "are")} not done yet: merge again later.");
        report.File("table", into.Csv);
        report.File("parquet", into.Parquet);
        report.File("latex", into.Latex);
        report.File("markdown", into.Markdown);
        report.File("page", into.Page);
        return report;
    }

    // Whoever names files wants those and no others.
    private static MergeTargets Targets(SweepMergeOptions o)
    {
        MergeTargets named = new() { Csv = o.Table, Parquet = o.Parquet, Latex = o.Latex, Markdown = o.Markdown, Page = o.Page };
        return named == new MergeTargets() ? MergeTargets.In(o.Dir) : named;
    }

    private static List<(SweepUnit Unit, UnitResult Result)> Read(
        SweepFolder folder, Terminal terminal, CancellationToken cancellation, out int damaged)
    {
        HashSet<string> done = folder.Done();
        List<(SweepUnit Unit, UnitResult Result)> results = [];
        damaged = 0;
        terminal.Progress.Part = "reading";
        foreach (SweepUnit unit in folder.Units.Where(u => done.Contains(u.Key)))
        {
            cancellation.ThrowIfCancellationRequested();
            string? fault;
            UnitResult? result = null;
            try
            {
                fault = DamagedUnits.Fault(folder, unit.Key, out result);
            }
            catch (GradpathException e)
            {
                fault = e.Message;
            }
            if (fault is null) results.Add((unit, result!));

            // Else another process has set it aside meanwhile.
            else if (folder.IsDone(unit.Key))
            {
                damaged++;
                terminal.Warn($"'{unit.Title}' is left out: {fault}");
            }
        }
        return results;
    }

    private static UnitFile[] Files(SweepFolder folder, SweepUnit unit, string from)
    {
        (string Name, string Path)[] all =
        [
            ("result", folder.ResultFile(unit.Key)), ("scores", folder.ScoresFile(unit.Key)), ("circuit", folder.CircuitFile(unit.Key)),
        ];
        return [.. all.Where(f => File.Exists(f.Path)).Select(f =>
            new UnitFile(f.Name, Path.GetRelativePath(from, f.Path).Replace('\\', '/')))];
    }

    // The circuits of one unit are asked for one after the other.
    private sealed class UnitCircuits(SweepFolder folder)
    {
        private readonly Dictionary<string, string> _damage = [];
        private string? _key;
        private EdgeScores? _scores;

        public IEnumerable<string> Damage => _damage.Values;

        public Circuit? Of(SweepUnit unit, int edges)
        {
            if (_damage.ContainsKey(unit.Key)) return null;
            try
            {
                if (File.Exists(folder.CircuitFile(unit.Key))) return Circuit.Load(folder.CircuitFile(unit.Key));
                if (_key != unit.Key) (_key, _scores) = (unit.Key, EdgeScores.Load(folder.ScoresFile(unit.Key)));
            }
            catch (GradpathException e)
            {
                _damage[unit.Key] = e.Message;
                return null;
            }
            return _scores is null ? null : UnitJudge.CircuitOf(_scores, edges);
        }
    }
}
