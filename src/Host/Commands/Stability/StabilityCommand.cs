using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Sessions;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath stability</c>: scores per prompt pair in, how far the strongest edges depend on the prompts out.</summary>
internal static class StabilityCommand
{
    public static CommandReport Run(StabilityCommandOptions o, Terminal terminal, CancellationToken cancellation)
    {
        StabilityOptions options = new() { Resamples = o.Resamples, BySign = o.Signed, Part = o.By, Seed = (ulong)(o.Seed ?? 0) };
        if (o.EdgeCounts.Any()) options = options with { Sizes = [.. o.EdgeCounts] };
        if (o.Out is not null && options.Sizes.Count > 1)
            throw new UsageException("--out: a circuit has one size; give --sizes one number.");
        using ItemScoresFile file = ItemScoresFile.Open(o.PerItem);
        foreach (int size in options.Sizes.Where(s => s > file.Edges.Count))
        {
            throw new UsageException(
                $"--sizes {size}: {o.PerItem} has scores of {Sizes.Of(file.Edges.Count, "edge")}; give at most so many.");
        }
        Stability stability = Measure(o, file, options, cancellation);
        cancellation.ThrowIfCancellationRequested();
        if (o.Out is not null && stability.Sizes[0].Core == 0) terminal.Warn("the core has no edges: the data sets agree on none");
        JsonObject made = file.Provenance?.ToJson() ?? [];
        if (o.Out is not null) Core(stability, options).Save(o.Out);
        if (o.Table is not null) StabilityCsv.Write(o.Table, stability, options);
        if (o.Picture is not null)
            AtomicFile.Write(o.Picture, StabilityPicture.Draw(stability, $"Stability of the strongest edges of {o.PerItem}"));

        CommandReport report = new() { Provenance = made };
        Describe(report, o, file, stability, options);
        report.File("core", o.Out);
        report.File("table", o.Table);
        report.File("picture", o.Picture);
        return report;
    }

    // A file of a single pair is the file's fault; labels without the part that is asked for are named with the option.
    private static Stability Measure(
        StabilityCommandOptions o, ItemScoresFile file, StabilityOptions options, CancellationToken cancellation)
    {
        try
        {
            return OptionChecks.TakeFrom(o.PerItem, () => Stability.Measure(file, options, cancellation));
        }
        catch (GradpathException e) when (e.InnerException is OptionException option)
        {
            throw new UsageException($"{option.Describe(OptionNames.Of)} ({o.PerItem}).");
        }
    }

    /// <summary>The group that an edge belongs to by its inclusion.</summary>
    public static string Group(double inclusion, StabilityOptions options) =>
        inclusion >= options.Core ? "core" : inclusion >= options.Noise ? "contingent" : inclusion > 0 ? "noise" : "never";

    private static Circuit Core(Stability stability, StabilityOptions options)
    {
        Circuit core = stability.Consensus(0, options.Core);
        return core.With((core.Provenance ?? new Provenance()) with
        {
            Selection = new JsonObject
            {
                ["select"] = "stability",
                ["value"] = options.Sizes[0],
                ["signed"] = options.BySign,
                ["pruned"] = false,
                ["filled"] = false,
                ["share"] = options.Core,
                ["resamples"] = options.Resamples,
                ["by"] = options.Part,
                ["seed"] = options.Seed,
            },
        });
    }

    private static void Describe(
        CommandReport report, StabilityCommandOptions o, ItemScoresFile file, Stability stability, StabilityOptions options)
    {
        string groups = o.By is null ? "" : $" in {Sizes.Of(stability.Groups, "group")} by {o.By}, drawn whole";
        report.Line($"{Sizes.Of(options.Resamples, "data set")} drawn from {Sizes.Of(file.Items, "prompt pair")} of {o.PerItem}{groups}; "
            + $"ranked by {(options.BySign ? "score" : "|score|")}; seed {options.Seed}",
            ("per_item", o.PerItem), ("resamples", options.Resamples), ("items", file.Items), ("signed", options.BySign),
            ("by", o.By), ("groups", stability.Groups),
            ("seed", options.Seed), ("n_edges", file.Edges.Count));
        string over = file.Edges.Count == file.Graph.EdgeCount ? "all edges" : $"the {Sizes.Of(file.Edges.Count, "edge")} of the file";
        report.Line($"mean rank correlation of two data sets over {over} (Spearman): {Sizes.Number(stability.Spearman)}",
            ("spearman", stability.Spearman));
        report.Table(ReportTable.Of("sizes", stability.Sizes)
            .Count("edges", "edges", s => s.Edges)
            .Number("Jaccard of two data sets", "jaccard", s => s.Jaccard)
            .Number("Jaccard with all prompts", "jaccard_to_all", s => s.JaccardToAll)
            .Count("core", "core", s => s.Core)
            .Count("contingent", "contingent", s => s.Contingent)
            .Count("noise", "noise", s => s.Noise));
        report.Note("Of the data sets, at least 90 % have an edge of the core among their strongest, 10 to 90 % one that is contingent, "
            + "and fewer one that is noise.");
        ReportTableOf<StabilityEdge> table = ReportTable.Of("edges", stability.Edges.Take(o.Top))
            .Text("edge", "edge", e => file.Graph.EdgeName(e.Row, e.Column))
            .Number("mean score", "score", e => e.Score)
            .Count("rank", "rank", e => e.Rank)
            .Shows("95 % of ranks", e => $"{Sizes.Count(e.LowRank)} to {Sizes.Count(e.HighRank)}")
            .Hidden("rank_low", e => e.LowRank)
            .Hidden("rank_high", e => e.HighRank)
            .Hidden("inclusion", e => e.Inclusion);
        for (int s = 0; s < options.Sizes.Count; s++)
        {
            int size = s;
            table.Shows($"among {options.Sizes[size]}", e => Sizes.Percent(e.Inclusion[size]));
        }
        if (o.Top > 0) report.Table(table);
    }
}
