namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>One point of one item's path of the token embedding.</summary>
/// <param name="Item">Index of the item in the prompt set.</param>
/// <param name="Step">Index of the point, 0 for the path's start.</param>
/// <param name="Metric">The metric at the point (not negated).</param>
/// <param name="GradientNorm">Norm of the metric's gradient at the token embedding, over positions and D.</param>
/// <param name="OutputDistance">Distance of the logits at all real positions from the target run's: the corrupted run's, unless the path
/// starts there.</param>
/// <param name="FromClean">Distance of the point from the clean token embedding.</param>
/// <param name="FromCorrupted">Distance of the point from the corrupted token embedding.</param>
/// <param name="Start">At which prompt's embedding the item's path starts, clean or corrupted; null where a file does not say.</param>
public readonly record struct EmbeddingPathPoint(
    int Item, int Step, double Metric, double GradientNorm, double OutputDistance, double FromClean, double FromCorrupted,
    EmbeddingPathStart? Start = null);
