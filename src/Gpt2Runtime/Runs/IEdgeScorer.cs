using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Runs;

/// <summary>Gives every edge of a model a score. A search that starts from scores is handed one and need not know how it works.</summary>
public interface IEdgeScorer
{
    /// <summary>What result files call it.</summary>
    string Name { get; }

    /// <summary>The metric whose loss is scored; null where the prompt set decides, or where none is computed.</summary>
    Metric? Metric { get; }

    /// <summary>
    /// What the scoring takes, in whole forward passes over the prompts, a backward pass counted as one; NaN where that is not known.
    /// </summary>
    double Passes => double.NaN;

    /// <summary>Scores every edge.</summary>
    /// <param name="model">The model, on the device that computes.</param>
    /// <param name="prompts">The prompt pairs.</param>
    /// <param name="progress">Told how far the run is; may be null.</param>
    /// <param name="cancellation">Stops the run between passes.</param>
    /// <returns>The scores with their provenance.</returns>
    /// <exception cref="GradpathException">An item cannot be used.</exception>
    /// <exception cref="OperationCanceledException">The run was stopped.</exception>
    EdgeScores Score(
        Gpt2Weights model, PromptSet prompts, IProgress<RunProgress>? progress = null, CancellationToken cancellation = default);
}
