using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>
/// The objective of candidate circuits. Before the reader whose turn it is every reader still has all its edges, so what is there is the
/// plain run of the clean prompts: it is kept once, and every candidate continues it from the reader's sublayer on.
/// </summary>
/// <remarks>
/// A candidate's objective has the same bits whatever runs beside it: copies share no sum, and the logits, whose product is computed in one
/// way for few rows and in another for many, are made copy by copy.
/// </remarks>
internal sealed class AcdcPasses : IDisposable
{
    private const int MostRowsPerPass = 2048;
    private const int MostCopies = 32;

    // What a pass costs whatever its size, in units of rows x D x D of a copy; set by the times of 1, 2 and 4 candidates in perf/RESULTS.md.
    private const double OverheadWork = 4e5;

    private readonly List<IDisposable> _owned = [];
    private readonly ScoringContext _context;
    private readonly ComputationGraph _graph;
    private readonly AcdcOptions _options;
    private readonly List<Lane> _lanes = [];
    private readonly double[] _values;

    /// <summary>Runs the full model on all prompts and keeps what candidates will start from.</summary>
    /// <param name="model">The model.</param>
    /// <param name="pairs">The prompts.</param>
    /// <param name="options">The options.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <exception cref="GradpathException">An item cannot be used, or the memory does not suffice.</exception>
    public AcdcPasses(Gpt2Weights model, IReadOnlyList<PromptPair> pairs, AcdcOptions options, CancellationToken cancellation)
    {
        var asScoring = new AttributionOptions { Method = AttributionMethod.Exact, Metric = options.Objective, Ablation = options.Ablation, BatchSize = options.BatchSize };
        AttributionChecks.Check(model.Config, pairs, asScoring);
        _options = options;
        _graph = new ComputationGraph(model.Config);
        _values = new double[pairs.Count];
        long budget = model.Device.WorkspaceBudget;
        PromptSpan[] spans = PromptSpan.Of(pairs, sharePrefixes: options.Ablation == Ablation.Patching);
        BatchPlan plan = BatchPlan.Make(spans, options.BatchSize, false, model.Device, batch => Bytes(model, options, batch, 1));
        PromptSpan[] largest = PromptSpan.Largest(spans, plan.Size);
        int rows = largest.Sum(s => s.Length);
        Copies = Math.Clamp(options.Candidates > 0 ? options.Candidates : MostRowsPerPass / rows, 1, MostCopies);
        while (Copies > 1 && plan.Batches.Count * Bytes(model, options, largest, Copies) > budget) Copies /= 2;
        long needed = plan.Batches.Count * Bytes(model, options, largest, Copies);
        if (needed > budget)
        {
            throw new GradpathException(
                $"the search keeps the run of all prompts at hand, which takes {needed / 1048576.0:F0} MiB here, and {budget / 1048576.0:F0} MiB are free; use fewer or shorter prompts (--limit)");
        }
        Overhead = OverheadWork / ((double)rows * model.Config.Width * model.Config.Width);
        BatchSize = plan.Size;
        _context = Own(new ScoringContext(model, asScoring, pairs.Count, plan, (_, _) => { }, cancellation));
        using (var ablation = new AblationTargets(_context, pairs, true))
        {
            foreach (int[] items in plan.Batches)
            {
                cancellation.ThrowIfCancellationRequested();
                _lanes.Add(Own(new Lane(_context, pairs, items, spans, Copies, ablation)));
            }
        }
        foreach (Lane lane in _lanes) lane.TakeValues(0, _values);
        Full = Mean();
    }

    /// <summary>The objective of the full model.</summary>
    public double Full { get; }

    /// <summary>Most candidates that can run at once.</summary>
    public int Copies { get; }

    /// <summary>Whether the user has set the number.</summary>
    public bool FixedCopies => _options.Candidates > 0;

    /// <summary>What a pass costs beside its copies, in copies.</summary>
    public double Overhead { get; }

    /// <summary>Prompt pairs per pass.</summary>
    public int BatchSize { get; }

