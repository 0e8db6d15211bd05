using System.Globalization;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>
/// Edge pruning (Bhaskar et al. 2024): every edge has a mask that is drawn anew each step from a hard concrete distribution; its parameter
/// learns to keep KL(full model || masked model) small while a Lagrangian pulls the share of masks that are off to a target that grows.
/// At the end the edges of the largest parameters are the circuit.
/// </summary>
/// <remarks>
/// Departures from the published program: only edges of the graph count (it also counts cells that are no edge); the number of edges is
/// met exactly, not through a threshold; prompts are dealt into batches once, and only the order of batches changes from epoch to epoch.
/// </remarks>
internal sealed class EdgePruning : SearchWorkOf<EdgePruningResult>
{
    private const int LogColumns = 7;

    private readonly List<EdgePruningStep> _log = [];
    private readonly Gpt2Weights _model;
    private readonly PromptSet _prompts;
    private readonly EdgePruningOptions _options;
    private readonly MaskedPlan _plan;
    private readonly double[] _starts;
    private readonly MaskTrainer _trainer;
    private readonly int[][] _items;
    private int[] _order = [];

    /// <summary>Sets up training.</summary>
    /// <param name="model">The weights of the model, on the device that computes.</param>
    /// <param name="prompts">The prompt pairs.</param>
    /// <param name="options">Settings.</param>
    /// <param name="candidates">The edges that may be in the circuit; null for all.</param>
    /// <param name="cancellation">Stops what is computed before the first step.</param>
    /// <exception cref="OptionException">An option cannot be used, or the candidates are too few.</exception>
    /// <exception cref="GradpathException">An item cannot be used, or memory does not suffice.</exception>
    public EdgePruning(
        Gpt2Weights model, PromptSet prompts, EdgePruningOptions options, Circuit? candidates, CancellationToken cancellation)
    {
        IReadOnlyList<PromptPair> pairs = prompts.Pairs;
        var graph = new ComputationGraph(model.Config);
        _model = model;
        _prompts = prompts;
        PairChecks.Check(model.Config, pairs, BuiltInMetrics.KlDivergence, options.Ablation, 0);
        options.Init?.RequireModel(model.Config, Terms.Init.Name);
        options.Init?.RequireFinite();
        _plan = new MaskedPlan(graph, candidates?.Membership.ToArray(), options.Ablation != Ablation.Patching);
        _options = candidates is null
            ? options.Resolve(graph.EdgeCount)
            : options.From(1 - (_plan.Edges.Length / (double)graph.EdgeCount), graph.EdgeCount);
        if (_plan.Edges.Length < Kept)
        {
            const string Advice = "prune less before, or ask for a higher sparsity";
            (double sparsity, int most) = (_options.Sparsity, _plan.Edges.Length);
            throw new OptionException(
                $"a circuit of sparsity {sparsity} has {Kept} edges, but only {most} may be in it and can change anything; {Advice}");
        }
        _starts = MaskStart.Means(_plan, _options.Init, _options.NodeMasks);
        _options = MaskStart.Scheduled(_plan, _options, _starts);
        _items = Deal(pairs.Count);
        _log.EnsureCapacity(_options.Steps);

        // Masked runs lie between the clean and the corrupted one when patching, so all agree before the first difference.
        PromptSpan[] spans = PairSpans.Of(pairs, sharePrefixes: options.Ablation == Ablation.Patching);
        int largest = _items.Max(batch => batch.Length);
        bool keep = Plan(spans, largest);
        var batches = new BatchPlan(_items, largest);
        RunContext context = Own(new RunContext(model, pairs, spans, batches, options.Ablation, cancellation: cancellation));
        _trainer = Own(new MaskTrainer(context, _plan, _options, _starts, keep));
    }

    /// <inheritdoc />
    public override bool IsDone => _log.Count == _options.Steps;

    /// <inheritdoc />
    public override string? Done =>
        _log.Count == 0 ? null : string.Create(CultureInfo.InvariantCulture, $"{_log.Count:N0} of {_options.Steps:N0} steps");

