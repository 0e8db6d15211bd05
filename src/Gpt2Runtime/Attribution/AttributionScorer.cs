using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>A method with its settings as a scorer.</summary>
internal sealed class AttributionScorer : IEdgeScorer
{
    private readonly AttributionOptions _options;

    /// <summary>Makes a scorer.</summary>
    /// <param name="options">Method and settings.</param>
    /// <exception cref="OptionException">An option does not apply to the method or cannot be used.</exception>
    public AttributionScorer(AttributionOptions options)
    {
        AttributionChecks.CheckOptions(options);
        _options = options;
    }

    /// <inheritdoc />
    public string Name => _options.Method.Name;

    /// <inheritdoc />
    public Metric? Metric => _options.Metric;

    /// <inheritdoc />
    public double Passes => _options.Method.CountPasses(_options) is { } passes ? passes.Forward + passes.Backward : double.NaN;

    /// <inheritdoc />
    public EdgeScores Score(Gpt2Weights model, PromptSet prompts, IProgress<RunProgress>? progress, CancellationToken cancellation) =>
        EdgeAttribution.Score(model, prompts, _options, progress, cancellation);
}
