using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>
/// ACDC (Conmy et al. 2023): starts from the full graph, goes through the readers from the logits back to the first layer, and takes every
/// sender of a reader away for good whose edge the objective misses by less than a threshold tau:
///
///     m = objective(full graph)
///     for every reader v, in reverse topological order: if nothing reads v's node, drop its edges; else
///         for every sender u: m' = objective(circuit without u -> v); if m' - m &lt; tau: remove the edge, m = m'
///
/// Removed edges carry the ablated output, all others this run's; what has not had its turn yet is in the circuit. One circuit per
/// threshold is searched; all share the kept run of the full model, and what an earlier one decided helps to guess.
/// </summary>
/// <remarks>
/// <para>Heads have three readers (query, key, value) with senders of their own. There are no edges from a head's inputs to the head, which
/// the paper's program also tests and whose graph therefore has 36 more edges per layer of GPT-2 small.</para>
/// <para>Candidates run as copies of one pass. Candidate j of a pass is tested in the circuit that results if the guesses about those
/// before it are right (<see cref="AcdcForesight"/>); decisions are taken in order up to the first wrong guess, and what ran behind it is
/// thrown away. So every decision is taken in the circuit that the sequential algorithm would have at that point, on the same bits: the
/// circuit does not depend on how many run at once (AcdcTests compares widths, and with the plain loop in float64).</para>
/// <para>With tau = 0 an edge goes only where the objective falls without it, so nothing goes that matters; the objective never rises above
/// the full model's. With an infinite tau every edge goes.</para>
/// </remarks>
internal sealed class Acdc : SearchWorkOf<AcdcResult>
{
    private readonly Gpt2Weights _model;
    private readonly PromptSet _prompts;
    private readonly IReadOnlyList<double> _thresholds;
    private readonly AcdcOptions _options;
    private readonly ComputationGraph _graph;
    private readonly AcdcPasses _passes;
    private readonly List<AcdcResult> _results = [];
    private AcdcState _state;
    private AcdcWalk _walk;
    private AcdcForesight _foresight;

    /// <summary>Runs the full model and starts with the first threshold.</summary>
    /// <param name="model">The weights of the model, on the device that computes.</param>
    /// <param name="prompts">The prompt pairs.</param>
    /// <param name="thresholds">The thresholds tau, 0 or more; infinite ones may be among them. At least one.</param>
    /// <param name="options">Everything else that decides the result; their threshold is not read.</param>
    /// <param name="cancellation">Stops the run of the full model.</param>
    /// <exception cref="OptionException">A threshold or an option cannot be used.</exception>
    /// <exception cref="GradpathException">An item cannot be used, or the memory does not suffice.</exception>
    public Acdc(
        Gpt2Weights model, PromptSet prompts, IReadOnlyList<double> thresholds, AcdcOptions options, CancellationToken cancellation)
    {
        _model = model;
        _prompts = prompts;
        _thresholds = thresholds;
        _options = options;
        _graph = new ComputationGraph(model.Config);
        CheckOptions();
        _passes = Own(new AcdcPasses(model, prompts.Pairs, options, cancellation));
        _state = new AcdcState(thresholds.Count);
        (_walk, _foresight) = Begin();
    }

    /// <summary>One result per threshold that is finished, in the order given.</summary>
    public IReadOnlyList<AcdcResult> Results => _results.AsReadOnly();

    /// <summary>The steps so far by threshold, those of the one at hand last.</summary>
    public IReadOnlyList<(double Threshold, IReadOnlyList<AcdcStep> Steps)> Steps
    {
        get
        {
            List<(double, IReadOnlyList<AcdcStep>)> steps = [.. _results.Select(r => (r.Threshold, r.Steps))];
            if (!IsDone) steps.Add((_thresholds[_results.Count], _walk.Steps));
            return steps;
        }
    }

    /// <inheritdoc />
    public override bool IsDone => _results.Count == _thresholds.Count;

    /// <inheritdoc />
    public override string? Done =>
        _state.Tested == 0 ? null : string.Create(CultureInfo.InvariantCulture, $"{_state.Tested:N0} tests of edges");

    /// <inheritdoc />
    public override void Step(IProgress<RunProgress>? progress, CancellationToken cancellation)
    {
        int threshold = _results.Count;
        Pass(threshold);
        int left = _graph.EdgeCount - _walk.Steps.Count;
        progress?.Report(new RunProgress(
            ((long)(threshold + 1) * _graph.EdgeCount) - left, (long)_thresholds.Count * _graph.EdgeCount, $"edges, {left} to go"));
        TakeResults();
    }

    /// <inheritdoc />
    public override JsonObject Save() => _state.ToJson();

    /// <inheritdoc />
    public override void Restore(JsonObject state, RunCheckpoint checkpoint)
    {
        _state = AcdcState.FromJson(state, checkpoint, _thresholds.Count);
        (_walk, _foresight) = Begin(checkpoint);
        TakeResults(checkpoint);
        for (int t = _results.Count + 1; t < _thresholds.Count; t++)
        {
            if (_state.Objectives(t).Count > 0) throw checkpoint.Damaged();
        }
    }

    /// <inheritdoc />
    protected override AcdcResult Finish(CancellationToken cancellation) => _results[0];