    /// <summary>The objective of circuits that differ from the full model at no reader before a sublayer.</summary>
    /// <param name="circuits">At most <see cref="Copies"/>.</param>
    /// <param name="from">The sublayer.</param>
    /// <param name="objectives">Out: one per circuit.</param>
    public void Run(PatchedCircuit[] circuits, int from, Span<double> objectives)
    {
        foreach (Lane lane in _lanes) lane.Run(circuits, _options.Ablation != Ablation.Patching, from);
        for (int c = 0; c < circuits.Length; c++)
        {
            foreach (Lane lane in _lanes) lane.TakeValues(c, _values);
            objectives[c] = Mean();
            if (!double.IsFinite(objectives[c]))
                throw new GradpathException("the objective is not a number: the model or the metric overflowed on these prompts; check the checkpoint with 'gradpath info' and the prompts' answers");
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        for (int i = _owned.Count - 1; i >= 0; i--) _owned[i].Dispose();
        _owned.Clear();
    }

    // In the order of the items, so that the batches do not matter.
    private double Mean()
    {
        double sum = 0;
        foreach (double value in _values) sum += value;
        return OutputHead.LossSign(_options.Objective) * sum / _values.Length;
    }

    private static long Bytes(Gpt2Weights model, AcdcOptions options, IReadOnlyList<PromptSpan> spans, int copies)
    {
        Gpt2Config config = model.Config;
        var one = PassCapacity.For(spans, 1, true);
        return Activations.Bytes(config, PassCapacity.For(spans, 2, true), true)
            + PrefixKeys.Bytes(model, spans)
            + PatchedForwardPass.Bytes(config, one, copies, continues: true)
            + PatchedForwardPass.ListedBytes(config, one, copies)
            + OutputHead.Bytes(config, options.Objective, spans.Count, 2 * spans.Count);
    }

    private T Own<T>(T resource)
        where T : IDisposable
    {
        _owned.Add(resource);
        return resource;
    }

    /// <summary>One batch of prompts with its kept run.</summary>
    private sealed class Lane : IDisposable
    {
        private readonly List<IDisposable> _owned = [];
        private readonly int[] _items;
        private readonly int _width;
        private readonly PassShape _one;
        private readonly PatchedForwardPass _patched;
        private readonly OutputHead _head;
        private readonly Tensor _answers;
        private readonly double[] _objectives;

        public Lane(ScoringContext context, IReadOnlyList<PromptPair> pairs, int[] items, PromptSpan[] spans, int copies, AblationTargets ablation)
        {
            Device device = context.Device;
            _items = items;
            _width = context.Config.Width;
            _objectives = new double[copies * items.Length];
            using var batch = new ScoringBatch(device, pairs, items, new double[pairs.Count], spans);
            var capacity = PassCapacity.For(batch.Spans, 1, true);
            _one = Own(new PassShape(device, batch.Spans, 1, true));
            _patched = Own(new PatchedForwardPass(context.Weights, capacity, copies, continues: true));
            _head = Own(new OutputHead(context.Weights, context.Options.Metric, items.Length, 2 * items.Length));
            _answers = Own(device.Allocate(copies * items.Length, _width));

            // What only the kept run needs is given back before the search starts.
            using var both = new PassShape(device, batch.Spans, 2, true);
            using var target = new WriterOutputs(context.Config, device, capacity);
            using var pair = new PairRun(context, batch.Spans, true, _head);
            pair.Run(batch, both);
            pair.TakeWriters(both, 1, target);
            ablation.Target(_one, target, target);
            PrefixKeys? prefix = pair.ReleasePrefix();
            if (prefix is not null) Own(prefix);
            _patched.SetAblation(_one, target, prefix);
            _patched.Run(_one, pair.Prompts.Clean, [new PatchedCircuit(context.Graph, null)], true, _answers, keep: true);
            Judge(0);
        }

        public void Run(PatchedCircuit[] circuits, bool ablatedInputsMatter, int from)
        {
            _patched.Continue(_one, circuits, ablatedInputsMatter, from, _answers);
            for (int c = 0; c < circuits.Length; c++) Judge(c);
        }

        public void TakeValues(int copy, double[] byItem)
        {
            for (int i = 0; i < _items.Length; i++) byItem[_items[i]] = _objectives[(copy * _items.Length) + i];
        }

        public void Dispose()
        {
            for (int i = _owned.Count - 1; i >= 0; i--) _owned[i].Dispose();
        }

        private void Judge(int copy)
        {
            using Tensor rows = _answers.Slice((long)copy * _items.Length * _width, _items.Length, _width);
            _head.EvaluateRows(rows, _items.Length);
            _head.Values.AsSpan(0, _items.Length).CopyTo(_objectives.AsSpan(copy * _items.Length));
        }

        private T Own<T>(T resource)
            where T : IDisposable
        {
            _owned.Add(resource);
            return resource;
        }
    }
}
