using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Statistics;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>
/// Hypothesis tests of a circuit after Shi et al. (arXiv 2410.13032): equivalence, independence, minimality, sufficiency and partial
/// necessity. Random circuits are those of <see cref="RandomCircuits"/>.
/// </summary>
/// <param name="Results">One per test, in the order of <see cref="CircuitTestKind"/>.</param>
/// <param name="Edges">The edges of the test of minimality, the largest change first; empty where that was not run.</param>
/// <param name="InflatedChanges">What random edges change in inflated circuits; empty where that was not run.</param>
/// <param name="Faithfulness">The circuit's faithfulness; NaN where full and empty model do equally well.</param>
/// <param name="RandomFaithfulness">That of random circuits; empty where sufficiency was not tested.</param>
/// <param name="Damage">1 - the faithfulness of the model without the circuit.</param>
/// <param name="RandomDamage">That of random circuits; empty where partial necessity was not tested.</param>
/// <param name="BatchSize">The number of pairs per batch that was used.</param>
/// <param name="PeakDeviceBytes">Largest amount of device memory in use during the run.</param>
public sealed record CircuitTests(
    IReadOnlyList<CircuitTestResult> Results,
    IReadOnlyList<CircuitTestEdge> Edges,
    IReadOnlyList<double> InflatedChanges,
    double Faithfulness,
    IReadOnlyList<double> RandomFaithfulness,
    double Damage,
    IReadOnlyList<double> RandomDamage,
    int BatchSize,
    long PeakDeviceBytes)
{
    /// <summary>Tests a circuit.</summary>
    /// <param name="model">The model, on the device that computes.</param>
    /// <param name="prompts">The prompt pairs; within one both prompts have the same length.</param>
    /// <param name="circuit">A circuit of this model with an edge at least.</param>
    /// <param name="options">The tests, their level and their draws.</param>
    /// <param name="progress">Told after each pass; may be null.</param>
    /// <param name="cancellation">Stops the run between passes and between permutations.</param>
    /// <returns>The results.</returns>
    /// <exception cref="OptionException">An option cannot be used.</exception>
    /// <exception cref="GradpathException">An item or the circuit cannot be used.</exception>
    /// <exception cref="OperationCanceledException">The run was stopped.</exception>
    public static CircuitTests Run(
        Gpt2Weights model,
        PromptSet prompts,
        Circuit circuit,
        CircuitTestOptions options,
        IProgress<RunProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(prompts);
        ArgumentNullException.ThrowIfNull(circuit);
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        circuit.RequireModel(model.Config, "the circuit");
        Metric metric = options.Evaluation.Metric ?? prompts.Metric;
        if (metric.MeasuresDistance)
        {
            throw new OptionException(
                $"{Terms.Metric.With(metric.Name)}: the full model has the best value there is, so nothing does better; judge by answers");
        }
        if (circuit.EdgeCount == 0) throw new GradpathException("the circuit has no edges: there is nothing to test.");
        if (circuit.EdgeCount == circuit.Graph.EdgeCount && options.Tests.Contains(CircuitTestKind.Minimality))
            throw new GradpathException("the circuit has every edge of the model: none can be added to compare its edges with.");
        var plan = new CircuitTestPlan(circuit, options);
        var runs = CircuitMetrics.Of(model, prompts, plan.Count, plan.Make, options.Evaluation, progress, cancellation);
        return new CircuitTestStatistics(plan, runs, options, metric.LossSign, cancellation).Finish();
    }
}
