using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>Scores every edge of a model on a set of prompt pairs.</summary>
public static class EdgeAttribution
{
    /// <summary>Scores every edge.</summary>
    /// <param name="model">The model, on the device that computes.</param>
    /// <param name="pairs">Items; within one both prompts have the same length.</param>
    /// <param name="options">Method and its settings.</param>
    /// <param name="progress">Told after each batch; may be null.</param>
    /// <param name="cancellation">Stops the run between batches.</param>
    /// <returns>The scores.</returns>
    /// <exception cref="GradpathException">An item or option cannot be used.</exception>
    public static AttributionResult Score(
        Gpt2Weights model,
        IReadOnlyList<PromptPair> pairs,
        AttributionOptions options,
        IProgress<AttributionProgress>? progress = null,
        CancellationToken cancellation = default) => throw new NotSupportedException("scoring is not built yet");
}
