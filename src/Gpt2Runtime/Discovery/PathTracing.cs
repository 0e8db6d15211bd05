using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>
/// Path patching again and again, backwards from the logits (Wang et al. 2022, section 3): a round asks for the effect of all senders on a
/// set of receivers; the strongest senders' own inputs are the next round's receivers, their queries, keys and values each as a set of its
/// own, and all together for comparison.
/// </summary>
/// <remarks>
/// A sender that is strong on a set is followed only into those of its receivers where it counts by itself: where its effect through that
/// one edge is at least its fair share of the least effect that was followed (divided by the number of receivers), or else the strongest.
/// What reaches a query, an MLP or the logits matters at the positions where that receiver was patched; what reaches a key or a value
/// may come from any position. A node is followed once per set of positions.
/// </remarks>
internal sealed class PathTracing : SearchWorkOf<PathTracingResult>
{
    // Effects below this share of the clean metric (of 1 for a divergence, which is 0 there) are rounding, however many senders were
    // asked for.
    private const double Nothing = 1e-5;

    private readonly Gpt2Weights _model;
    private readonly PromptSet _prompts;
    private readonly PathTracingOptions _options;
    private readonly ComputationGraph _graph;
    private readonly PathPatchingOptions _patching;
    private readonly Metric _metric;
    private readonly IReadOnlyList<int> _senders;
    private readonly IReadOnlyList<PathReceiver> _receivers;
    private readonly List<PathRound> _rounds = [];
    private readonly HashSet<(int Node, TokenPositions Positions)> _followed = [];
    private IReadOnlyList<PathReceiver> _next;
    private PathEffects? _last;
    private long _peak;

    /// <summary>Sets a search up; nothing runs yet.</summary>
    /// <param name="model">The weights of the model, on the device that computes.</param>
    /// <param name="prompts">The prompt pairs.</param>
    /// <param name="options">How paths are patched, and how far they are followed.</param>
    /// <exception cref="OptionException">An option cannot be used.</exception>
    public PathTracing(Gpt2Weights model, PromptSet prompts, PathTracingOptions options)
    {
        _model = model;
        _prompts = prompts;
        _options = options;
        _graph = new ComputationGraph(model.Config);
        _metric = options.Metric ?? prompts.Metric;
        _patching = options.Patching with { Metric = _metric };
        _senders = options.Senders ?? [.. Enumerable.Range(0, _graph.Writers)];
        _receivers = options.Receivers ?? [new PathReceiver(_graph.LogitsColumn, TokenPositions.End)];
        _next = _receivers;
        options.RequireShare(_metric);
    }

    /// <inheritdoc />
    public override bool IsDone => _next.Count == 0 || _rounds.Count >= _options.Rounds;

    /// <inheritdoc />
    public override string? Done => _rounds.Count switch
    {
        0 => null,
        1 => "1 round",
        _ => string.Create(CultureInfo.InvariantCulture, $"{_rounds.Count} rounds"),
    };

    /// <inheritdoc />
    public override void Step(IProgress<RunProgress>? progress, CancellationToken cancellation)
    {
        (PathRound round, _last) = Round(_next, Named(progress, _rounds.Count + 1), cancellation);
        _peak = Math.Max(_peak, _last.PeakDeviceBytes);
        Take(round);
    }

    /// <inheritdoc />
    public override JsonObject Save() => PathTraceState.ToJson(_rounds);

    /// <inheritdoc />
    public override void Restore(JsonObject state, RunCheckpoint checkpoint)
    {
        // Another number of rounds may be asked for now.
        foreach (PathRound round in PathTraceState.FromJson(_graph, checkpoint, state))
        {
            if (!IsDone) Take(round);
        }
    }

    /// <inheritdoc />
    protected override PathTracingResult Finish(CancellationToken cancellation)
    {
        // Where every round was there before, the clean metric is still to be measured.
        _last ??= PathPatching.Measure(_model, _prompts, [new PathQuery([], _receivers)], _patching, cancellation: cancellation);
        int lossSign = _metric.LossSign;
        Provenance provenance = SearchProvenance.Of(CircuitSearches.PathTracing, _model, _prompts, _options, _last.BatchSize, _metric) with
        {
            Sign = Provenance.LossSign,
        };
        provenance.Options["rounds"] = _rounds.Count;
        Circuit circuit = PathCircuit.Of(_graph, _rounds, !_options.FreezeMlps, lossSign, _model.Config.Width);
        return new PathTracingResult
        {
            Circuit = circuit.With(provenance),
            BatchSize = _last.BatchSize,
            PeakDeviceBytes = Math.Max(_peak, _last.PeakDeviceBytes),
            CleanMetric = _last.CleanMetric,
            Rounds = _rounds.AsReadOnly(),
        };
    }

    private void Take(PathRound round)
    {
        _rounds.Add(round);
        _next = NextReceivers(_graph, round, _followed);
    }

