using System.Runtime.InteropServices;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>
/// Path patching (Wang et al. 2022, "Interpretability in the wild", section 3.1 and appendix B). In four passes:
/// <list type="bullet">
/// <item>A: the corrupted prompt; gives the sender's output.</item>
/// <item>B: the clean prompt; gives everybody's output.</item>
/// <item>C: the clean prompt, the sender's output replaced with A's, all heads kept as in B; MLPs react unless they are frozen too. Gives
/// the receivers' inputs.</item>
/// <item>D: the clean prompt, the receivers' inputs replaced with C's. The effect is the metric of D minus that of B.</item>
/// </list>
/// A and B run once per batch. C and D run for many senders at once, each a copy; C begins at the first sender, D at the first receiver.
/// With MLPs frozen C is the sum input + (sender's new output - its old one).
/// </summary>
public static class PathPatching
{
    /// <summary>Measures the effects of senders on sets of receivers.</summary>
    /// <param name="model">The model, on the device that computes.</param>
    /// <param name="prompts">The prompt pairs; within one both prompts have the same length.</param>
    /// <param name="queries">The senders and receivers of each question.</param>
    /// <param name="options">Metric, ablation, frozen MLPs, positions of the senders, batch size.</param>
    /// <param name="progress">Told after each pass; may be null.</param>
    /// <param name="cancellation">Stops the run between passes.</param>
    /// <returns>The effects, in the order of the queries and of their senders.</returns>
    /// <exception cref="OptionException">An option cannot be used.</exception>
    /// <exception cref="GradpathException">An item or a position cannot be used.</exception>
    public static PathEffects Measure(
        Gpt2Weights model,
        PromptSet prompts,
        IReadOnlyList<PathQuery> queries,
        PathPatchingOptions options,
        IProgress<RunProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(prompts);
        ArgumentNullException.ThrowIfNull(queries);
        ArgumentNullException.ThrowIfNull(options);
        Metric metric = options.Metric ?? prompts.Metric;
        PairChecks.Check(model.Config, prompts.Pairs, metric, options.Ablation, options.BatchSize);
        using var run = new DeviceRun(model.Device);
        var parts = AnswerParts.Of(prompts.Pairs, metric);
        IReadOnlyList<PromptPair> pairs = parts.Pairs;
        var graph = new ComputationGraph(model.Config);
        PathPlan[] plans = [.. queries.Select(q => new PathPlan(graph, q))];
        IEnumerable<TokenPositions> all = queries.SelectMany(q => q.Receivers.Select(r => r.Positions)).Append(options.SenderPositions)
            .Distinct();
        Dictionary<TokenPositions, bool[][]> positions = all.ToDictionary(
            p => p, p => pairs.Select((pair, i) => p.Of(pair, i + 1)).ToArray());
        int senders = Math.Max(1, plans.Max(p => p.Senders.Length));
        int sublayers = plans.Max(p => p.Sublayers.Length);
        PromptSpan[] spans = PairSpans.Of(pairs, sharePrefixes: options.Ablation == Ablation.Patching);
        BatchPlan batches = BatchPlan.Make(
            spans, options.BatchSize, false, model.Device,
            batch => Rehearsal.Bytes(model, pairs, batch, options.Ablation, (standIn, items) =>
            {
                using var rehearsed = new PathRunner(standIn, options, metric, senders, sublayers);
                using PairBatch standIns = standIn.Batch(items);
                rehearsed.Rehearse(standIns, positions.Keys);
            }));
        double clean = 0;
        double[][] effects = [.. queries.Select(q => new double[q.Senders.Count])];
        for (int q = 0; q < plans.Length; q++)
        {
            Array.Fill(effects[q], double.NaN);
            foreach (int s in plans[q].Senders) effects[q][s] = 0;
        }
        long done = 0;
        long total = pairs.Count * plans.Sum(p => (long)p.Senders.Length);
        using var context = new RunContext(model, pairs, spans, batches, options.Ablation, progress, cancellation: cancellation);
        using var runner = new PathRunner(context, options, metric, senders, sublayers);
        foreach (int[] items in batches.Batches)
        {
            using PairBatch batch = context.Batch(items);
            clean += runner.Begin(batch, positions);
            for (int q = 0; q < plans.Length; q++)
            {
                runner.Run(plans[q], effects[q], count =>
                {
                    done += (long)count * items.Length;
                    context.Report(done, total, "paths");
                });
            }
            runner.End();
        }
        foreach (double[] values in effects)
        {
            for (int s = 0; s < values.Length; s++) values[s] /= parts.Count;
        }
        return new PathEffects(
            clean / parts.Count, [.. effects.Select(ImmutableCollectionsMarshal.AsImmutableArray)], batches.Size, run.PeakBytes);
    }
}
