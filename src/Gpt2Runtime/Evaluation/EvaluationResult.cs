using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>How circuits are evaluated.</summary>
public sealed record EvaluationOptions
{
    /// <summary>The metric.</summary>
    public TaskMetric Metric { get; init; } = TaskMetric.LogitDifference;

    /// <summary>What edges outside a circuit carry.</summary>
    public Ablation Ablation { get; init; } = Ablation.Patching;

    /// <summary>Prompt pairs per batch; 0 picks the number by the memory at hand.</summary>
    public int BatchSize { get; init; }

    /// <summary>Run every position, also those before the first difference of a pair; to compare with and to measure against.</summary>
    internal bool WholePrompts { get; init; }
}

/// <summary>What one circuit makes of the prompts, per item in the order given.</summary>
/// <param name="Metric">The metric (not negated).</param>
/// <param name="Kl">KL(full model || circuit) at the answer position, summed over the vocabulary.</param>
/// <param name="ExactMatch">Whether the circuit's most probable token is the full model's.</param>
/// <param name="Accurate">Whether the answers win: the metric is above 0, or, for KL, the most probable token is an answer.</param>
public sealed record CircuitOutcome(double[] Metric, double[] Kl, bool[] ExactMatch, bool[] Accurate)
{
    /// <summary>Mean of the metric over items.</summary>
    public double MeanMetric => Metric.Average();

    /// <summary>Mean KL over items.</summary>
    public double MeanKl => Kl.Average();

    /// <summary>Share of items whose most probable token is the full model's.</summary>
    public double ExactMatchRate => ExactMatch.Count(m => m) / (double)ExactMatch.Length;

    /// <summary>Share of items where the answers win.</summary>
    public double Accuracy => Accurate.Count(a => a) / (double)Accurate.Length;
}

/// <summary>What an evaluation gives.</summary>
/// <param name="Full">The full model on the clean prompts.</param>
/// <param name="Empty">All edges ablated.</param>
/// <param name="Circuits">The circuits in the order given.</param>
/// <param name="BatchSize">The number of pairs per batch that was used.</param>
/// <param name="PeakDeviceBytes">Largest amount of device memory in use during the run.</param>
public sealed record EvaluationResult(CircuitOutcome Full, CircuitOutcome Empty, IReadOnlyList<CircuitOutcome> Circuits, int BatchSize, long PeakDeviceBytes)
{
    /// <summary>How the run was cut into batches.</summary>
    public BatchSummary? Plan { get; init; }
}