    /// <summary>The steps so far.</summary>
    public IReadOnlyList<EdgePruningStep> Log => _log.AsReadOnly();

    private int Kept => CircuitSize(_plan.Graph, _options.Sparsity);

    /// <summary>Edges of a circuit of a sparsity; 0 where none is left.</summary>
    /// <param name="edges">Edges of the graph.</param>
    /// <param name="sparsity">Share of them that the circuit lacks.</param>
    internal static int CircuitSize(int edges, double sparsity) => (int)Math.Round((1 - sparsity) * edges);

    /// <summary>Edges of a circuit of a sparsity.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="sparsity">Share of its edges that the circuit lacks.</param>
    /// <returns>The number, rounded.</returns>
    /// <exception cref="OptionException">No edge is left.</exception>
    public static int CircuitSize(ComputationGraph graph, double sparsity)
    {
        int size = CircuitSize(graph.EdgeCount, sparsity);
        if (size > 0) return size;
        double most = Math.Floor((1 - (1.0 / graph.EdgeCount)) * 1e6) / 1e6;
        throw new OptionException(
            $"{Terms.Sparsity.With(sparsity)} leaves none of the {graph.EdgeCount} edges; the highest that leaves one is {most}");
    }

    /// <inheritdoc />
    public override void Step(IProgress<RunProgress>? progress, CancellationToken cancellation)
    {
        int step = _log.Count;
        (int epoch, int turn) = Math.DivRem(step, _items.Length);
        if (_order.Length == 0 || (turn == 0 && _items.Length > 1)) _order = Shuffled(_items.Length, (ulong)epoch + 1);
        _log.Add(_trainer.Step(step, _order[turn]));
        progress?.Report(new RunProgress(_log.Count, _options.Steps, ""));
    }

    /// <inheritdoc />
    public override JsonObject Save()
    {
        (float[] logAlpha, float[] first, float[] second, double[] multipliers) = _trainer.State;
        double[] log =
        [
            .. _log.SelectMany(
                s => (double[])[s.Kl, s.EdgeLoss, s.NodeLoss, s.EdgeTarget, s.EdgeSparsity, s.NodeTarget, s.NodeSparsity]),
        ];
        return new JsonObject
        {
            ["log-alpha"] = RunCheckpoint.Pack<float>(logAlpha),
            ["first-moment"] = RunCheckpoint.Pack<float>(first),
            ["second-moment"] = RunCheckpoint.Pack<float>(second),
            ["multipliers"] = RunCheckpoint.Pack<double>(multipliers),
            ["log"] = RunCheckpoint.Pack<double>(log),
        };
    }

    /// <inheritdoc />
    public override void Restore(JsonObject state, RunCheckpoint checkpoint)
    {
        int count = _trainer.State.LogAlpha.Length;
        float[] logAlpha = checkpoint.Unpack<float>(state, "log-alpha", count);
        float[] first = checkpoint.Unpack<float>(state, "first-moment", count);
        float[] second = checkpoint.Unpack<float>(state, "second-moment", count);
        double[] multipliers = checkpoint.Unpack<double>(state, "multipliers", 12);
        double[] log = checkpoint.Unpack<double>(state, "log");
        if (second.AsSpan().ContainsAnyInRange(float.NegativeInfinity, -float.Epsilon)) throw checkpoint.Damaged();
        if (log.Length % LogColumns != 0 || log.Length / LogColumns > _options.Steps) throw checkpoint.Damaged();
        _trainer.State = (logAlpha, first, second, multipliers);
        _log.AddRange(log.Chunk(LogColumns).Select((v, i) => new EdgePruningStep(i + 1, v[0], v[1], v[2], v[3], v[4], v[5], v[6])));
    }

