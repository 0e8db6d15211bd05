using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>
/// Runs circuits on the clean prompts with every edge outside a circuit ablated, and the full and the fully ablated model beside them.
/// </summary>
public static class CircuitEvaluation
{
    private const int MostRowsPerPass = 2048;

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
        IProgress<AttributionProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        // The checks and the ablation are those of the exact method, which asks the same question of the same passes.
        var asScoring = new AttributionOptions { Method = AttributionMethod.Exact, Metric = options.Metric, Ablation = options.Ablation, BatchSize = options.BatchSize };
        AttributionChecks.Check(model.Config, pairs, asScoring);
        foreach (Circuit circuit in circuits) circuit.RequireModel(model.Config, "the circuit");
        using RunLease lease = model.Device.EnterRun();
        using var scope = new AllocationScope(model.Device);
        model.Device.ResetPeak();
        var graph = new ComputationGraph(model.Config);
        PatchedCircuit[] patched = [.. circuits.Select(c => new PatchedCircuit(graph, c.Membership.ToArray()))];
        // Patched runs lie between the clean and the corrupted one at every node, so all agree up to the first difference.
        PromptSpan[] spans = PromptSpan.Of(pairs, sharePrefixes: options is { Ablation: Ablation.Patching, WholePrompts: false });
        BatchPlan plan = BatchPlan.Make(spans, options.BatchSize, false, model.Device, batch => Bytes(model, options, batch, patched.Length));
        CircuitOutcome[] outcomes = [.. Enumerable.Range(0, patched.Length + 2).Select(_ => new CircuitOutcome(new double[pairs.Count], new double[pairs.Count], new bool[pairs.Count], new bool[pairs.Count]))];
        long done = 0;
        long total = (long)pairs.Count * outcomes.Length;
        using var context = new ScoringContext(model, asScoring, pairs.Count, plan, (_, _) => { }, cancellation);
        PromptSpan[] largest = PromptSpan.Largest(spans, plan.Size);
        using (var evaluator = new BatchEvaluator(context, pairs, largest, patched.Length))
        {
            foreach (int[] items in plan.Batches)
            {
                using var batch = new ScoringBatch(model.Device, pairs, items, new double[pairs.Count], spans);
                progress?.Report(new AttributionProgress(done, total, "circuits"));
                evaluator.Evaluate(batch, patched, outcomes, count =>
                {
                    done += (long)count * items.Length;
                    progress?.Report(new AttributionProgress(done, total, "circuits"));
                    cancellation.ThrowIfCancellationRequested();
                });
            }
        }
        return new EvaluationResult(outcomes[0], outcomes[1], outcomes[2..], plan.Size, model.Device.PeakBytes) { Plan = plan.Summary };
    }

    private static int CopiesFor(int rows, int circuits) => Math.Clamp(MostRowsPerPass / Math.Max(1, rows), 1, Math.Max(1, circuits));

    private static long Bytes(Gpt2Weights model, EvaluationOptions options, IReadOnlyList<PromptSpan> spans, int circuits)
    {
        int copies = CopiesFor(spans.Sum(s => s.Length), circuits);
        var one = PassCapacity.For(spans, 1, true);
        return Activations.Bytes(model.Config, PassCapacity.For(spans, 2, true), true)
            + PrefixKeys.Bytes(model, spans)
            + WriterOutputs.Bytes(model.Config, one)
            + PatchedForwardPass.Bytes(model.Config, one, copies, continues: false)
            + PatchedForwardPass.ListedBytes(model.Config, one, copies)
            + OutputHead.Bytes(model.Config, options.Metric, spans.Count, Math.Max(2, copies) * spans.Count)
            + OutputHead.Bytes(model.Config, TaskMetric.KlDivergence, spans.Count, Math.Max(2, copies) * spans.Count);
    }

    private sealed class BatchEvaluator : IDisposable
    {
        private readonly List<IDisposable> _owned = [];
        private readonly ScoringContext _context;
        private readonly int _copies;
        private readonly PairRun _pair;
        private readonly PatchedForwardPass _patched;
        private readonly OutputHead _metric;
        private readonly OutputHead _kl;
        private readonly Tensor _answers;
        private readonly WriterOutputs _target;
        private readonly AblationTargets _ablation;

        public BatchEvaluator(ScoringContext context, IReadOnlyList<PromptPair> pairs, PromptSpan[] spans, int circuits)
        {
            _context = context;
            Device device = context.Device;
            _copies = CopiesFor(spans.Sum(s => s.Length), circuits);
            var one = PassCapacity.For(spans, 1, true);
            int answers = spans.Length * Math.Max(2, _copies);
            _patched = Own(new PatchedForwardPass(context.Weights, one, _copies, continues: false));
            _metric = Own(new OutputHead(context.Weights, context.Options.Metric, spans.Length, answers));
            _kl = Own(new OutputHead(context.Weights, TaskMetric.KlDivergence, spans.Length, answers));
            _pair = Own(new PairRun(context, spans, true, _metric));
            _answers = Own(device.Allocate(answers, context.Config.Width));
            _target = Own(new WriterOutputs(context.Config, device, one));
            _ablation = Own(new AblationTargets(context, pairs, true));
        }

        public void Evaluate(ScoringBatch batch, PatchedCircuit[] circuits, CircuitOutcome[] outcomes, Action<int> advance)
        {
            PassShape both = _context.Shapes.Get(batch.Spans, 2, true);
            PassShape one = _context.Shapes.Get(batch.Spans, 1, true);
            int[] fullTokens = RunBoth(batch, both, one);

            // The full circuit is the clean run and the empty one the ablated residual stream: neither needs a pass of its own.
            _context.Device.CopyBlock(_pair.Activations.Boundaries[^1].Residual, 0, _answers, 0, (long)one.Items * _context.Config.Width);
            _patched.TakeAblatedAnswers(one, _answers, one.Items);
            Judge(batch, fullTokens, outcomes.AsSpan(0, 2));
            advance(2);
            bool inputsMatter = _context.Options.Ablation != Ablation.Patching;
            for (int first = 0; first < circuits.Length; first += _copies)
            {
                int count = Math.Min(_copies, circuits.Length - first);
                _patched.Run(one, _pair.Prompts.Clean, circuits.AsSpan(first, count), inputsMatter, _answers);
                Judge(batch, fullTokens, outcomes.AsSpan(2 + first, count));
                advance(count);
            }
        }

        public void Dispose()
        {
            for (int i = _owned.Count - 1; i >= 0; i--) _owned[i].Dispose();
        }

        // The outcomes of the runs whose inputs of the logits are in _answers.
        private void Judge(ScoringBatch batch, int[] fullTokens, ReadOnlySpan<CircuitOutcome> outcomes)
        {
            int items = batch.Items.Length;
            int rows = outcomes.Length * items;
            _metric.EvaluateRows(_answers, rows);
            _kl.EvaluateRows(_answers, rows);
            int[] tokens = _kl.MostProbable(rows);
            for (int r = 0; r < rows; r++)
            {
                CircuitOutcome outcome = outcomes[r / items];
                int i = r % items;
                int item = batch.Items[i];
                outcome.Metric[item] = _metric.Values[r];
                outcome.Kl[item] = _kl.Values[r];
                outcome.ExactMatch[item] = tokens[r] == fullTokens[i];
                outcome.Accurate[item] = _context.Options.Metric == TaskMetric.KlDivergence ? batch.Pairs[i].Answers.Contains(tokens[r]) : _metric.Values[r] > 0;
            }
        }

        // The clean run is the reference of KL and of the exact match; the corrupted run gives the ablated outputs.
        private int[] RunBoth(ScoringBatch batch, PassShape both, PassShape one)
        {
            _pair.Run(batch, both);
            _kl.SetItems(batch.Pairs);
            _kl.Evaluate(both, _pair.Activations, 0);
            int[] tokens = _kl.MostProbable(one.Items);
            _pair.TakeWriters(both, 1, _target);
            _ablation.Target(one, _target, _target);
            _patched.SetAblation(one, _target, _pair.Prefix);
            return tokens;
        }

        private T Own<T>(T resource)
            where T : IDisposable
        {
            _owned.Add(resource);
            return resource;
        }
    }
}
