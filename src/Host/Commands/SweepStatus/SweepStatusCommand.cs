using System.Globalization;
using Gradpath.Host.Sessions;
using Gradpath.Host.Sweeps.Store;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath sweep status</c>: where the units of a sweep stand. Needs no model and changes nothing.</summary>
internal static class SweepStatusCommand
{
    public static CommandReport Run(SweepStatusOptions o)
    {
        SweepFolder folder = SweepLayout.Open(o.Folder);
        SweepStatus status = SweepStatus.Of(folder);
        CommandReport report = new() { Provenance = SweepProvenance.Now() };
        int done = status.Count(UnitStateKind.Done), failed = status.Count(UnitStateKind.Failed);
        int running = status.Count(UnitStateKind.Running), silent = status.Count(UnitStateKind.Silent);
        int waiting = status.Count(UnitStateKind.Waiting), damaged = status.Count(UnitStateKind.Damaged);
        string left = status.Left is { } time ? $"; about {ProgressLines.Text(time)} left" : "";
        string lost = silent > 0 ? $", {Sizes.Count(silent)} silent" : "", bad = damaged > 0 ? $", {Sizes.Count(damaged)} damaged" : "";
        report.Line(
            $"sweep {folder.Name} in {o.Folder}: {Sizes.Count(done)} of {Sizes.Of(status.Units.Count, "unit")} done, "
            + $"{Sizes.Count(failed)} failed{bad}, {Sizes.Count(running)} running{lost}, {Sizes.Count(waiting)} waiting{left}",
            ("name", folder.Name), ("dir", o.Folder), ("plan_hash", folder.PlanHash), ("units", status.Units.Count), ("done", done),
            ("failed", failed), ("damaged", damaged), ("running", running), ("silent", silent), ("waiting", waiting),
            ("seconds_left", status.Left?.TotalSeconds));
        report.Table(ReportTable.Of("methods", status.Units.GroupBy(u => u.Unit.Method.Label))
            .Text("method", "method", g => g.Key)
            .Count("units", "units", g => g.Count())
            .Count("done", "done", g => g.Count(u => u.Kind == UnitStateKind.Done))
            .Count("failed", "failed", g => g.Count(u => u.Kind == UnitStateKind.Failed))
            .Count("damaged", "damaged", g => g.Count(u => u.Kind == UnitStateKind.Damaged))
            .Count("running", "running", g => g.Count(u => u.Kind == UnitStateKind.Running))
            .Count("silent", "silent", g => g.Count(u => u.Kind == UnitStateKind.Silent))
            .Count("waiting", "waiting", g => g.Count(u => u.Kind == UnitStateKind.Waiting)));
        report.Data(All(status));
        if (running + silent > 0) report.Show(Claimed(status));
        if (failed > 0)
        {
            report.Show(Broken(status));
            report.Note(
                $"'gradpath sweep retry {o.Folder}' forgets the failures, so that the next sweep into the folder computes them again.");
        }
        if (damaged > 0)
        {
            report.Show(Damaged(status));
            report.Note("The next sweep into the folder sets damaged files aside and computes their units again; merge leaves them out.");
        }
        if (status.Unread > 0)
        {
            report.Note($"The scores and circuits of {Sizes.Of(status.Unread, "unit")} were not read to their end, which takes long; merge "
                + "and the next sweep into the folder read them.");
        }
        if (EmptyCircuits.Of([.. status.Units.Where(u => u.IsEmpty).Select(u => u.Unit)]) is { } empty)
            report.Note(char.ToUpperInvariant(empty[0]) + $"{empty[1..]}.");
        if (silent > 0)
        {
            report.Note("Units without a sign of life were left by processes that ended without a word; whoever works in the folder next "
                + "takes them over.");
        }
        return report;
    }

    private static ReportTableOf<UnitState> Claimed(SweepStatus status) => ReportTable
        .Of("claimed", status.Units.Where(u => u.Claim is not null))
        .Shows("unit", u => u.Unit.Title, right: false)
        .Shows("where", u => Where(u.Claim!), right: false)
        .Shows("for", u => ProgressLines.Text(Positive(status.Now - u.Claim!.Taken)))
        .Shows("done", u => u.Claim!.Done is var (share, stage)
            ? string.Create(CultureInfo.InvariantCulture, $"{share * 100:0} %{(stage.Length > 0 ? $" of {stage}" : "")}")
            : "-")
        .Shows("sign of life", u => u.Kind == UnitStateKind.Silent
            ? $"none for {ProgressLines.Text(Positive(status.Now - u.Claim!.Touched))}"
            : $"{ProgressLines.Text(Positive(status.Now - u.Claim!.Touched))} ago")
        .Shows("saved", u => u.HasSavedState ? "yes" : "no", right: false);

    private static ReportTableOf<UnitState> Broken(SweepStatus status) => ReportTable
        .Of("broken", status.Units.Where(u => u.Kind == UnitStateKind.Failed))
        .Shows("failed unit", u => u.Unit.Title, right: false)
        .Shows("key", u => u.Unit.Key, right: false)
        .Shows("reason", u => u.Failure!.Error, right: false);

    private static ReportTableOf<UnitState> Damaged(SweepStatus status) => ReportTable
        .Of("damaged", status.Units.Where(u => u.Damage is not null))
        .Shows("damaged unit", u => u.Unit.Title, right: false)
        .Shows("what is wrong", u => u.Damage!, right: false);

    private static ReportTableOf<UnitState> All(SweepStatus status) => ReportTable.Of("units", status.Units)
        .Hidden("index", u => u.Unit.Index)
        .Hidden("key", u => u.Unit.Key)
        .Hidden("unit", u => u.Unit.Title)
        .Hidden("state", u => EnumNames.Of(u.Kind))
        .Hidden("host", u => u.Claim?.Host ?? u.Failure?.Host)
        .Hidden("pid", u => u.Claim?.Process)
        .Hidden("seconds", u => u.Claim is { } c ? Positive(status.Now - c.Taken).TotalSeconds : null)
        .Hidden("share", u => u.Claim?.Done?.Share)
        .Hidden("silent_seconds", u => u.Claim is { } c ? Positive(status.Now - c.Touched).TotalSeconds : null)
        .Hidden("saved", u => u.HasSavedState)
        .Hidden("empty", u => u.IsEmpty)
        .Hidden("error", u => u.Failure?.Error ?? u.Damage);

    private static string Where(UnitClaim claim) => claim.Host.Length > 0 ? $"{claim.Host}, process {claim.Process}" : "not yet known";

    private static TimeSpan Positive(TimeSpan time) => time > TimeSpan.Zero ? time : TimeSpan.Zero;
}
