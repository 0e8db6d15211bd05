using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Host.Sessions;

/// <summary>Scores with progress.</summary>
internal static class Scoring
{
    /// <summary>Runs one method.</summary>
    public static AttributionResult Run(
        Gpt2Weights model, PromptSet prompts, AttributionOptions options, Terminal terminal, CancellationToken cancellation)
    {
        AttributionResult result = ScoringProgress.Run(
            terminal, options.Method.Name, progress => EdgeAttribution.Run(model, prompts, options, progress, cancellation));
        cancellation.ThrowIfCancellationRequested();
        return result;
    }
}
