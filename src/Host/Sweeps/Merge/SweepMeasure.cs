namespace Gradpath.Host.Sweeps.Merge;

/// <summary>A measure that is averaged over seeds.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Meaning">What it is, with its unit.</param>
/// <param name="Best">Where the best values lie.</param>
/// <param name="IsShare">Whether values lie between 0 and 1 as a rule, so that three decimals and a shade show them.</param>
internal sealed record SweepMeasure(string Name, string Meaning, BestValue Best, bool IsShare = true)
{
    /// <summary>CMD.</summary>
    public static SweepMeasure Cmd { get; } = new(
        "CMD", "area under |1 - faithfulness| over the share of edges, ranked by absolute score; no unit", BestValue.Smallest);

    /// <summary>CPR.</summary>
    public static SweepMeasure Cpr { get; } = new(
        "CPR", "area under faithfulness over the share of edges, ranked by score; no unit", BestValue.Largest);

    /// <summary>Faithfulness.</summary>
    public static SweepMeasure Faithfulness { get; } = new(
        "faithfulness", "(m(C) - m(empty)) / (m(full) - m(empty)) of the metric m; no unit", BestValue.NearestToOne);

    /// <summary>KL divergence.</summary>
    public static SweepMeasure Kl { get; } = new("KL", "mean KL divergence from the full model, in nats", BestValue.Smallest, false);

    /// <summary>Accuracy.</summary>
    public static SweepMeasure Accuracy { get; } = new(
        "accuracy", "share of prompt pairs on which a right answer is above all wrong ones", BestValue.Largest);

    /// <summary>Exact match.</summary>
    public static SweepMeasure ExactMatch { get; } = new(
        "exact match", "share of prompt pairs on which the likeliest token is the full model's", BestValue.Largest);

    /// <summary>Precision against a known circuit.</summary>
    public static SweepMeasure Precision { get; } = new("precision", "share of the edges that the known circuit has", BestValue.Largest);

    /// <summary>Recall of a known circuit.</summary>
    public static SweepMeasure Recall { get; } = new("recall", "share of the known circuit's edges that were found", BestValue.Largest);

    /// <summary>What a search left out.</summary>
    public static SweepMeasure Sparsity { get; } = new("sparsity", "share of all edges that the circuit lacks", BestValue.None);

    /// <summary>Agreement of the edges of drawn data sets.</summary>
    public static SweepMeasure Stability { get; } = new(
        "stability", "mean Jaccard index of the edges of two drawn data sets; no unit", BestValue.Largest);

    /// <summary>Agreement of the scores of drawn data sets.</summary>
    public static SweepMeasure Spearman { get; } = new(
        "rank correlation", "mean Spearman correlation of the scores of two drawn data sets; no unit", BestValue.Largest);

    /// <summary>Agreement of two methods.</summary>
    public static SweepMeasure Overlap { get; } = new("overlap", "Jaccard index of the edges of two circuits; no unit", BestValue.None);

    /// <summary>A value as grids show it; three decimals, or four and a power of ten where it is small.</summary>
    /// <param name="value">The value.</param>
    public string Format(double value) => IsShare ? Sizes.Ratio(value) : Sizes.Number(value);
}
