using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels;

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
/// A and B run once per batch. C and D run for many senders at once, each a copy; C begins at the first sender, D at the first receiver. With
/// MLPs frozen C is the sum input + (sender's new output - its old one).
/// </summary>
public static class PathPatching
{
    private const int MostRowsPerPass = 4096;
    private const int MostCopies = 64;

    /// <summary>Measures the effects of senders on sets of receivers.</summary>
    /// <param name="model">The model, on the device that computes.</param>
    /// <param name="pairs">Items; within one both prompts have the same length.</param>
    /// <param name="queries">The senders and receivers of each question.</param>
    /// <param name="options">Metric, ablation, frozen MLPs, positions of the senders, batch size.</param>
    /// <param name="progress">Told after each pass; may be null.</param>
    /// <param name="cancellation">Stops the run between passes.</param>
    /// <returns>The effects, in the order of the queries and of their senders.</returns>
    /// <exception cref="GradpathException">An item, a position or an option cannot be used.</exception>
    public static PathEffects Measure(
        Gpt2Weights model,
        IReadOnlyList<PromptPair> pairs,
        IReadOnlyList<PathQuery> queries,
        PathPatchingOptions options,
        IProgress<AttributionProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        // The checks and the ablation are those of the exact method, which asks for one edge what is asked for a path here.
        var asScoring = new AttributionOptions { Method = AttributionMethod.Exact, Metric = options.Metric, Ablation = options.Ablation, BatchSize = options.BatchSize };
        AttributionChecks.Check(model.Config, pairs, asScoring);
        using RunLease lease = model.Device.EnterRun();
        using var scope = new AllocationScope(model.Device);
        model.Device.ResetPeak();
        var graph = new ComputationGraph(model.Config);
        PathPlan[] plans = [.. queries.Select(q => new PathPlan(graph, q))];
        IEnumerable<TokenPositions> all = queries.SelectMany(q => q.Receivers.Select(r => r.Positions)).Append(options.SenderPositions).Distinct();
        Dictionary<TokenPositions, bool[][]> positions = all.ToDictionary(p => p, p => pairs.Select((pair, i) => p.Of(pair, i + 1)).ToArray());
        int senders = Math.Max(1, plans.Max(p => p.Senders.Length));
        int sublayers = plans.Max(p => p.Sublayers.Length);
        PromptSpan[] spans = PromptSpan.Of(pairs, sharePrefixes: options.Ablation == Ablation.Patching);
        BatchPlan batches = BatchPlan.Make(spans, options.BatchSize, false, model.Device, batch => Bytes(model, options, batch, senders, sublayers));
        double clean = 0;
        double[][] effects = [.. queries.Select(q => new double[q.Senders.Count])];
        for (int q = 0; q < plans.Length; q++)
        {
            Array.Fill(effects[q], double.NaN);
            foreach (int s in plans[q].Senders) effects[q][s] = 0;
        }
        long done = 0;
        long total = pairs.Count * plans.Sum(p => (long)p.Senders.Length);
        using var context = new ScoringContext(model, asScoring, pairs.Count, batches, (_, _) => { }, cancellation);
        PromptSpan[] largest = PromptSpan.Largest(spans, batches.Size);
        using (var runner = new BatchRunner(context, pairs, largest, options, CopiesFor(largest.Sum(s => s.Length), senders), sublayers))
        {
            foreach (int[] items in batches.Batches)
            {
                using var batch = new ScoringBatch(model.Device, pairs, items, new double[pairs.Count], spans);
                clean += runner.Begin(batch, positions);
                for (int q = 0; q < plans.Length; q++)
                {
                    runner.Run(plans[q], effects[q], count =>
                    {
                        done += (long)count * items.Length;
                        progress?.Report(new AttributionProgress(done, total, "paths"));
                        cancellation.ThrowIfCancellationRequested();
                    });
                }
                runner.End();
            }
        }
        foreach (double[] values in effects)
        {
            for (int s = 0; s < values.Length; s++) values[s] /= pairs.Count;
        }
        return new PathEffects(clean / pairs.Count, effects, batches.Size, model.Device.PeakBytes);
    }

    private static int CopiesFor(int rows, int senders) => Math.Min(Math.Clamp(MostRowsPerPass / Math.Max(1, rows), 1, MostCopies), senders);

    private static long Bytes(Gpt2Weights model, PathPatchingOptions options, IReadOnlyList<PromptSpan> spans, int senders, int sublayers)
    {
        int copies = CopiesFor(spans.Sum(s => s.Length), senders);
        var one = PassCapacity.For(spans, 1, false);
        return Activations.Bytes(model.Config, PassCapacity.For(spans, 2, false), true)
            + PatchedForwardPass.Bytes(model.Config, one, copies, continues: false)
            + (2 * WriterOutputs.Bytes(model.Config, one))
            + (sizeof(float) * 2L * sublayers * copies * one.Rows * model.Config.Width)
            + OutputHead.Bytes(model.Config, options.Metric, spans.Count, Math.Max(2, copies) * spans.Count);
    }

