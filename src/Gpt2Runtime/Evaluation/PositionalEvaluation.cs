using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Positions;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>
/// Runs circuits of edges between spans on the clean prompts: an edge outside a circuit is ablated where its writer's span meets its
/// reader's, and nowhere else.
/// </summary>
public static class PositionalEvaluation
{
    /// <summary>Evaluates circuits.</summary>
    /// <param name="model">The model, on the device that computes.</param>
    /// <param name="prompts">The prompt pairs, with spans of the circuits' names.</param>
    /// <param name="circuits">Circuits of this model with one graph of spans; at least one.</param>
    /// <param name="options">Metric, ablation, batch size.</param>
    /// <param name="progress">Told before each batch and after each pass; may be null.</param>
    /// <param name="cancellation">Stops the run between passes.</param>
    /// <returns>Per-item values of the full model, the empty circuit and each circuit.</returns>
    /// <exception cref="OptionException">An option cannot be used.</exception>
    /// <exception cref="GradpathException">An item or a circuit cannot be used, or the prompts have other spans.</exception>
    /// <exception cref="OperationCanceledException">The run was stopped.</exception>
    public static EvaluationResult Evaluate(
        Gpt2Weights model,
        PromptSet prompts,
        IReadOnlyList<PositionalCircuit> circuits,
        EvaluationOptions options,
        IProgress<RunProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(prompts);
        ArgumentNullException.ThrowIfNull(circuits);
        ArgumentNullException.ThrowIfNull(options);
        if (circuits.Count == 0 || circuits.Any(c => c is null || !c.Graph.Equals(circuits[0].Graph)))
            throw new ArgumentException("there must be circuits, all with one graph of spans", nameof(circuits));
        Metric metric = options.Metric ?? prompts.Metric;
        PairChecks.Check(model.Config, prompts.Pairs, metric, options.Ablation, options.BatchSize);
        foreach (PositionalCircuit circuit in circuits) circuit.RequireModel(model.Config, "the circuit");
        using var run = new DeviceRun(model.Device);
        var parts = AnswerParts.Of(prompts.Pairs, metric);
        PositionalGraph graph = circuits[0].Graph;
        SpanTable positions = SpanTable.Of(graph.Graph, prompts, SpanTable.ModeOf(graph), graph).For(parts);
        PromptSpan[] spans = PairSpans.Of(parts.Pairs, sharePrefixes: false);
        BatchPlan plan = BatchPlan.Make(
            spans, options.BatchSize, false, model.Device,
            batch => Rehearsal.Bytes(
                model, parts.Pairs, batch, options.Ablation,
                (context, items) =>
                {
                    using var runner = new PositionalRunner(context, metric);
                    using PairBatch standIns = context.Batch(items);
                    runner.Rehearse(standIns);
                },
                positions));
        PositionalCircuit[] runs = [.. circuits];
        using var context = new RunContext(model, parts.Pairs, spans, plan, options.Ablation, progress, positions, cancellation);
        using var runner = new PositionalRunner(context, metric);
        return EvaluationRun.Of(run, context, parts, runs.Length, (batch, outcomes, advance) =>
            runner.Evaluate(batch, runs, outcomes, advance));
    }
}
