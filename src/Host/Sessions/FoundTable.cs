using System.Globalization;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Host.Sessions;

/// <summary>The table of circuits that searches have found.</summary>
internal static class FoundTable
{
    /// <summary>Adds circuits with their KL, metric and time to a report.</summary>
    /// <param name="report">The report.</param>
    /// <param name="session">Model and prompts.</param>
    /// <param name="evaluation">The circuits' evaluation.</param>
    /// <param name="rows">The circuits, with the time of the run that gave each; steps where something is trained.</param>
    /// <param name="judgedOn">Which prompts these are: "... the prompts that".</param>
    /// <param name="resumed">Whether the run went on from an earlier one.</param>
    public static void Add(
        CommandReport report,
        EvaluationSession session,
        EvaluationResult evaluation,
        IReadOnlyList<(string Name, Circuit Circuit, int? Steps, TimeSpan Time)> rows,
        string judgedOn,
        bool resumed)
    {
        var found = rows.Zip(evaluation.Circuits, (r, o) => (r.Name, r.Circuit, r.Steps, r.Time, Outcome: o));
        report.Table(ReportTable.Of("circuits", found)
            .Text("", "method", r => r.Name)
            .Count("edges", "edges", r => r.Circuit.EdgeCount)
            .Share("sparsity", "sparsity", r => 1 - (r.Circuit.EdgeCount / (double)r.Circuit.Graph.EdgeCount))
            .Number("KL", "kl", r => r.Outcome.MeanKl)
            .Number(session.Metric.Name, "metric", r => r.Outcome.MeanMetric)
            .Number("faithfulness", "faithfulness", r => Faithfulness.Of(evaluation.Full, r.Outcome, evaluation.Empty))
            .Share("exact match", "exact_match", r => r.Outcome.ExactMatchRate)
            .Column("steps", "steps", r => r.Steps, r => r.Steps is { } steps ? Sizes.Count(steps) : "-")
            .Column("time", "seconds", r => r.Time.TotalSeconds,
                r => r.Time.TotalSeconds.ToString("0.0 s", CultureInfo.InvariantCulture)));
        report.Line(
            $"KL of the empty circuit: {Sizes.Number(evaluation.Empty.MeanKl)}; judged on the prompts that {judgedOn}",
            ("kl_empty", evaluation.Empty.MeanKl));
        if (resumed) report.Note("time: of this run, which went on from one that was stopped");
    }

    /// <summary>Says which of several draws of masks was kept, and what each gave.</summary>
    /// <param name="report">The report.</param>
    /// <param name="kl">The circuits' KL on the prompts trained on; empty where masks were drawn once.</param>
    public static void AddDraws(CommandReport report, IReadOnlyList<double> kl)
    {
        if (kl.Count == 0) return;
        int kept = Enumerable.Range(0, kl.Count).MinBy(i => kl[i]);
        report.Plain($"draws of the masks: KL {string.Join(", ", kl.Select(k => Sizes.Number(k)))}; kept number {kept + 1}");
        report.Data(ReportTable.Of("draws", kl.Select((k, i) => (Draw: i + 1, Kl: k, Kept: i == kept)))
            .Hidden("draw", d => d.Draw)
            .Hidden("kl", d => d.Kl)
            .Hidden("kept", d => d.Kept));
    }
}
