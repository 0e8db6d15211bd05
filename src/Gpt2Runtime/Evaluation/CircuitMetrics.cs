using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>The metric of any number of circuits per prompt pair. Circuits are made when they run, a bounded number at a time.</summary>
/// <param name="Full">The full model.</param>
/// <param name="Empty">All edges ablated.</param>
/// <param name="Circuits">The circuits in order.</param>
/// <param name="BatchSize">The number of pairs per batch that was used last.</param>
/// <param name="PeakDeviceBytes">Largest amount of device memory in use.</param>
internal sealed record CircuitMetrics(
    IReadOnlyList<double> Full, IReadOnlyList<double> Empty, IReadOnlyList<IReadOnlyList<double>> Circuits, int BatchSize,
    long PeakDeviceBytes)
{
    private const int MostCircuits = 256;

    /// <summary>Runs circuits.</summary>
    /// <param name="model">The model, on the device that computes.</param>
    /// <param name="prompts">The prompt pairs.</param>
    /// <param name="count">Number of circuits, at least 1.</param>
    /// <param name="make">Makes a circuit by its number; called once for each.</param>
    /// <param name="options">Metric, ablation, batch size.</param>
    /// <param name="progress">Told after each pass how far all of them are; may be null.</param>
    /// <param name="cancellation">Stops the run between passes.</param>
    public static CircuitMetrics Of(
        Gpt2Weights model,
        PromptSet prompts,
        int count,
        Func<int, Circuit> make,
        EvaluationOptions options,
        IProgress<RunProgress>? progress,
        CancellationToken cancellation)
    {
        var circuits = new List<IReadOnlyList<double>>(count);
        Whole? whole = progress is null ? null : new Whole(progress, count + (2 * ((count + MostCircuits - 1) / MostCircuits)));
        IReadOnlyList<double> full = [], empty = [];
        int batchSize = 0;
        long peak = 0;
        foreach (int[] numbers in Enumerable.Range(0, count).Chunk(MostCircuits))
        {
            whole?.Begin(numbers.Length + 2);
            EvaluationResult result = CircuitEvaluation.Evaluate(
                model, prompts, [.. numbers.Select(make)], options, whole, cancellation);
            circuits.AddRange(result.Circuits.Select(c => (IReadOnlyList<double>)c.Metric));
            (full, empty) = (result.Full.Metric, result.Empty.Metric);
            batchSize = result.Plan.Size;
            peak = Math.Max(peak, result.PeakDeviceBytes);
        }
        return new CircuitMetrics(full, empty, circuits, batchSize, peak);
    }

    // Progress of one evaluation as a part of all of them: each counts its runs, the full and the empty one too.
    private sealed class Whole(IProgress<RunProgress> told, int runs) : IProgress<RunProgress>
    {
        private int _before;
        private int _now;

        public void Begin(int more)
        {
            _before += _now;
            _now = more;
        }

        public void Report(RunProgress value)
        {
            long items = value.Total / _now;
            told.Report(value with { Done = (_before * items) + value.Done, Total = runs * items });
        }
    }
}
