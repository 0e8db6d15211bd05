using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels;

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
public sealed class EdgePruning : IDisposable
{
    private const int LogColumns = 7;

    private readonly List<EdgePruningStep> _log = [];
    private readonly Gpt2Weights _model;
    private readonly EdgePruningOptions _options;
    private readonly MaskedPlan _plan;
    private readonly RunContext _context;
    private readonly MaskTrainer _trainer;
    private readonly int[][] _items;
    private readonly CancellationToken _cancellation;
    private int[] _order = [];

    /// <summary>Sets up training.</summary>
    /// <param name="model">The model, on the device that computes.</param>
    /// <param name="prompts">The prompt pairs; within one both prompts have the same length.</param>
    /// <param name="options">Settings.</param>
    /// <param name="candidates">[F, K] row-major: edges that may be in the circuit; null for all.</param>
    /// <param name="cancellation">Stops the work between steps.</param>
    /// <exception cref="OptionException">An option cannot be used.</exception>
    /// <exception cref="GradpathException">An item cannot be used, the candidates are too few, or memory does not suffice.</exception>
    public EdgePruning(
        Gpt2Weights model,
        PromptSet prompts,
        EdgePruningOptions options,
        bool[]? candidates = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(prompts);
        ArgumentNullException.ThrowIfNull(options);
        IReadOnlyList<PromptPair> pairs = prompts.Pairs;
        var graph = new ComputationGraph(model.Config);
        _model = model;
        _cancellation = cancellation;
        PairChecks.Check(model.Config, pairs, BuiltInMetrics.KlDivergence, options.Ablation, 0);
        model.Device.ResetPeak();
        _plan = new MaskedPlan(graph, candidates, options.Ablation != Ablation.Patching);
        _options = candidates is null ? options.Resolve(graph.EdgeCount) : options.From(1 - (_plan.Edges.Length / (double)graph.EdgeCount), graph.EdgeCount);
        if (_plan.Edges.Length < Kept)
        {
            const string Advice = "prune less before, or ask for a higher sparsity";
            (double sparsity, int most) = (_options.Sparsity, _plan.Edges.Length);
            throw new OptionException(
                $"a circuit of sparsity {sparsity} has {Kept} edges, but only {most} may be in it and can change anything; {Advice}");
        }
        _items = Deal(pairs.Count);
        _log.EnsureCapacity(_options.Steps);
        // Masked runs lie between the clean and the corrupted one when patching, so all agree before the first difference.
        PromptSpan[] spans = PairSpans.Of(pairs, sharePrefixes: options.Ablation == Ablation.Patching);
        int largest = _items.Max(batch => batch.Length);
        RequireMemory(PassCapacity.For(PromptSpan.Largest(spans, largest), 1, true), largest);
        using RunLease lease = model.Device.EnterRun();
        using var scope = new AllocationScope(model.Device);
        _context = new RunContext(model, pairs, spans, new BatchPlan(_items, largest), options.Ablation, cancellation: cancellation);
        _trainer = new MaskTrainer(_context, _plan, _options);
        scope.Keep();
    }

    /// <summary>Number of steps done.</summary>
    public int Step => _log.Count;

    /// <summary>What is run, with every default in place.</summary>
    public EdgePruningOptions Options => _options;

    /// <summary>Number of edges that have masks.</summary>
    public int Candidates => _plan.Edges.Length;

    private int Kept => CircuitSize(_plan.Graph, _options.Sparsity);

    /// <summary>Edges of a circuit of a sparsity.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="sparsity">Share of its edges that the circuit lacks.</param>
    /// <returns>The number, rounded.</returns>
    public static int CircuitSize(ComputationGraph graph, double sparsity)
    {
        ArgumentNullException.ThrowIfNull(graph);
        return (int)Math.Round((1 - sparsity) * graph.EdgeCount);
    }

    /// <summary>Does all steps that are left.</summary>
    /// <param name="progress">Told after each step; may be null.</param>
    /// <exception cref="OperationCanceledException">The work was stopped; <see cref="Save"/> then has what is done.</exception>
    /// <exception cref="DeviceException">The device failed or has no room. What the step had allocated is freed; no step can follow.</exception>
    public void Train(IProgress<RunProgress>? progress = null)
    {
        using RunLease lease = _model.Device.EnterRun();
        while (Step < _options.Steps)
        {
            _cancellation.ThrowIfCancellationRequested();
            OneStep();
            progress?.Report(new RunProgress(Step, _options.Steps, ""));
        }
    }

