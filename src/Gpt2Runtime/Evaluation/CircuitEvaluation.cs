using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
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
    /// <param name="pairs">Items; within one both prompts have the same length.</param>
    /// <param name="circuits">Circuits of this model; they are taken as they are, pruned or not.</param>
    /// <param name="options">Metric, ablation, batch size.</param>
    /// <param name="progress">Told before each batch and after each pass; may be null.</param>
    /// <param name="cancellation">Stops the run between passes.</param>
    /// <returns>Per-item values of the full model, the empty circuit and each circuit.</returns>
    /// <exception cref="GradpathException">An item, an option or a circuit cannot be used.</exception>
    public static EvaluationResult Evaluate(
        Gpt2Weights model,
        IReadOnlyList<PromptPair> pairs,
        IReadOnlyList<Circuit> circuits,
        EvaluationOptions options,
        IProgress<RunProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        PairChecks.Check(model.Config, pairs, options.Metric, options.Ablation, options.BatchSize);
        foreach (Circuit circuit in circuits) circuit.RequireModel(model.Config, "the circuit");
        using var run = new DeviceRun(model.Device);
        var graph = new ComputationGraph(model.Config);
        PatchedCircuit[] patched = [.. circuits.Select(c => new PatchedCircuit(graph, c.Membership.ToArray()))];
        // Patched runs lie between the clean and the corrupted one at every node, so all agree up to the first difference.
        PromptSpan[] spans = PairSpans.Of(pairs, sharePrefixes: options is { Ablation: Ablation.Patching, WholePrompts: false });
        BatchPlan plan = BatchPlan.Make(spans, options.BatchSize, false, model.Device, batch => CircuitRunner.Bytes(model, options.Metric, batch, patched.Length));
        CircuitOutcome[] outcomes = [.. Enumerable.Range(0, patched.Length + 2).Select(_ => new CircuitOutcome(new double[pairs.Count], new double[pairs.Count], new bool[pairs.Count], new bool[pairs.Count]))];
        long done = 0;
        long total = (long)pairs.Count * outcomes.Length;
        using var context = new RunContext(model, pairs, spans, plan, options.Ablation, progress, cancellation);
        using var runner = new CircuitRunner(context, options.Metric, patched.Length);
        foreach (int[] items in plan.Batches)
        {
            using PairBatch batch = context.Batch(items);
            context.Report(done, total, "circuits");
            runner.Evaluate(batch, patched, outcomes, count =>
            {
                done += (long)count * items.Length;
                context.Report(done, total, "circuits");
            });
        }
        return new EvaluationResult(outcomes[0], outcomes[1], outcomes[2..], plan.Size, run.PeakBytes) { Plan = plan.Summary };
    }
}