    /// <summary>A query with what does not depend on the batch.</summary>
    private sealed class PathPlan
    {
        public PathPlan(ComputationGraph graph, PathQuery query)
        {
            Query = query;
            int upstream = query.Receivers.Max(r => graph.WritersBefore(r.Column));
            Senders = [.. Enumerable.Range(0, query.Senders.Count).Where(i => query.Senders[i] < upstream).OrderBy(i => query.Senders[i])];
            Sublayers = [.. query.Receivers.Select(r => graph.SublayerOfColumn(r.Column)).Distinct().Order()];
            foreach (PathReceiver receiver in query.Receivers)
            {
                var replacement = (graph.SublayerOfColumn(receiver.Column), receiver.Positions);
                int index = Replacements.IndexOf(replacement);
                if (index < 0)
                {
                    index = Replacements.Count;
                    Replacements.Add(replacement);
                }
                ReplacementOf.Add(receiver.Column, index);
            }
        }

        public PathQuery Query { get; }

        // Indices of the senders that feed a receiver, by row, so that senders of one layer share a pass.
        public int[] Senders { get; }

        public int[] Sublayers { get; }

        public List<(int Sublayer, TokenPositions Positions)> Replacements { get; } = [];

        public Dictionary<int, int> ReplacementOf { get; } = [];
    }

    private sealed class BatchRunner : IDisposable
    {
        private readonly List<IDisposable> _owned = [];
        private readonly ScoringContext _context;
        private readonly PathPatchingOptions _options;
        private readonly int _copies;
        private readonly PairRun _pair;
        private readonly PatchedForwardPass _patched;
        private readonly OutputHead _head;
        private readonly Tensor _answers;
        private readonly WriterOutputs _clean;
        private readonly WriterOutputs _differences;
        private readonly AblationTargets _ablation;
        private readonly Tensor[] _noted;
        private readonly Dictionary<TokenPositions, Tensor> _masks = [];
        private PassShape? _one;
        private double[] _full = [];

        public BatchRunner(ScoringContext context, IReadOnlyList<PromptPair> pairs, PromptSpan[] spans, PathPatchingOptions options, int copies, int sublayers)
        {
            _context = context;
            _options = options;
            _copies = copies;
            Device device = context.Device;
            var one = PassCapacity.For(spans, 1, false);
            int answers = spans.Length * Math.Max(2, copies);
            _patched = Own(new PatchedForwardPass(context.Weights, one, copies, continues: false));
            _head = Own(new OutputHead(context.Weights, options.Metric, spans.Length, answers));
            _pair = Own(new PairRun(context, spans, false, _head));
            _answers = Own(device.Allocate(answers, context.Config.Width));
            _clean = Own(new WriterOutputs(context.Config, device, one));
            _differences = Own(new WriterOutputs(context.Config, device, one));
            _ablation = Own(new AblationTargets(context, pairs, false));
            _noted = [.. Enumerable.Range(0, sublayers).Select(_ => Own(device.Allocate(copies, one.Rows, context.Config.Width)))];
        }

        // Passes A and B; returns the sum of the clean metric.
        public double Begin(ScoringBatch batch, Dictionary<TokenPositions, bool[][]> positions)
        {
            PassShape both = _context.Shapes.Get(batch.Spans, 2, false);
            _one = new PassShape(_context.Device, batch.Spans, 1, false);
            foreach ((TokenPositions name, bool[][] chosen) in positions)
            {
                float[] mask = [.. batch.Items.SelectMany((item, i) => chosen[item].Skip(batch.Spans[i].Prefix).Select(c => c ? 1f : 0f))];
                _masks.Add(name, _context.Device.StoreTensor(mask, mask.Length));
            }
            _pair.Run(batch, both);
            _pair.TakeWriters(both, 0, _clean);
            _pair.TakeWriters(both, 1, _differences);
            _ablation.Difference(_one, _clean, _differences, _differences);
            // All layers are kept at all rows, so no row of answers has a weight of its own.
            _differences.Weight(_one, _masks[_options.SenderPositions], _answers);
            _patched.SetAblation(_one, _clean, _pair.Prefix);
            _patched.TakeAblatedAnswers(_one, _answers);
            _head.EvaluateRows(_answers, _one.Items);
            _full = _head.Values[.._one.Items];
            return _full.Sum();
        }

        // Passes C and D of all senders; adds each one's effect.
        public void Run(PathPlan plan, double[] effects, Action<int> advance)
        {
            InputReplacement[] replacements =
                [.. plan.Replacements.Select(r => new InputReplacement(r.Sublayer, _noted[Array.IndexOf(plan.Sublayers, r.Sublayer)], _masks[r.Positions]))];
            foreach (int[] chunk in plan.Senders.Chunk(_copies))
            {
                _patched.RunSenders(_one!, [.. chunk.Select(s => plan.Query.Senders[s])], _differences, !_options.FreezeMlps, plan.Sublayers, _noted);
                _patched.RunReceivers(_one!, chunk.Length, replacements, plan.ReplacementOf, _answers);
                _head.EvaluateRows(_answers, chunk.Length * _one!.Items);
                for (int c = 0; c < chunk.Length; c++)
                {
                    for (int i = 0; i < _one.Items; i++) effects[chunk[c]] += _head.Values[(c * _one.Items) + i] - _full[i];
                }
                advance(chunk.Length);
            }
        }

        public void End()
        {
            foreach (Tensor mask in _masks.Values) mask.Dispose();
            _masks.Clear();
            _one?.Dispose();
            _one = null;
        }

        public void Dispose()
        {
            End();
            for (int i = _owned.Count - 1; i >= 0; i--) _owned[i].Dispose();
        }

        private T Own<T>(T resource)
            where T : IDisposable
        {
            _owned.Add(resource);
            return resource;
        }
    }
}
