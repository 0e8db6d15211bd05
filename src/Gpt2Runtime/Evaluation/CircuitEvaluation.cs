using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>
/// Runs circuits on the clean prompts with every edge outside a circuit ablated, and the full and the fully ablated model beside them.
/// </summary>
public static class CircuitEvaluation
{
    /// <summary>Evaluates circuits.</summary>
    /// <param name="model">The model, on the device that computes.</param>
    /// <param name="prompts">The prompt pairs; within one both prompts have the same length.</param>
    /// <param name="circuits">Circuits of this model; they are taken as they are, pruned or not.</param>
    /// <param name="options">Metric, ablation, batch size.</param>
    /// <param name="progress">Told before each batch and after each pass; may be null.</param>
    /// <param name="cancellation">Stops the run between passes.</param>
    /// <returns>Per-item values of the full model, the empty circuit and each circuit.</returns>
    /// <exception cref="OptionException">An option cannot be used.</exception>
    /// <exception cref="GradpathException">An item or a circuit cannot be used.</exception>
    /// <exception cref="OperationCanceledException">The run was stopped.</exception>
    public static EvaluationResult Evaluate(
        Gpt2Weights model,
        PromptSet prompts,
        IReadOnlyList<Circuit> circuits,
        EvaluationOptions options,
        IProgress<RunProgress>? progress = null,
        CancellationToken cancellation = default) =>
        Evaluate(model, prompts, circuits, options, wholePrompts: false, progress, cancellation);

    /// <summary>
    /// The same, on request over every position, also those before the first difference of a pair: to compare with and to measure against.
    /// </summary>
    /// <param name="model">The weights of the model, on the device that computes.</param>
    /// <param name="prompts">The prompt pairs.</param>
    /// <param name="circuits">Circuits of this model.</param>
    /// <param name="options">Metric, ablation, batch size.</param>
    /// <param name="wholePrompts">Whether every position is run.</param>
    /// <param name="progress">Told before each batch and after each pass; may be null.</param>
    /// <param name="cancellation">Stops the run between passes.</param>
    /// <returns>Per-item values of the full model, the empty circuit and each circuit.</returns>
    internal static EvaluationResult Evaluate(
        Gpt2Weights model,
        PromptSet prompts,
        IReadOnlyList<Circuit> circuits,
        EvaluationOptions options,
        bool wholePrompts,
        IProgress<RunProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(prompts);
        ArgumentNullException.ThrowIfNull(circuits);
        ArgumentNullException.ThrowIfNull(options);
        if (circuits.Contains(null)) throw new ArgumentException("a circuit is null", nameof(circuits));
        Metric metric = options.Metric ?? prompts.Metric;
        PairChecks.Check(model.Config, prompts.Pairs, metric, options.Ablation, options.BatchSize);
        foreach (Circuit circuit in circuits) circuit.RequireModel(model.Config, "the circuit");
        using var run = new DeviceRun(model.Device);
        var graph = new ComputationGraph(model.Config);
        PatchedCircuit[] patched = [.. circuits.Select(c => new PatchedCircuit(graph, c.Membership.ToArray()))];

        // When patching, all runs lie between the clean and the corrupted one.
        var parts = AnswerParts.Of(prompts.Pairs, metric);
        PromptSpan[] spans = PairSpans.Of(parts.Pairs, sharePrefixes: options.Ablation == Ablation.Patching && !wholePrompts);
        BatchPlan plan = BatchPlan.Make(
            spans, options.BatchSize, false, model.Device,
            batch => Rehearsal.Bytes(model, parts.Pairs, batch, options.Ablation, (context, items) =>
            {
                using var runner = new CircuitRunner(context, metric, patched.Length);
                using PairBatch standIns = context.Batch(items);
                runner.Rehearse(standIns);
            }));
        using var context = new RunContext(model, parts.Pairs, spans, plan, options.Ablation, progress, cancellation: cancellation);
        using var runner = new CircuitRunner(context, metric, patched.Length);
        return EvaluationRun.Of(run, context, parts, patched.Length, (batch, outcomes, advance) =>
            runner.Evaluate(batch, patched, outcomes, advance));
    }
}
