using Gradpath.Gpt2Runtime;
using Gradpath.Host.Sweeps.Plan;
using Gradpath.Host.Sweeps.Store;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath sweep</c>: a plan in, a folder of results out.</summary>
internal static class SweepCommand
{
    public static CommandReport Run(SweepOptions o, Terminal terminal, CancellationToken cancellation)
    {
        SweepStart start = SweepStart.Read(o, terminal);
        using SweepSession session = start.Session(terminal);
        if (o.Check) return SweepPreview.Report(start, session, cancellation);
        SweepFolder folder = start.LayOut(session, terminal, cancellation);
        IReadOnlyList<SweepUnit> own = start.Shard?.Of(folder.Units) ?? folder.Units;
        SweepOutcome outcome = start.Workers.Count > 1
            ? SweepTeam.Run(start, folder, own, terminal, cancellation)
            : Work(session, folder, own, terminal, cancellation);
        CommandReport report = Report(start, folder, outcome);
        if (start.Shard?.Empty(own, folder.Units) is { } empty) report.Note(empty);
        return report;
    }

    private static SweepOutcome Work(
        SweepSession session, SweepFolder folder, IReadOnlyList<SweepUnit> own, Terminal terminal, CancellationToken cancellation)
    {
        (int Number, int Of)? place = SweepProcesses.Place(terminal.Variable);
        if (place is not null) SweepProcesses.StopWithParent(terminal);
        SweepReadiness.Prepare(session, [.. own.Where(u => !folder.IsDone(u.Key) && !folder.HasFailed(u.Key))], cancellation);
        SweepUnitWork work = new(session, folder.SumsOf, key => folder.Result(key).Seconds);
        SweepWorker worker = new(folder, work, terminal) { Place = place };
        return worker.Run(own, cancellation);
    }

    private static CommandReport Report(SweepStart start, SweepFolder folder, SweepOutcome outcome)
    {
        CommandReport report = new()
        {
            ExitCode = outcome.Failures.Count > 0 ? ExitCode.Failure : ExitCode.Success,
            Provenance = SweepProvenance.Now(),
        };
        string shard = start.Shard is null ? "" : $" (shard {start.Shard} of {Sizes.Of(folder.Units.Count, "unit")})";
        string waiting = outcome.Waiting == 0 ? "" : $", {Sizes.Count(outcome.Waiting)} left to other shards";
        report.Line(
            $"sweep {folder.Name}{shard}: {Sizes.Count(outcome.Done)} of {Sizes.Of(outcome.Units, "unit")} done, "
                + $"{Sizes.Count(outcome.Computed)} of them now, {Sizes.Count(outcome.Failures.Count)} failed{waiting}",
            ("name", folder.Name), ("units", outcome.Units), ("done", outcome.Done), ("computed", outcome.Computed),
            ("failed", outcome.Failures.Count), ("waiting", outcome.Waiting), ("shard", start.Shard?.ToString()));
        ReportTable failed = ReportTable.Of("failures", outcome.Failures)
            .Text("failed unit", "unit", f => f.Title)
            .Text("reason", "error", f => f.Error)
            .Hidden("key", f => f.Key);
        if (outcome.Failures.Count > 0) report.Show(failed);
        report.Data(failed);
        if (outcome.Failures.Count > 0)
        {
            report.Note($"'gradpath sweep retry {folder.Path}' forgets the failures, so that the next sweep into the folder computes these "
                + "units again.");
        }
        else if (outcome.Waiting == 0) report.Plain($"'gradpath sweep merge {folder.Path}' makes tables and a page of it.");
        report.File("sweep", folder.Path);
        return report;
    }
}
