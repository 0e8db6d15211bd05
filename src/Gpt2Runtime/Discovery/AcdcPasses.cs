using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>
/// The objective of candidate circuits. Before the reader whose turn it is every reader still has all its edges, so what is there is the
/// plain run of the clean prompts: it is kept once, and every candidate continues it from the reader's sublayer on.
/// </summary>
/// <remarks>
/// A candidate's objective has the same bits whatever runs beside it: copies share no sum, and the logits, whose product is computed in one
/// way for few rows and in another for many, are made copy by copy.
/// </remarks>
internal sealed class AcdcPasses : ResourceOwner
{
    private const int AmpleRows = 2048;
    private const int MostCopies = 32;

    // What a pass costs whatever its size, in units of rows x D x D of a copy; set by the times of 1, 2 and 4 candidates in
    // perf/RESULTS.md.
    private const double OverheadWork = 4e5;

    private readonly RunContext _context;
    private readonly ComputationGraph _graph;
    private readonly AcdcOptions _options;
    private readonly List<AcdcLane> _lanes = [];
    private readonly double[] _values;
    private readonly int _items;

    /// <summary>Runs the full model on all prompts and keeps what candidates will start from.</summary>
    /// <param name="model">The weights of the model, on the device that computes.</param>
    /// <param name="pairs">The prompts.</param>
    /// <param name="options">The options.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <exception cref="GradpathException">An item cannot be used, or the memory does not suffice.</exception>
    public AcdcPasses(Gpt2Weights model, IReadOnlyList<PromptPair> pairs, AcdcOptions options, CancellationToken cancellation)
    {
        PairChecks.Check(model.Config, pairs, options.Objective, options.Ablation, options.BatchSize);
        var parts = AnswerParts.Of(pairs, options.Objective);
        _items = parts.Count;
        pairs = parts.Pairs;
        _options = options;
        _graph = new ComputationGraph(model.Config);
        _values = new double[pairs.Count];
        long budget = model.Device.WorkspaceBudget;
        PromptSpan[] spans = PairSpans.Of(pairs, sharePrefixes: options.Ablation == Ablation.Patching);
        BatchPlan plan = BatchPlan.Make(spans, options.BatchSize, false, model.Device, batch => Bytes(model, pairs, options, batch, 1));
        PromptSpan[] largest = PromptSpan.Largest(spans, plan.Size);
        int rows = largest.Sum(s => s.Length);
        int ample = model.Device.RowsOfCopies(AmpleRows) / rows;
        Copies = Math.Clamp(options.Candidates > 0 ? options.Candidates : ample, 1, MostCopies);
        while (Copies > 1 && plan.Batches.Count * Bytes(model, pairs, options, largest, Copies) > budget) Copies /= 2;
        long needed = plan.Batches.Count * Bytes(model, pairs, options, largest, Copies);
        if (needed > budget)
        {
            (string takes, string free) = (ByteText.Of(needed), ByteText.Of(budget));
            const string What = "the search keeps the run of all prompts at hand";
            throw GradpathException.Worded(
                $"{What}, which takes {takes} here, and {free} are free; use {Terms.FewerPrompts}");
        }
        Overhead = OverheadWork / ((double)rows * model.Config.Width * model.Config.Width);
        BatchSize = plan.Size;
        _context = Own(new RunContext(model, pairs, spans, plan, options.Ablation, cancellation: cancellation));
        using (var ablation = new AblationTargets(_context, true))
        {
            foreach (int[] items in plan.Batches)
            {
                cancellation.ThrowIfCancellationRequested();
                _lanes.Add(Own(new AcdcLane(_context, options.Objective, items, Copies, ablation)));
            }
        }
        foreach (AcdcLane lane in _lanes) lane.TakeValues(0, _values);
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
        foreach (AcdcLane lane in _lanes) lane.Run(circuits, _context.AblatedInputsMatter, from);
        for (int c = 0; c < circuits.Length; c++)
        {
            foreach (AcdcLane lane in _lanes) lane.TakeValues(c, _values);
            objectives[c] = Mean();
            if (!double.IsFinite(objectives[c])) throw Overflow.Of("the objective");
        }
    }

    // In the order of the items, so that the batches do not matter.
    private double Mean()
    {
        double sum = 0;
        foreach (double value in _values) sum += value;
        return _options.Objective.LossSign * sum / _items;
    }

    // What one lane takes, with the run that makes it.
    private static long Bytes(
        Gpt2Weights model, IReadOnlyList<PromptPair> pairs, AcdcOptions options, IReadOnlyList<PromptSpan> batch, int copies) =>
        Rehearsal.Bytes(model, pairs, batch, options.Ablation, (context, items) =>
        {
            using var ablation = new AblationTargets(context, true);
            using var lane = new AcdcLane(context, options.Objective, items, copies, ablation);
            lane.Rehearse();
        });
}
