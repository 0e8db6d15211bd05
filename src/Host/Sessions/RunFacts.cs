using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Host.Sessions;

/// <summary>What reports say of a run: where, how it was cut into batches, how long it took.</summary>
internal static class RunFacts
{
    /// <summary>The device and the memory in use; what a result's provenance states is said in words alone.</summary>
    public static void Device(CommandReport report, Provenance p, long peakBytes) => report.Line(
        $"device: {p.Device}, {p.Precision}, batch of {p.BatchSize}, at most {Sizes.Bytes(peakBytes)} in use", ("peak_bytes", peakBytes));

    /// <summary>The batches; nothing where there is no plan.</summary>
    public static void Plan(CommandReport report, BatchSummary? plan)
    {
        if (plan is null) return;
        report.Line(Sizes.Plan(plan), ("plan", new JsonObject
        {
            ["batches"] = plan.Batches,
            ["pairs"] = plan.Size,
            ["positions"] = plan.Positions,
            ["shared_positions"] = plan.SharedPositions,
            ["workspace_bytes"] = plan.PlannedBytes,
            ["budget_bytes"] = plan.Budget,
        }));
    }

    /// <summary>The time of each stage.</summary>
    public static void Time(CommandReport report, StageClock clock, string before = "") =>
        report.Line($"{before}time: {clock}", ("seconds", clock.ToJson()));
}