    /// <summary>The circuit of the masks as they are.</summary>
    /// <returns>Circuit and log.</returns>
    public EdgePruningResult Finish()
    {
        using RunLease lease = _model.Device.EnterRun();
        (float[] logAlpha, _, _, _) = _trainer.State;
        Circuit circuit = MaskDiscretization.Select(_plan, logAlpha, _options.NodeMasks, Kept);
        Gpt2Config c = _model.Config;
        return new EdgePruningResult(
            circuit, _log, _options, _items.Max(b => b.Length), _model.Device.PeakBytes, _plan.WorkPerRow(c.Width, c.HeadWidth, c.InnerWidth));
    }

    /// <summary>Saves everything that the steps to come depend on.</summary>
    /// <param name="file">The progress file of the run.</param>
    /// <exception cref="GradpathException">It cannot be written.</exception>
    public void Save(ProgressFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        using RunLease lease = _model.Device.EnterRun();
        (float[] logAlpha, float[] first, float[] second, double[] multipliers) = _trainer.State;
        double[] log = [.. _log.SelectMany(s => (double[])[s.Kl, s.EdgeLoss, s.NodeLoss, s.EdgeTarget, s.EdgeSparsity, s.NodeTarget, s.NodeSparsity])];
        file.Save(new JsonObject
        {
            ["log-alpha"] = ProgressFile.Pack<float>(logAlpha),
            ["first-moment"] = ProgressFile.Pack<float>(first),
            ["second-moment"] = ProgressFile.Pack<float>(second),
            ["multipliers"] = ProgressFile.Pack<double>(multipliers),
            ["log"] = ProgressFile.Pack<double>(log),
        });
    }

    /// <summary>Goes on from where a run was saved; the steps to come are those of a run that was never stopped, bit for bit.</summary>
    /// <param name="file">The progress file of the run.</param>
    /// <exception cref="GradpathException">It cannot be read or belongs to another run.</exception>
    public void Restore(ProgressFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        using RunLease lease = _model.Device.EnterRun();
        JsonObject state = file.Load();
        float[] logAlpha = file.Unpack<float>(state, "log-alpha");
        float[] first = file.Unpack<float>(state, "first-moment");
        float[] second = file.Unpack<float>(state, "second-moment");
        double[] multipliers = file.Unpack<double>(state, "multipliers");
        double[] log = file.Unpack<double>(state, "log");
        int count = _trainer.State.LogAlpha.Length;
        bool fits = logAlpha.Length == count && first.Length == count && second.Length == count && multipliers.Length == 12 && log.Length % LogColumns == 0;
        if (!fits || log.Length / LogColumns > _options.Steps) throw file.Damaged();
        _trainer.State = (logAlpha, first, second, multipliers);
        _log.Clear();
        _log.AddRange(log.Chunk(LogColumns).Select((v, i) => new EdgePruningStep(i + 1, v[0], v[1], v[2], v[3], v[4], v[5], v[6])));
        _order = [];
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _trainer.Dispose();
        _context.Dispose();
    }

    private void OneStep()
    {
        (int epoch, int turn) = Math.DivRem(Step, _items.Length);
        if (_order.Length == 0 || (turn == 0 && _items.Length > 1)) _order = Shuffled(_items.Length, (ulong)epoch + 1);
        _log.Add(_trainer.Step(Step, _order[turn]));
    }

    // Batches of even size from shuffled items.
    private int[][] Deal(int count)
    {
        int batches = (count + _options.BatchSize - 1) / _options.BatchSize;
        int[] items = Shuffled(count, 0);
        return [.. Enumerable.Range(0, batches).Select(b => items[(int)((long)count * b / batches)..(int)((long)count * (b + 1) / batches)])];
    }

    private int[] Shuffled(int count, ulong stream)
    {
        var random = new SplitMix64(_options.Seed ^ (stream * 0xD1B54A32D192ED03UL));
        int[] order = [.. Enumerable.Range(0, count)];
        for (int i = count - 1; i > 0; i--)
        {
            int other = random.Below(i + 1);
            (order[i], order[other]) = (order[other], order[i]);
        }
        return order;
    }

    private void RequireMemory(in PassCapacity capacity, int items)
    {
        long needed = MaskedPass.Bytes(_model.Config, _plan, capacity) + OutputHead.Bytes(_model.Config, BuiltInMetrics.KlDivergence, items, 3 * items)
            + (2 * Activations.Bytes(_model.Config, capacity, keepWriters: true));
        long budget = _model.Device.MemoryBudget ?? _model.Device.FreeMemory;
        if (needed > budget)
        {
            (double takes, double free) = (needed / 1048576.0, budget / 1048576.0);
            throw GradpathException.Worded(
                $"a batch of {items} prompt pairs needs {takes:F0} MiB and {free:F0} MiB are free; use a smaller {Terms.BatchSize}");
        }
    }
}
