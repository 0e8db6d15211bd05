using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>
/// A column of a matrix of transfer: what the circuits of several tasks do on the prompts of one (arXiv 2605.08348). A circuit is specific
/// to its task where it is faithful there and not on others, and where ablating it damages that task and no other.
/// </summary>
/// <param name="Full">The full model's metric per prompt pair.</param>
/// <param name="Empty">The metric with all edges ablated, per prompt pair.</param>
/// <param name="Effects">One per circuit.</param>
/// <param name="BatchSize">The number of pairs per batch that was used.</param>
/// <param name="PeakDeviceBytes">Largest amount of device memory in use during the run.</param>
public sealed record TransferColumn(
    IReadOnlyList<double> Full, IReadOnlyList<double> Empty, IReadOnlyList<TransferEffect> Effects, int BatchSize, long PeakDeviceBytes)
{
    private const double StandardErrors = 2;

    /// <summary>
    /// Whether ablating everything changes the metric by less than two standard errors of that change over the prompt pairs, so that ratios
    /// to it say little.
    /// </summary>
    public bool IsUnsteady
    {
        get
        {
            double[] changes = [.. Full.Zip(Empty, (full, empty) => full - empty)];
            if (changes.Length < 2) return false;
            double mean = changes.Average();
            double variance = changes.Sum(c => (c - mean) * (c - mean)) / (changes.Length - 1);
            return Math.Abs(mean) < StandardErrors * Math.Sqrt(variance / changes.Length);
        }
    }

    /// <summary>Runs circuits and their complements on the prompts of a task.</summary>
    /// <param name="model">The model, on the device that computes.</param>
    /// <param name="prompts">The task's prompt pairs, best others than those that its circuit was found on.</param>
    /// <param name="circuits">Circuits of this model, taken as they are.</param>
    /// <param name="options">Metric, ablation, batch size.</param>
    /// <param name="seed">Seed of the bootstrap.</param>
    /// <param name="progress">Told after each pass; may be null.</param>
    /// <param name="cancellation">Stops the run between passes.</param>
    /// <returns>What each circuit does.</returns>
    /// <exception cref="GradpathException">An item or a circuit cannot be used.</exception>
    /// <exception cref="OperationCanceledException">The run was stopped.</exception>
    public static TransferColumn Measure(
        Gpt2Weights model,
        PromptSet prompts,
        IReadOnlyList<Circuit> circuits,
        EvaluationOptions options,
        ulong seed = 0,
        IProgress<RunProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(circuits);
        Circuit Make(int i) => i % 2 == 0 ? circuits[i / 2] : RandomCircuits.Complement(circuits[i / 2]);

        var runs = CircuitMetrics.Of(model, prompts, 2 * circuits.Count, Make, options, progress, cancellation);
        double[] full = [.. runs.Full], empty = [.. runs.Empty];
        return new TransferColumn(
            full, empty, [.. circuits.Select((_, c) => Effect([.. runs.Circuits[2 * c]], [.. runs.Circuits[(2 * c) + 1]]))],
            runs.BatchSize, runs.PeakDeviceBytes);

        TransferEffect Effect(double[] circuit, double[] complement)
        {
            (double low, double high) = Faithfulness.Interval(full, circuit, empty, seed: seed);
            (double outerLow, double outerHigh) = Faithfulness.Interval(full, complement, empty, seed: seed);
            double inside = Faithfulness.Of(full, circuit, empty), outside = Faithfulness.Of(full, complement, empty);
            return new TransferEffect(inside, low, high, 1 - outside, 1 - outerHigh, 1 - outerLow);
        }
    }
}
