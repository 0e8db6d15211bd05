namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>The embedding path of <see cref="AttributionMethods.EapGp"/>. What is null has its default.</summary>
public sealed record EmbeddingPathOptions
{
    /// <summary>
    /// EAP-GP as published (arXiv 2502.06852, as two public re-implementations read it): unit steps against the gradient of the logits'
    /// distance at all positions, from the clean embedding.
    /// </summary>
    public static EmbeddingPathOptions Published { get; } = new()
    {
        Objective = EmbeddingPathObjective.LogitsAll,
        Norm = EmbeddingPathNorm.Item,
        Step = EmbeddingPathStep.Unit,
        Start = EmbeddingPathStart.Clean,
        Outer = EmbeddingPathOuter.Delta,
        Direction = EmbeddingPathDirection.Gradient,
    };

    /// <summary>The distance that the path descends; <see cref="EmbeddingPathObjective.ResidualFinal"/> by default.</summary>
    public EmbeddingPathObjective? Objective { get; init; }

    /// <summary>Over what its gradient is normalised; <see cref="EmbeddingPathNorm.Item"/> by default.</summary>
    public EmbeddingPathNorm? Norm { get; init; }

    /// <summary>The length of a step; <see cref="EmbeddingPathStep.Distance"/> by default, <see cref="EmbeddingPathStep.Match"/>
    /// with objectives that are no distance at all positions, and with one norm over the batch.</summary>
    public EmbeddingPathStep? Step { get; init; }

    /// <summary>Where it starts; <see cref="EmbeddingPathStart.Auto"/> by default with steps by distance, else
    /// <see cref="EmbeddingPathStart.Clean"/>.</summary>
    public EmbeddingPathStart? Start { get; init; }

    /// <summary>What its gradients are multiplied with; <see cref="EmbeddingPathOuter.Delta"/> by default.</summary>
    public EmbeddingPathOuter? Outer { get; init; }

    /// <summary>Where its steps lead; <see cref="EmbeddingPathDirection.Auto"/> by default with steps by distance, else
    /// <see cref="EmbeddingPathDirection.Gradient"/>.</summary>
    public EmbeddingPathDirection? Direction { get; init; }

    /// <summary>These options, with another's in place of what is null here.</summary>
    /// <param name="preset">The other ones.</param>
    /// <returns>The options.</returns>
    internal EmbeddingPathOptions Or(EmbeddingPathOptions preset) => new()
    {
        Objective = Objective ?? preset.Objective,
        Norm = Norm ?? preset.Norm,
        Step = Step ?? preset.Step,
        Start = Start ?? preset.Start,
        Outer = Outer ?? preset.Outer,
        Direction = Direction ?? preset.Direction,
    };
}
