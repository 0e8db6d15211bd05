namespace Gradpath.Gpt2Runtime.Metrics;

/// <summary>
/// A metric of one run of one prompt pair: its value, and its derivative by the logits. It must depend on its arguments alone, since it is
/// called more than once for a run: once for the value, and once more where the gradient is wanted. A run calls it from one thread at a
/// time; runs on several devices at once may call it at the same time, each with spans of its own. The spans are good until it returns.
/// What it throws ends the run.
/// </summary>
/// <param name="logits">[vocabulary]: the run's logits at the last position.</param>
/// <param name="cleanLogits">[vocabulary]: the logits of the full model on the clean prompt at the same position.</param>
/// <param name="pair">The prompt pair.</param>
/// <param name="gradient">
/// [vocabulary]: zeros, into which the derivative of the value by <paramref name="logits"/> is to be written; empty where only the value
/// is wanted.
/// </param>
/// <returns>The value.</returns>
public delegate double MetricFunction(
    ReadOnlySpan<float> logits, ReadOnlySpan<float> cleanLogits, PromptPair pair, Span<float> gradient);
