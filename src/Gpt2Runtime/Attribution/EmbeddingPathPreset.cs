namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>All options of EAP-GP's path under one name.</summary>
/// <param name="Name">The name.</param>
/// <param name="Summary">What they are, in a few words.</param>
/// <param name="Options">The options.</param>
public sealed record EmbeddingPathPreset(string Name, string Summary, EmbeddingPathOptions Options)
{
    /// <summary>The table of presets. The default is none of them: it chooses between the last two pair by pair.</summary>
    public static IReadOnlyList<EmbeddingPathPreset> All { get; } =
    [
        new(
            "published", "unit steps against the gradient of the logits' distance, from the clean embedding",
            EmbeddingPathOptions.Published),
        new("unsaturated", "steps by distance along the line, from the corrupted embedding", new EmbeddingPathOptions
        {
            Step = EmbeddingPathStep.Distance,
            Start = EmbeddingPathStart.Corrupted,
            Direction = EmbeddingPathDirection.Line,
        }),
        new("saturated", "steps by distance halfway between gradient and line, from the clean embedding", new EmbeddingPathOptions
        {
            Step = EmbeddingPathStep.Distance,
            Start = EmbeddingPathStart.Clean,
            Direction = EmbeddingPathDirection.Mixed,
        }),
    ];
}
