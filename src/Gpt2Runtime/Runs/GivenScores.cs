using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Runs;

/// <summary>Scores that are there already as a scorer: nothing is computed.</summary>
public sealed class GivenScores : IEdgeScorer
{
    private readonly EdgeScores _scores;

    /// <summary>Takes scores.</summary>
    /// <param name="scores">The scores.</param>
    /// <param name="name">What result files call them; null for the method that their provenance states.</param>
    public GivenScores(EdgeScores scores, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(scores);
        _scores = scores;
        Name = name ?? scores.Provenance?.Method ?? "scores";
    }

    /// <inheritdoc />
    public string Name { get; }

    /// <summary>Null: the scores' provenance states their metric.</summary>
    public Metric? Metric => null;

    /// <inheritdoc />
    public double Passes { get; init; } = double.NaN;

    /// <summary>The scores.</summary>
    /// <param name="model">The model, which the scores must fit.</param>
    /// <param name="prompts">Not read.</param>
    /// <param name="progress">Not told anything.</param>
    /// <param name="cancellation">Not asked.</param>
    /// <returns>The scores.</returns>
    /// <exception cref="GradpathException">They belong to a model of another shape.</exception>
    public EdgeScores Score(
        Gpt2Weights model, PromptSet prompts, IProgress<RunProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(prompts);
        _scores.RequireModel(model.Config, Name);
        return _scores;
    }
}
