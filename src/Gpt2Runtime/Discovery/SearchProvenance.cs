using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>What the provenance of every circuit says that a search has found.</summary>
internal static class SearchProvenance
{
    /// <summary>The common part.</summary>
    /// <param name="search">The search.</param>
    /// <param name="model">The weights of the model, on the device that computes.</param>
    /// <param name="prompts">The prompt pairs.</param>
    /// <param name="options">The options that it ran with.</param>
    /// <param name="batchSize">Prompt pairs per pass.</param>
    /// <param name="metric">The metric that circuits were judged by.</param>
    /// <returns>A provenance made now, without sign and selection.</returns>
    public static Provenance Of(
        CircuitSearch search, Gpt2Weights model, PromptSet prompts, SearchOptions options, int batchSize, Metric metric) =>
        RunProvenance.Of(model, prompts, batchSize) with
        {
            Method = search.Name,
            Metric = metric.Name,
            Options = options.Describe(new ComputationGraph(model.Config)),
            Ablation = CanonicalNames.Of(options.Ablation),
            Seed = (long?)options.Seed,
        };
}
