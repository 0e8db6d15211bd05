using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Native.Options;

/// <summary>The options of evaluations and curves: those of <c>gradpath evaluate</c> and <c>gradpath curve</c>.</summary>
internal static class EvaluationReader
{
    /// <summary>How circuits are evaluated.</summary>
    /// <param name="o">The options.</param>
    /// <param name="own">The caller's own metric; null for none.</param>
    public static EvaluationOptions Read(OptionObject o, Metric? own) => new()
    {
        Metric = MetricOption.Read(o, own),
        Ablation = o.Value<Ablation>("ablation") ?? Ablation.Patching,
        BatchSize = o.Count("batch-size", 0) ?? 0,
    };

    /// <summary>Which circuits a curve is made of, and how they are evaluated.</summary>
    /// <param name="o">The options.</param>
    /// <param name="own">The caller's own metric; null for none.</param>
    public static SparsityOptions ReadCurve(OptionObject o, Metric? own) => new()
    {
        Fractions = o.Numbers("fractions") ?? SparsityOptions.DefaultFractions,
        Greedy = o.Flag("greedy") ?? false,
        Seed = o.Seed() ?? 0,
        Evaluation = Read(o, own),
    };
}
