using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Positions;
using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>
/// Everything that decides what scores come out. What is null has its default. An option that the method does not read is refused.
/// </summary>
public sealed record AttributionOptions
{
    /// <summary>The method.</summary>
    public AttributionMethod Method { get; init; } = AttributionMethods.EapIg;

    /// <summary>The metric, whose loss is attributed; by default the prompt set's own.</summary>
    public Metric? Metric { get; init; }

    /// <summary>Number of gradient points m or k; 5 by default.</summary>
    public int? Steps { get; init; }

    /// <summary>What replaces a writer's output; <see cref="Runs.Ablation.Patching"/> by default.</summary>
    public Ablation? Ablation { get; init; }

    /// <summary>Where EAP-IG takes gradients; <see cref="IgPoints.Left"/> by default.</summary>
    public IgPoints? IgPoints { get; init; }

    /// <summary>The embedding path of EAP-GP.</summary>
    public EmbeddingPathOptions? EmbeddingPath { get; init; }

    /// <summary>How items are weighted.</summary>
    public ScoreNormalization Normalization { get; init; } = ScoreNormalization.Item;

    /// <summary>
    /// Prompt pairs per batch; 0 picks the number by the memory at hand. <see cref="ScoreNormalization.Library"/> and
    /// <see cref="EmbeddingPathNorm.Batch"/> depend on it, so that it must not be 0 with them.
    /// </summary>
    public int BatchSize { get; init; }

    /// <summary>Seed of a method that draws random numbers; 0 by default.</summary>
    public ulong? Seed { get; init; }

    /// <summary>Record metric, gradient norm and output distance at every point of the token embedding's path.</summary>
    public bool RecordPath { get; init; }

    /// <summary>
    /// What tells positions apart, so that edges between spans have scores (<see cref="AttributionResult.Positional"/>); null for scores
    /// of edges alone.
    /// </summary>
    public PositionMode? Positions { get; init; }

    /// <summary>
    /// The settings that the method reads beside metric, ablation and seed, as <see cref="Graph.Provenance.Options"/> has them.
    /// </summary>
    /// <returns>Names as options have them, with their values; defaults are in place.</returns>
    public JsonObject Describe() => ScoreProvenance.Describe(ScoringSettings.Of(this));
}
