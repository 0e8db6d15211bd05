namespace Gradpath.Gpt2Runtime.Runs;

/// <summary>The metric of a batch's two runs, item by item and not negated. Good until the head that made it evaluates again.</summary>
/// <param name="clean">[items]: the clean runs.</param>
/// <param name="corrupted">[items]: the corrupted runs, judged by the clean prompts' answers.</param>
internal readonly ref struct PairMetrics(ReadOnlySpan<double> clean, ReadOnlySpan<double> corrupted)
{
    /// <summary>[items]: the clean runs.</summary>
    public ReadOnlySpan<double> Clean { get; } = clean;

    /// <summary>[items]: the corrupted runs, judged by the clean prompts' answers.</summary>
    public ReadOnlySpan<double> Corrupted { get; } = corrupted;
}
