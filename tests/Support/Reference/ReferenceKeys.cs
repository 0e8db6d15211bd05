using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Tests.Support.Goldens;

namespace Gradpath.Tests.Support.Reference;

/// <summary>The meaning of golden keys as options of the reference.</summary>
internal static class ReferenceKeys
{
    /// <summary>Options of a key of scores.json or path.json.</summary>
    public static ReferenceOptions Options(GoldenKey key) => new()
    {
        Method = AttributionMethods.Find(key.Method == "EAP-GP-fork" ? "EAP-GP" : key.Method),
        Metric = key.Metric == "kl" ? BuiltInMetrics.KlDivergence : BuiltInMetrics.LogitDifference,
        Steps = int.Parse(key.Option("k", key.Option("m", "5")), provider: null),
        Ablation = Ablation(key.Option("intervention", "patching")),
        Objective = key.Option("objective", "logits_all") switch
        {
            "logits_all" => ReferenceObjective.LogitsAll,
            "logits_last" => ReferenceObjective.LogitsLast,
            "probs_last" => ReferenceObjective.ProbabilitiesLast,
            "residual_final" => ReferenceObjective.ResidualFinal,
            "residual_final_last" => ReferenceObjective.ResidualFinalLast,
            "metric" => ReferenceObjective.Metric,
            _ => throw new ArgumentException($"objective of {key}"),
        },
        Start = key.Option("start", "clean") == "clean" ? ReferenceStart.Clean : ReferenceStart.Corrupted,
        Eta = key.Option("eta", "1") == "match" ? ReferenceEta.Match : ReferenceEta.One,
        Outer = key.Option("outer", "delta") == "path" ? ReferenceOuter.Path : ReferenceOuter.Delta,
        Normalization = key.LibraryBatchSize is null ? ReferenceNormalization.PerItemMean : ReferenceNormalization.Library,
        BatchSize = key.LibraryBatchSize ?? 1,
        UndefinedFlow = key.Normalization == "per_item_mean_zero_filled" ? 0 : double.NaN,
    };

    public static ReferenceAblation Ablation(string intervention) => intervention switch
    {
        "patching" => ReferenceAblation.Patching,
        "zero" => ReferenceAblation.Zero,
        "mean-positional" => ReferenceAblation.MeanPositional,
        _ => throw new ArgumentException($"intervention {intervention}"),
    };

    /// <summary>The model that a key speaks of: with <c>fold_value_biases</c> the value biases sit in b_O.</summary>
    public static ReferenceModel Model(GoldenKey key, ReferenceModel model) =>
        key.Options.ContainsKey("fold_value_biases") ? model.WithFoldedValueBiases() : model;
}
