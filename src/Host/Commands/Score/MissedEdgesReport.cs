using System.Globalization;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Statistics;

namespace Gradpath.Host.Commands;

/// <summary>What <c>score --verify</c> found of edges that the ranking may have missed.</summary>
internal static class MissedEdgesReport
{
    private const int MostSuspects = 5;

    private static readonly double[] s_shares = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5];

    /// <summary>Adds it to a report.</summary>
    /// <param name="report">The report.</param>
    /// <param name="missed">What was measured.</param>
    /// <param name="graph">The graph.</param>
    public static void Add(CommandReport report, MissedEdges missed, ComputationGraph graph)
    {
        MissedEdgesOptions o = missed.Options;
        double size = (double)missed.LeftOut.Count * o.Each / o.Checks;
        double largest = missed.Effects.MaxBy(Math.Abs);
        string ablation = EnumNames.Of(o.Evaluation.Ablation);
        report.Plain("");
        report.Line($"verified: {Sizes.Of(o.Checks, "random subset")} of {size.ToString("0.#", CultureInfo.InvariantCulture)} on average "
            + $"of the {Sizes.Of(missed.LeftOut.Count, "edge")} below the strongest {Sizes.Count(o.Found!.Value)}, each edge in {o.Each}; "
            + $"ablation {ablation}, at all positions; seed {o.Seed}",
            ("verify_checks", o.Checks), ("verify_found", o.Found), ("verify_left_out", missed.LeftOut.Count),
            ("verify_subset_size", size), ("verify_each", o.Each), ("verify_ablation", ablation), ("verify_seed", o.Seed));
        report.Line($"largest rise of the loss by a subset: {Sizes.Number(largest)}; by all edges: {Sizes.Number(missed.Gap)}",
            ("verify_largest_effect", largest), ("verify_gap", missed.Gap));
        double share = missed.Limit / Math.Abs(missed.Gap);
        report.Line($"with {Sizes.Percent(o.Level)} confidence no edge below changes the loss by more than {Sizes.Number(missed.Limit)}"
            + (double.IsFinite(share) ? $", {Sizes.Percent(share)} of what all edges do" : ""),
            ("verify_limit", missed.Limit), ("verify_level", o.Level), ("verify_limit_share", share));
        if (double.IsFinite(share))
        {
            report.Table(ReportTable.Of("missed", s_shares.Select(s => (Share: s, Size: s * Math.Abs(missed.Gap))))
                .Share("of what all edges do", "share", r => r.Share)
                .Number("effect", "effect", r => r.Size)
                .Number("p that an edge below does as much", "p_value", r => missed.Screen.PValue(r.Size)));
        }
        IEnumerable<(int Index, SubsetEstimate Estimate)> suspects =
            missed.Screen.Members.Index().OrderByDescending(m => m.Item.Limit(o.Level)).Take(MostSuspects);
        report.Table(ReportTable.Of("suspects", suspects)
            .Text("edge below", "edge", s => graph.EdgeName(missed.LeftOut[s.Index].Row, missed.LeftOut[s.Index].Column))
            .Number("estimate", "estimate", s => s.Estimate.Difference)
            .Number("standard error", "standard_error", s => s.Estimate.StandardError)
            .Number("at most", "limit", s => s.Estimate.Limit(o.Level)));
        report.Note("An edge's effect is the mean change of the loss that it adds to that of a random subset. The edges with the largest "
            + "limits are shown: they are not known to be strong, but least known to be weak.");
    }
}
