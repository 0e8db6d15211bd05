namespace Gradpath.Host.Sweeps.Merge;

/// <summary>The columns of the table, in their order.</summary>
internal static class SweepColumns
{
    /// <summary>The columns for some rows: those that every table has, and one per option that a method of theirs gives.</summary>
    /// <param name="plan">The plan's name.</param>
    /// <param name="rows">The rows.</param>
    public static IReadOnlyList<SweepColumn> Of(string plan, IReadOnlyList<SweepTableRow> rows)
    {
        IEnumerable<string> options = rows.SelectMany(r => r.Unit.Method.Options).Select(o => o.Option).Distinct()
            .Order(StringComparer.Ordinal);
        return [.. Keys(plan), .. options.Select(Option), .. Settings, .. Sizes, .. Measures, .. OfUnits, .. Provenance];
    }

    /// <summary>The name of an option's column.</summary>
    /// <param name="option">The option, without dashes in front.</param>
    public static string OptionName(string option) => "option_" + option.Replace('-', '_');

    private static SweepColumn Option(string option) =>
        new TextColumn(
            OptionName(option), $"--{option} of the method, as the plan gives it; empty where it does not", r => r.Option(option));

    private static SweepColumn[] Keys(string plan) =>
    [
        new TextColumn("plan", "name of the plan", _ => plan),
        new TextColumn("model", "the model, as the plan calls it", r => r.Unit.Model),
        new TextColumn("model_hash", "SHA-256 of its weights", r => r.Identity("model") ?? r.Made("model_hash")),
        new TextColumn("task", "the prompts that the circuit was found on, as the plan calls them", r => r.Unit.Task.Name),
        new TextColumn("judged_on", "the prompts that judged it: the same, but for rows of kind transfer", r =>
            r.Row is null ? r.Unit.Task.Name : r.Row.JudgedOn),
        new TextColumn("prompts_hash", "SHA-256 of the prompts that it was found on", r => r.Identity("prompts") ?? r.Made("data_hash")),
        new TextColumn("method", "the method", r => r.Unit.Method.Name),
        new TextColumn("setting", "all options that the plan gives it, in one text; empty without any", r => r.Unit.Method.Setting),
        new TextColumn("label", "method and setting, never empty: what to group by", r => r.Unit.Method.Label),
    ];

    private static SweepColumn[] Settings { get; } =
    [
        new CountColumn("seed", "1", "seed of prompts and of all random draws", r => r.Unit.Seed),
        new TextColumn("metric", "the metric, whose unit metric_value, full_metric and empty_metric have", r => r.Unit.Metric),
        new TextColumn("ablation", "what edges outside a circuit carry", r => EnumNames.Of(r.Unit.Ablation)),
        new CountColumn("train_pairs", "prompt pairs", "pairs that the circuit was found on", r => r.Result.TrainPairs),
        new CountColumn("judge_pairs", "prompt pairs", "pairs that judged", r => r.Result.JudgePairs),
    ];

    private static SweepColumn[] Sizes { get; } =
    [
        new TextColumn("kind", "curve: strongest edges by absolute score, pruned; curve-signed: by score; size: pruned circuits that fill "
            + "the size; found: of a search; transfer: size or found on another task's prompts; stability: over drawn data sets; none: "
            + "nothing was measured", r => r.Row?.Kind ?? "none"),
        new NumberColumn("fraction", "share of all edges", "size asked for, where it was a share; of a search what its sparsity leaves",
            r => r.Fraction),
        new CountColumn("edges_asked", "edges", "size asked for: of a curve the edges selected, before pruning; else the most "
            + "that are left after it, or those that a search keeps", r => r.EdgesAsked),
        new CountColumn("edges", "edges", "edges of the circuit", r => r.Row?.Edges),
        new NumberColumn("sparsity", "share of all edges", "share that the circuit lacks", r => r.Row?.Sparsity),
    ];

    private static SweepColumn[] Measures { get; } =
    [
        new NumberColumn("faithfulness", "1", "0 for the ablated model, 1 for the full one; NaN where the two are alike",
            r => r.Row?.Faithfulness),
        new NumberColumn("faithfulness_low", "1", "lower end of its 95 % bootstrap interval over prompt pairs",
            r => r.Row?.FaithfulnessLow),
        new NumberColumn("faithfulness_high", "1", "upper end of it", r => r.Row?.FaithfulnessHigh),
        new NumberColumn("metric_value", "that of the metric", "mean metric of the circuit", r => r.Row?.Metric),
        new NumberColumn("kl_nats", "nats", "mean KL divergence of the circuit from the full model", r => r.Row?.Kl),
        new NumberColumn("accuracy", "share of pairs", "a right answer is above all wrong ones", r => r.Row?.Accuracy),
        new NumberColumn("exact_match", "share of pairs", "the likeliest token is the full model's", r => r.Row?.ExactMatch),
        new NumberColumn("precision", "share of edges", "edges of the circuit that the known circuit has", r => r.Row?.Precision),
        new NumberColumn("recall", "share of edges", "edges of the known circuit that the circuit has", r => r.Row?.Recall),
        new NumberColumn("jaccard", "1", "mean Jaccard index of the edges of two drawn data sets", r => r.Row?.Jaccard),
    ];

    private static SweepColumn[] OfUnits { get; } =
    [
        new NumberColumn("cpr", "1", "area under faithfulness over the plan's fractions, from the first to the last, ranked by score; "
            + "of the unit, in all its rows", r => r.Result.Cpr),
        new NumberColumn("cmd", "1", "area under |1 - faithfulness| over the same, ranked by absolute score; of the unit",
            r => r.Result.Cmd),
        new NumberColumn("spearman", "1", "mean rank correlation of the scores of two drawn data sets; of the unit",
            r => r.Result.Spearman),
        new NumberColumn("full_metric", "that of the metric", "mean metric of the full model; empty on another task's prompts",
            r => r.IsOwn ? r.Result.FullMetric : null),
        new NumberColumn("empty_metric", "that of the metric", "mean metric with all edges ablated; empty on another task's prompts",
            r => r.IsOwn ? r.Result.EmptyMetric : null),
        new CountColumn("graph_edges", "edges", "edges of the model's graph", r => r.Result.GraphEdges),
        new NumberColumn("passes", "forward passes", "work of the method over its pairs, a backward pass counted as one; NaN where it is "
            + "not known; of the unit", r => r.Result.Passes),
        new NumberColumn("seconds", "seconds", "time of the method without loading and judging; of the unit", r => r.Result.Seconds),
        new NumberColumn("judge_seconds", "seconds", "time of judging; of the unit", r => r.Result.JudgeSeconds),
    ];

    private static SweepColumn[] Provenance { get; } =
    [
        new TextColumn("version", "version of gradpath", r => r.Made("version")),
        new TextColumn("device", "the device", r => r.Made("device")),
        new TextColumn("matrix_precision", "precision of matrix products", r => r.Made("precision") ?? r.Identity("precision")),
        new TextColumn("gemm", "who multiplied matrices", r => r.Made("gemm") ?? r.Identity("gemm")),
        new TimeColumn("created", "when the unit was computed", r => r.Created),
        new TextColumn("unit", "key of the unit", r => r.Unit.Key),
    ];
}
