using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Discovery;

namespace Gradpath.Host.Comparison;

/// <summary>
/// Work in whole forward passes over all prompts. A backward pass counts as one: it makes as many products, because weights have no
/// gradients here.
/// </summary>
internal static class PassCount
{
    /// <summary>The clean and the corrupted run, which every search begins with.</summary>
    public const int References = 2;

    /// <summary>Scoring, as the README's table of methods has it; NaN for methods whose passes are parts of passes.</summary>
    public static double OfScoring(AttributionOptions o) => o.Method switch
    {
        AttributionMethod.Eap => 3,
        AttributionMethod.EapIg => (o.IgPoints == IgPoints.Midpoint ? 2 : 1) + (2 * o.Steps),
        AttributionMethod.CleanCorrupted => 4,
        AttributionMethod.EapGp => 2 + (3 * o.Steps),
        AttributionMethod.InformationFlowRoutes => 1,
        AttributionMethod.Magnitude => 2,
        AttributionMethod.Random => 0,
        _ => double.NaN,
    };

    /// <summary>Training of masks, by its multiply-adds: a step is forwards and backwards through what has masks, and the mixing.</summary>
    public static double OfTraining(EdgePruningResult result, Gpt2Config config, int pairs)
    {
        double layer = (4.0 * config.Width * config.Width) + (2.0 * config.Width * config.InnerWidth);
        int batches = (pairs + result.Options.BatchSize - 1) / result.Options.BatchSize;
        return References + (result.Options.Steps / (double)batches * result.WorkPerRow / (config.Layers * layer));
    }
}
