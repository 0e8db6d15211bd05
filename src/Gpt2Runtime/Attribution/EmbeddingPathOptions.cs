namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>The embedding path of <see cref="AttributionMethods.EapGp"/>. What is null has its default.</summary>
public sealed record EmbeddingPathOptions
{
    /// <summary>The distance that the path descends; <see cref="EmbeddingPathObjective.LogitsAll"/> by default.</summary>
    public EmbeddingPathObjective? Objective { get; init; }

    /// <summary>Over what its gradient is normalised; <see cref="EmbeddingPathNorm.Item"/> by default.</summary>
    public EmbeddingPathNorm? Norm { get; init; }

    /// <summary>The length of a step; <see cref="EmbeddingPathStep.Unit"/> by default.</summary>
    public EmbeddingPathStep? Step { get; init; }

    /// <summary>Where it starts; <see cref="EmbeddingPathStart.Clean"/> by default.</summary>
    public EmbeddingPathStart? Start { get; init; }

    /// <summary>What its gradients are multiplied with; <see cref="EmbeddingPathOuter.Delta"/> by default.</summary>
    public EmbeddingPathOuter? Outer { get; init; }
}
