using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Positions;
using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>
/// <see cref="AttributionOptions"/> with every default in place, as scorers read them. What the method does not read has a value all the
/// same.
/// </summary>
/// <param name="Method">The method.</param>
/// <param name="Metric">The metric.</param>
/// <param name="Steps">Number of gradient points.</param>
/// <param name="Ablation">What replaces a writer.</param>
/// <param name="IgPoints">Where EAP-IG takes gradients.</param>
/// <param name="Path">The embedding path.</param>
/// <param name="Normalization">How items are weighted.</param>
/// <param name="BatchSize">Prompt pairs per batch; 0 where the memory decides.</param>
/// <param name="Seed">Seed of random numbers.</param>
/// <param name="RecordPath">Whether the path of the token embedding is recorded.</param>
/// <param name="Positions">What tells positions apart; null for nothing.</param>
/// <param name="Hooks">What tests and measurements change.</param>
internal sealed record ScoringSettings(
    AttributionMethod Method,
    Metric Metric,
    int Steps,
    Ablation Ablation,
    IgPoints IgPoints,
    EmbeddingPathSettings Path,
    ScoreNormalization Normalization,
    int BatchSize,
    ulong Seed,
    bool RecordPath,
    PositionMode? Positions,
    ScoringHooks Hooks)
{
    private const int DefaultSteps = 5;

    /// <summary>Puts the defaults in place.</summary>
    /// <param name="options">Options that <see cref="AttributionChecks"/> has passed.</param>
    /// <param name="metric">The metric where the options name none; null for the logit difference.</param>
    /// <param name="hooks">What tests and measurements change; null for nothing.</param>
    /// <returns>The settings.</returns>
    public static ScoringSettings Of(
        AttributionOptions options, Metric? metric = null, ScoringHooks? hooks = null) => new(
        options.Method,
        options.Metric ?? metric ?? BuiltInMetrics.LogitDifference,
        options.Steps ?? DefaultSteps,
        options.Ablation ?? Ablation.Patching,
        options.IgPoints ?? IgPoints.Left,
        EmbeddingPathSettings.Of(options.EmbeddingPath),
        options.Normalization,
        options.BatchSize,
        options.Seed ?? 0,
        options.RecordPath,
        options.Positions,
        hooks ?? ScoringHooks.None);
}