    private (PathRound Round, PathEffects Effects) Round(
        IReadOnlyList<PathReceiver> receivers, IProgress<RunProgress>? progress, CancellationToken cancellation)
    {
        (string Kind, PathReceiver[] Receivers)[] sets =
            [.. receivers.GroupBy(r => KindOf(_graph, r.Column), (kind, group) => (kind, group.ToArray()))];
        int kinds = sets.Length;
        if (kinds > 1) sets = [.. sets, ("all", [.. receivers])];
        PathEffects measured = PathPatching.Measure(
            _model, _prompts, [.. sets.Select(s => new PathQuery(_senders, s.Receivers))], _patching, progress, cancellation);
        PathMap[] maps = [.. sets.Select((set, q) =>
        {
            var effects = new double[_graph.Writers];
            Array.Fill(effects, double.NaN);
            for (int s = 0; s < _senders.Count; s++) effects[_senders[s]] = measured.Effects[q][s];
            return new PathMap(set.Kind, set.Receivers, ImmutableCollectionsMarshal.AsImmutableArray(effects));
        })];
        PathEdge[] edges = Follow(maps[..kinds], measured.CleanMetric, progress, cancellation);
        return (new PathRound(maps, edges), measured);
    }

    // The strong senders of every set, and of each the edges that carry its effect.
    private PathEdge[] Follow(
        IReadOnlyList<PathMap> maps, double clean, IProgress<RunProgress>? progress, CancellationToken cancellation)
    {
        if (clean == 0 && _options.Threshold is not null)
        {
            const string Reason = "the metric of the clean prompts is 0, so that no effect is a share of it";
            throw GradpathException.Worded($"{Reason}: say with {Terms.Top} how many senders to follow");
        }
        double unit = clean == 0 || _metric.MeasuresDistance ? 1 : Math.Abs(clean);
        double least = Math.Max(Nothing, _options.Threshold ?? 0) * unit;
        (PathMap Map, int Row, double Effect)[] strong =
        [
            .. maps
                .SelectMany(map => Enumerable.Range(0, map.Effects.Length).Select(row => (Map: map, Row: row, Effect: map.Effects[row])))
                .Where(s => Math.Abs(s.Effect) >= least)
                .OrderByDescending(s => Math.Abs(s.Effect))
                .Take(_options.Top ?? int.MaxValue),
        ];
        if (strong.Length == 0) return [];
        if (_options.Top is not null) least = Math.Abs(strong[^1].Effect);
        var edges = new List<PathEdge>();
        var queries = new List<PathQuery>();
        foreach (IGrouping<PathMap, (PathMap Map, int Row, double Effect)> group in strong.GroupBy(s => s.Map))
        {
            if (group.Key.Receivers.Count == 1) edges.AddRange(group.Select(s => new PathEdge(s.Row, group.Key.Receivers[0], s.Effect)));
            else queries.AddRange(group.Key.Receivers.Select(r => new PathQuery([.. group.Select(s => s.Row)], [r])));
        }
        if (queries.Count > 0)
        {
            PathEffects single = PathPatching.Measure(_model, _prompts, queries, _patching, progress, cancellation);
            PathEdge[] candidates =
            [
                .. queries
                    .SelectMany((query, q) => query.Senders.Select(
                        (row, s) => new PathEdge(row, query.Receivers[0], single.Effects[q][s])))
                    .Where(e => !double.IsNaN(e.Effect)),
            ];
            foreach ((PathMap map, int row, _) in strong)
            {
                PathEdge[] own =
                [
                    .. candidates.Where(e => e.Row == row && map.Receivers.Contains(e.Receiver)).OrderByDescending(e => Math.Abs(e.Effect)),
                ];
                edges.AddRange(own.Where((e, i) => i == 0 || Math.Abs(e.Effect) >= least / map.Receivers.Count));
            }
        }
        return [.. edges.OrderByDescending(e => Math.Abs(e.Effect)).ThenBy(e => e.Row).ThenBy(e => e.Receiver.Column)];
    }

    private static List<PathReceiver> NextReceivers(
        ComputationGraph graph, PathRound round, HashSet<(int Node, TokenPositions Positions)> followed)
    {
        var next = new List<PathReceiver>();
        foreach (IGrouping<int, PathEdge> sender in round.Edges.GroupBy(e => e.Row).OrderBy(g => g.Key))
        {
            if (sender.Key == ComputationGraph.InputRow) continue;
            TokenPositions[] positions = [.. sender.Select(e => OutputPositions(graph, e.Receiver)).Distinct()];
            TokenPositions at = positions.Aggregate(TokenPositions.Or);
            if (followed.Contains((sender.Key, TokenPositions.All)) || !followed.Add((sender.Key, at))) continue;
            foreach (int column in graph.ReadersOf(sender.Key))
            {
                // Keys and values are read from everywhere by the positions that matter.
                next.Add(new PathReceiver(column, KindOf(graph, column) is "k" or "v" ? TokenPositions.All : at));
            }
        }
        return next;
    }

    // Where the output of a receiver's sender matters.
    private static TokenPositions OutputPositions(ComputationGraph graph, PathReceiver receiver) =>
        KindOf(graph, receiver.Column) is "k" or "v" ? TokenPositions.All : receiver.Positions;

    private static string KindOf(ComputationGraph graph, int column) => graph.KindOfReader(column) switch
    {
        NodeKind.Logits => "logits",
        NodeKind.Mlp => "mlp",
        _ => graph.InputOfReader(column) switch { HeadInput.Query => "q", HeadInput.Key => "k", _ => "v" },
    };

    private static RoundProgress? Named(IProgress<RunProgress>? progress, int round) =>
        progress is null ? null : new RoundProgress(progress, string.Create(CultureInfo.InvariantCulture, $"round {round}"));

    private sealed class RoundProgress(IProgress<RunProgress> progress, string stage) : IProgress<RunProgress>
    {
        public void Report(RunProgress value) => progress.Report(value with { Stage = stage });
    }
}
