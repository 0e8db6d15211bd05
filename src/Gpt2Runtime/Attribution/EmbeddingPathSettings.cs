namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary><see cref="EmbeddingPathOptions"/> with every default in place.</summary>
/// <param name="Objective">The distance that the path descends.</param>
/// <param name="Norm">Over what its gradient is normalised.</param>
/// <param name="Step">The length of a step.</param>
/// <param name="Start">Where it starts.</param>
/// <param name="Outer">What its gradients are multiplied with.</param>
internal readonly record struct EmbeddingPathSettings(
    EmbeddingPathObjective Objective, EmbeddingPathNorm Norm, EmbeddingPathStep Step, EmbeddingPathStart Start, EmbeddingPathOuter Outer)
{
    /// <summary>Puts the defaults in place.</summary>
    /// <param name="options">Options; null for all defaults.</param>
    /// <returns>The settings.</returns>
    public static EmbeddingPathSettings Of(EmbeddingPathOptions? options) => new(
        options?.Objective ?? EmbeddingPathObjective.LogitsAll,
        options?.Norm ?? EmbeddingPathNorm.Item,
        options?.Step ?? EmbeddingPathStep.Unit,
        options?.Start ?? EmbeddingPathStart.Clean,
        options?.Outer ?? EmbeddingPathOuter.Delta);
}
