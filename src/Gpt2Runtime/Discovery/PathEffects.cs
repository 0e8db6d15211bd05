using System.Collections.Immutable;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>What path patching gives.</summary>
/// <param name="CleanMetric">Mean metric of the model on the clean prompts.</param>
/// <param name="Effects">
/// Per query and sender the mean over prompts of the patched run's metric minus the clean run's; NaN where a sender feeds none of the
/// receivers.
/// </param>
/// <param name="BatchSize">Prompt pairs per pass.</param>
/// <param name="PeakDeviceBytes">The most memory that was in use on the device, weights included.</param>
public sealed record PathEffects(double CleanMetric, IReadOnlyList<ImmutableArray<double>> Effects, int BatchSize, long PeakDeviceBytes);
