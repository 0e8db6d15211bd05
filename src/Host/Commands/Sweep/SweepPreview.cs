using System.Diagnostics;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Host.Sweeps.Plan;
using Gradpath.Host.Sweeps.Store;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Commands;

/// <summary>What <c>gradpath sweep --check</c> says: the units, their work, and about how long they take on this machine.</summary>
internal static class SweepPreview
{
    private const int Sample = 64;

    /// <summary>Lists the units. The time is estimated from a few pairs that EAP-IG scores.</summary>
    /// <param name="start">The sweep.</param>
    /// <param name="session">The plan with its models and prompts.</param>
    /// <param name="cancellation">Stops the work.</param>
    public static CommandReport Report(SweepStart start, SweepSession session, CancellationToken cancellation)
    {
        IReadOnlyList<SweepUnit> all = SweepExpansion.Units(session, cancellation), own = start.Shard?.Of(all) ?? all;
        SweepPlan plan = start.Plan;
        double perSecond = Speed(session, all.First(u => u.Identity["prompts"] is not null), cancellation);
        SweepFolder? begun = start.Begun(all);
        SweepStatus? status = begun is null ? null : SweepStatus.Of(
            new SweepFolder(begun.Path, begun.Plan, begun.PlanHash, all), own.Select(u => u.Key).ToHashSet(StringComparer.Ordinal));
        Dictionary<string, UnitStateKind> states = status?.Units.ToDictionary(u => u.Unit.Key, u => u.Kind) ?? [];
        int Count(UnitStateKind kind) => own.Count(u => states.GetValueOrDefault(u.Key) == kind);
        int has = Count(UnitStateKind.Done), not = Count(UnitStateKind.Failed), bad = Count(UnitStateKind.Damaged);
        SweepUnit[] left =
            [.. own.Where(u => states.GetValueOrDefault(u.Key) is not (UnitStateKind.Done or UnitStateKind.Failed))];
        double seconds = status?.Left?.TotalSeconds ?? left.Sum(u => u.Cost) / perSecond;
        string evaluations = string.Join(", ", SweepExpansion.Flags(plan.Evaluate));
        CommandReport report = new() { Provenance = SweepProvenance.Now() };
        report.Line(
            $"plan {plan.Name}: {Sizes.Of(all.Count, "unit")}: {Sizes.Of(plan.Models.Count, "model")} x "
                + $"{Sizes.Of(plan.Tasks.Count, "task")} x {Sizes.Of(plan.Methods.Count, "method")} x "
                + $"{Sizes.Of(plan.Seeds.Count, "seed")} x {Sizes.Of(plan.Metrics.Count, "metric")} x "
                + Sizes.Of(plan.Ablations.Count, "ablation"),
            ("name", plan.Name), ("units", all.Count), ("methods", plan.Methods.Count));
        if (start.Shard is { } shard) report.Line($"shard {shard}: {Sizes.Of(own.Count, "unit")}", ("shard_units", own.Count));
        if (start.Shard?.Empty(own, all) is { } empty) report.Note(empty);
        string judge = plan.Judge == 0 ? "the same" : $"{plan.Judge} others";
        report.Plain($"{Sizes.Of(plan.Train, "prompt pair")} to find circuits on, {judge} to judge; "
            + (evaluations.Length == 0 ? "nothing is judged" : evaluations));
        foreach (string task in all.Where(u => u.Identity["prompts"] is null).Select(u => u.Task.Name).Distinct())
            report.Note($"The prompts of {task} cannot be used, so that its units will fail: {Refusal(session, all, task, cancellation)}");
        report.Table(ReportTable.Of("methods", own.GroupBy(u => u.Method.Label))
            .Text("method", "method", g => g.Key)
            .Count("units", "units", g => g.Count())
            .Column("passes per pair", "passes", g => Passes(session, g.First()),
                g => Passes(session, g.First()) is var p && double.IsNaN(p) ? "-" : Sizes.Number(p))
            .Share("share of the work", "share", g => g.Sum(u => u.Cost) / Math.Max(double.Epsilon, own.Sum(u => u.Cost))));
        report.Data(ReportTable.Of("units", own)
            .Hidden("key", u => u.Key)
            .Hidden("unit", u => u.Title)
            .Hidden("cost", u => u.Cost));
        if (begun is not null)
        {
            string retry = not == 0 ? "" : $" ('gradpath sweep retry {begun.Path}' forgets failures)";
            string damaged = bad == 0 ? "" : $", {Sizes.Count(bad)} of them damaged";
            report.Line(
                $"{begun.Path}: {Sizes.Count(has)} of {Sizes.Of(own.Count, "unit")} done, {Sizes.Count(not)} failed{retry}, "
                    + $"{Sizes.Count(left.Length)} left{damaged}",
                ("done", has), ("failed", not), ("damaged", bad), ("left", left.Length));
        }
        string what = begun is null ? "" : $" for {Sizes.Of(left.Length, "unit")}";
        string how = status?.Left is null ? $"one process on {session.Device.Name}, from the time of EAP-IG on {Sample} pairs"
            : $"{Sizes.Of(Math.Max(1, status.Count(UnitStateKind.Running)), "process", "processes")}, from the times of units that are "
                + "done";
        report.Line(
            $"about {ProgressLines.Text(TimeSpan.FromSeconds(seconds))}{what} in {how}; no unit was run",
            ("seconds", Math.Round(seconds, 1)));
        return report;
    }

    private static double Passes(SweepSession session, SweepUnit unit) =>
        UnitCost.Passes(session.Checkpoint(unit.Model, CancellationToken.None).Config, unit.Method, session.Plan.Train);

    private static string Refusal(
        SweepSession session, IReadOnlyList<SweepUnit> all, string task, CancellationToken cancellation)
    {
        try
        {
            session.Prompts(all.First(u => u.Identity["prompts"] is null && u.Task.Name == task), cancellation);
            return "they were refused, and are not any more";
        }
        catch (GradpathException e)
        {
            return e.Describe(OptionNames.Of);
        }
    }

    private static double Speed(SweepSession session, SweepUnit unit, CancellationToken cancellation)
    {
        PromptSet all = session.Prompts(unit, cancellation).Find;
        PromptSet few = all with { Pairs = [.. all.Pairs.Take(Sample)] };
        var model = session.Weights(unit.Model, cancellation);
        AttributionOptions sample = new() { Method = AttributionMethods.EapIg };
        double best = double.PositiveInfinity;
        for (int i = 0; i < 3; i++)
        {
            long before = Stopwatch.GetTimestamp();
            EdgeAttribution.Run(model, few, sample, cancellation: cancellation);
            best = Math.Min(best, Stopwatch.GetElapsedTime(before).TotalSeconds);
        }
        return sample.Method.Scorer(sample).Passes * UnitCost.Pass(model.Config, few) / best;
    }
}
