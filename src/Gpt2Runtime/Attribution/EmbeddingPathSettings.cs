namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary><see cref="EmbeddingPathOptions"/> with every default in place.</summary>
/// <param name="Objective">The distance that the path descends.</param>
/// <param name="Norm">Over what its gradient is normalised.</param>
/// <param name="Step">The length of a step.</param>
/// <param name="Start">Where it starts.</param>
/// <param name="Outer">What its gradients are multiplied with.</param>
/// <param name="Direction">Where its steps lead.</param>
internal readonly record struct EmbeddingPathSettings(
    EmbeddingPathObjective Objective, EmbeddingPathNorm Norm, EmbeddingPathStep Step, EmbeddingPathStart Start, EmbeddingPathOuter Outer,
    EmbeddingPathDirection Direction)
{
    /// <summary>Whether a step depends on the objective: where it leads, or how far.</summary>
    public bool FollowsObjective => Direction != EmbeddingPathDirection.Line || Step == EmbeddingPathStep.Distance;

    /// <summary>Puts the defaults in place.</summary>
    /// <param name="options">Options; null for all defaults.</param>
    /// <returns>The settings.</returns>
    public static EmbeddingPathSettings Of(EmbeddingPathOptions? options)
    {
        EmbeddingPathObjective objective = options?.Objective ?? EmbeddingPathObjective.ResidualFinal;
        EmbeddingPathNorm norm = options?.Norm ?? EmbeddingPathNorm.Item;

        // Where the objective is no distance of the kind that steps are measured by, the scale-free steps of the published method.
        bool measured = EmbeddingPathObjectiveGradient.HasDistance(objective) && norm == EmbeddingPathNorm.Item;
        EmbeddingPathStep step = options?.Step ?? (measured ? EmbeddingPathStep.Distance : EmbeddingPathStep.Match);
        bool distance = step == EmbeddingPathStep.Distance;
        return new EmbeddingPathSettings(
            objective,
            norm,
            step,
            options?.Start ?? (distance ? EmbeddingPathStart.Auto : EmbeddingPathStart.Clean),
            options?.Outer ?? EmbeddingPathOuter.Delta,
            options?.Direction ?? (distance ? EmbeddingPathDirection.Auto : EmbeddingPathDirection.Gradient));
    }
}