    /// <summary>The circuit of the masks as they are, with what led to it.</summary>
    /// <param name="search">The search that the training belongs to.</param>
    /// <returns>The result.</returns>
    public EdgePruningResult Result(CircuitSearch search)
    {
        Gpt2Config c = _model.Config;
        (float[] logAlpha, _, _, _) = _trainer.State;
        int batchSize = _items.Max(b => b.Length);
        Provenance provenance = SearchProvenance.Of(search, _model, _prompts, _options, batchSize, BuiltInMetrics.KlDivergence) with
        {
            Sign = "none: the mask without noise, from 0 (off) to 1 (on)",
            Selection = new JsonObject { ["select"] = "masks", ["value"] = _options.Sparsity, ["pruned"] = true },
        };
        long work = _plan.WorkPerRow(c.Width, c.HeadWidth, c.InnerWidth);
        return new EdgePruningResult
        {
            Circuit = MaskDiscretization.Select(_plan, logAlpha, _options.NodeMasks, Kept, c.Width).With(provenance),
            BatchSize = batchSize,
            PeakDeviceBytes = _model.Device.PeakBytes,
            Passes = 2 + (_options.Steps / (double)_items.Length * work / (c.Layers * Layer(c))),
            Log = _log.AsReadOnly(),
            Options = _options,
            WorkPerRow = work,
        };
    }

    /// <summary>KL(full model || circuit) on the prompts: the masks of its edges are 1, all others 0.</summary>
    /// <param name="circuit">A circuit of candidates.</param>
    /// <param name="cancellation">Stops the work between passes.</param>
    /// <returns>The mean over the prompt pairs.</returns>
    public double Kl(Circuit circuit, CancellationToken cancellation) => _trainer.Kl(circuit, _items.Length, cancellation);

    /// <inheritdoc />
    protected override EdgePruningResult Finish(CancellationToken cancellation) => Result(CircuitSearches.EdgePruning);

    // Multiply-adds of a layer's matrix products for each token.
    private static double Layer(Gpt2Config c) => (4.0 * c.Width * c.Width) + (2.0 * c.Width * c.InnerWidth);

    // Batches of even size from shuffled items.
    private int[][] Deal(int count)
    {
        int batches = (count + _options.BatchSize - 1) / _options.BatchSize;
        int[] items = Shuffled(count, 0);
        return [.. Enumerable.Range(0, batches).Select(b =>
            items[(int)((long)count * b / batches)..(int)((long)count * (b + 1) / batches)])];
    }

    private int[] Shuffled(int count, ulong stream)
    {
        var random = new SplitMix64(_options.Seed!.Value ^ (stream * 0xD1B54A32D192ED03UL));
        int[] order = [.. Enumerable.Range(0, count)];
        random.Shuffle<int>(order);
        return order;
    }

    // Requires memory for one batch. The answer: whether all batches can stay on the device.
    private bool Plan(PromptSpan[] spans, int items)
    {
        int batches = _items.Length;
        long needed = Needed(items, 1), budget = _model.Device.MemoryBudget ?? _model.Device.FreeMemory;
        if (needed > budget) throw TooLarge(items, needed, budget, size => Needed(size, 1) <= budget);
        if (batches == 1) return true;
        return needed + ((batches - 1) * (Needed(items, 2) - needed)) <= _model.Device.WorkspaceBudget;

        long Needed(int size, int kept) =>
            Rehearsal.Bytes(_model, _prompts.Pairs, PromptSpan.Largest(spans, size), _options.Ablation, (context, _) =>
            {
                using var trainer = new MaskTrainer(context, _plan, _options, _starts, keep: true);
                for (int i = 0; i < kept; i++) trainer.Step(i, i);
            });
    }

    private static GradpathException TooLarge(int items, long needed, long budget, Func<int, bool> fits)
    {
        (int most, int tooMany) = (0, items);
        while (tooMany - most > 1)
        {
            int middle = (most + tooMany) / 2;
            if (fits(middle)) most = middle;
            else tooMany = middle;
        }
        (string takes, string free) = (ByteText.Of(needed), ByteText.Of(budget));
        string pairs = items == 1 ? "one prompt pair" : $"{items} prompt pairs";
        string lack = $"a batch of {pairs} needs {takes} and {free} are free";
        return most > 0
            ? GradpathException.Worded($"{lack}; {Terms.BatchSize.With(most)} fits")
            : GradpathException.Worded($"{lack}, too little even for one: allow more ({Terms.MemoryBudget}), or use shorter prompts");
    }
}