    private void CheckOptions()
    {
        if (_thresholds.Count == 0) throw new OptionException($"there is no threshold to search with");
        foreach (double tau in _thresholds)
        {
            if (!(tau >= 0)) throw new OptionException($"the threshold is {tau}: it must be 0 or more");
        }
        if (_options.Candidates < 0)
            throw new OptionException($"{Terms.Candidates.With(_options.Candidates)}: must be at least 1, or 0 for as many as seem to pay");
        if (_options.Order != SenderOrder.Score) return;
        if (_options.Scores is not { } scores) throw new OptionException($"{Terms.Order.With(SenderOrder.Score)} needs {Terms.Scores}");
        scores.RequireModel(_model.Config, "the scores");
        scores.RequireFinite();
    }

    // The walk of the next threshold, as far as the state has its decisions.
    private (AcdcWalk Walk, AcdcForesight Foresight) Begin(RunCheckpoint? checkpoint = null)
    {
        int threshold = _results.Count;
        var walk = new AcdcWalk(_graph, _options, _thresholds[threshold], _passes.Full);
        var foresight = new AcdcForesight(threshold > 0 ? _results[threshold - 1].Steps : null, _graph.Readers);
        foreach (double objective in _state.Objectives(threshold))
        {
            if (walk.Done) throw checkpoint!.Damaged();
            Decide(walk, foresight, objective);
        }
        return (walk, foresight);
    }

    // A walk that is done gives a result, and the next one begins; it may be done at once where its decisions were saved.
    private void TakeResults(RunCheckpoint? checkpoint = null)
    {
        while (!IsDone && _walk.Done)
        {
            _results.Add(Result(_thresholds[_results.Count], _walk, _state.Effort(_results.Count)));
            if (!IsDone) (_walk, _foresight) = Begin(checkpoint);
        }
    }

    private static bool Decide(AcdcWalk walk, AcdcForesight foresight, double objective)
    {
        (int row, int column) = walk.Ahead(1)[0];
        bool removed = walk.Decide(objective);
        foresight.Learn(row, column, removed);
        return removed;
    }

    private void Pass(int threshold)
    {
        var watch = Stopwatch.StartNew();
        int sublayer = _walk.Sublayer;
        int width = _passes.FixedCopies ? _passes.Copies : _foresight.Width(_passes.Copies, _passes.Overhead);
        List<(int Row, int Column)> ahead = _walk.Ahead(width);
        var circuits = new PatchedCircuit[ahead.Count];
        var guesses = new bool[ahead.Count];
        List<(int Row, int Column)> gone = [];
        for (int c = 0; c < circuits.Length; c++)
        {
            circuits[c] = new PatchedCircuit(_graph, _walk.Kept, [.. gone, ahead[c]]);
            guesses[c] = _foresight.Removes(ahead[c].Row, ahead[c].Column);
            if (guesses[c]) gone.Add(ahead[c]);
        }
        var objectives = new double[circuits.Length];
        _passes.Run(circuits, sublayer, objectives);
        int decided = 0;
        while (decided < circuits.Length)
        {
            bool removed = Decide(_walk, _foresight, objectives[decided]);
            if (removed != guesses[decided++]) break;
        }
        long sublayers = circuits.Length * ((2L * _graph.Layers) + 1 - sublayer);
        _state.Add(threshold, objectives.AsSpan(0, decided), circuits.Length, sublayers, watch.Elapsed.TotalSeconds);
    }

    private AcdcResult Result(double threshold, AcdcWalk walk, AcdcEffort effort)
    {
        var changes = new float[walk.Kept.Length];
        foreach (AcdcStep step in walk.Steps)
        {
            int at = (step.Row * _graph.Readers) + step.Column;
            if (step.Decision != AcdcDecision.Dropped) changes[at] = (float)(step.After - step.Before);
        }
        int width = _model.Config.Width;
        var found = new Circuit(_graph, walk.Kept) { Scores = new EdgeScores(_graph, changes) { ModelWidth = width }, ModelWidth = width };
        AcdcOptions options = _options with { Threshold = threshold };
        Provenance provenance = SearchProvenance.Of(CircuitSearches.Acdc, _model, _prompts, options, _passes.BatchSize, options.Objective);
        provenance.Options["objective_full"] = _passes.Full;
        provenance.Options["objective_circuit"] = walk.Objective;
        provenance.Options["edges_tested"] = effort.Tested;
        provenance.Options["candidates_run"] = effort.Runs;
        provenance.Options["forward_passes"] = effort.Passes(_graph.Layers);
        provenance.Options["seconds"] = Math.Round(effort.Seconds, 3);
        return new AcdcResult
        {
            Circuit = found.With(provenance with
            {
                Sign = "change of the loss when the edge was tested, positive = removing it hurts; 0 where it was not tested",
                Selection = new JsonObject
                {
                    ["select"] = CircuitSearches.Acdc.Name,
                    ["value"] = threshold,
                    ["signed"] = !options.Absolute,
                    ["pruned"] = false,
                },
            }),
            BatchSize = _passes.BatchSize,
            PeakDeviceBytes = _model.Device.PeakBytes,
            Passes = 2 + effort.Passes(_graph.Layers),
            Threshold = threshold,
            Steps = walk.Steps,
            Full = _passes.Full,
            Objective = walk.Objective,
            Effort = effort,
        };
    }
}
