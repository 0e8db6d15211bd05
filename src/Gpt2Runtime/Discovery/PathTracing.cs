using System.Globalization;
using System.Runtime.InteropServices;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>
/// Path patching again and again, backwards from the logits (Wang et al. 2022, section 3): a round asks for the effect of all senders on a set
/// of receivers; the strongest senders' own inputs are the next round's receivers, their queries, keys and values each as a set of its own,
/// and all together for comparison.
/// </summary>
/// <remarks>
/// A sender that is strong on a set is followed only into those of its receivers where it counts by itself: where its effect through that
/// one edge is at least its fair share of the least effect that was followed (divided by the number of receivers), or else the strongest.
/// What reaches a query, an MLP or the logits matters at the positions where that receiver was patched; what reaches a key or a value
/// may come from any position. A node is followed once per set of positions.
/// </remarks>
public static class PathTracing
{
    // Effects below this share of the clean metric (of 1 for a divergence, which is 0 there) are rounding, however many senders were asked for.
    private const double Nothing = 1e-5;

    /// <summary>Follows paths backwards.</summary>
    /// <param name="model">The model, on the device that computes.</param>
    /// <param name="prompts">The prompt pairs; within one both prompts have the same length.</param>
    /// <param name="senders">Rows of the writers that are asked for.</param>
    /// <param name="receivers">The receivers of the first round.</param>
    /// <param name="patching">How paths are patched.</param>
    /// <param name="tracing">How far, and what is followed.</param>
    /// <param name="earlier">Rounds of an earlier run with the same arguments, to go on from; may be empty.</param>
    /// <param name="finished">Told after every round with all rounds so far; may be null.</param>
    /// <param name="progress">Told after each pass; may be null.</param>
    /// <param name="cancellation">Stops the run between passes.</param>
    /// <returns>The rounds.</returns>
    /// <exception cref="OptionException">An option cannot be used.</exception>
    /// <exception cref="GradpathException">An item or a position cannot be used.</exception>
    public static PathTrace Trace(
        Gpt2Weights model,
        PromptSet prompts,
        IReadOnlyList<int> senders,
        IReadOnlyList<PathReceiver> receivers,
        PathPatchingOptions patching,
        PathTracingOptions tracing,
        IReadOnlyList<PathRound>? earlier = null,
        Action<IReadOnlyList<PathRound>>? finished = null,
        IProgress<RunProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(prompts);
        ArgumentNullException.ThrowIfNull(senders);
        ArgumentNullException.ThrowIfNull(receivers);
        ArgumentNullException.ThrowIfNull(patching);
        ArgumentNullException.ThrowIfNull(tracing);
        patching = patching with { Metric = patching.Metric ?? prompts.Metric };
        if (patching.Metric.MeasuresDistance && tracing.Threshold is not null)
        {
            const string Reason = "the distance from the clean run is 0 in the clean run, so that no effect is a share of it";
            throw new OptionException(
                $"{Reason}: say with {Terms.Top} how many senders to follow, not with {Terms.Threshold} what share");
        }
        var graph = new ComputationGraph(model.Config);
        var rounds = new List<PathRound>();
        var followed = new HashSet<(int Node, TokenPositions Positions)>();
        PathEffects? last = null;
        long peak = 0;
        IReadOnlyList<PathReceiver> next = receivers;
        while (next.Count > 0 && rounds.Count < tracing.Rounds)
        {
            if (rounds.Count < earlier?.Count)
            {
                rounds.Add(earlier[rounds.Count]);
            }
            else
            {
                (PathRound round, last) = Round(
                    model, graph, prompts, senders, next, patching, tracing, Named(progress, rounds.Count + 1), cancellation);
                peak = Math.Max(peak, last.PeakDeviceBytes);
                rounds.Add(round);
                finished?.Invoke(rounds);
            }
            next = NextReceivers(graph, rounds[^1], followed);
        }
        // Where every round was there before, the clean metric is still to be measured.
        last ??= PathPatching.Measure(model, prompts, [new PathQuery([], receivers)], patching, cancellation: cancellation);
        return new PathTrace(graph, last.CleanMetric, rounds, last.BatchSize, Math.Max(peak, last.PeakDeviceBytes));
    }

    private static (PathRound Round, PathEffects Effects) Round(
        Gpt2Weights model,
        ComputationGraph graph,
        PromptSet prompts,
        IReadOnlyList<int> senders,
        IReadOnlyList<PathReceiver> receivers,
        PathPatchingOptions patching,
        PathTracingOptions tracing,
        IProgress<RunProgress>? progress,
        CancellationToken cancellation)
    {
        (string Kind, PathReceiver[] Receivers)[] sets = [.. receivers.GroupBy(r => KindOf(graph, r.Column), (kind, group) => (kind, group.ToArray()))];
        int kinds = sets.Length;
        if (kinds > 1) sets = [.. sets, ("all", [.. receivers])];
        PathEffects measured = PathPatching.Measure(
            model, prompts, [.. sets.Select(s => new PathQuery(senders, s.Receivers))], patching, progress, cancellation);
        PathMap[] maps = [.. sets.Select((set, q) =>
        {
            var effects = new double[graph.Writers];
            Array.Fill(effects, double.NaN);
            for (int s = 0; s < senders.Count; s++) effects[senders[s]] = measured.Effects[q][s];
            return new PathMap(set.Kind, set.Receivers, ImmutableCollectionsMarshal.AsImmutableArray(effects));
        })];
        PathEdge[] edges = Follow(model, graph, prompts, maps[..kinds], measured.CleanMetric, patching, tracing, progress, cancellation);
        return (new PathRound(maps, edges), measured);
    }

    // The strong senders of every set, and of each the edges that carry its effect.
    private static PathEdge[] Follow(
        Gpt2Weights model,
        ComputationGraph graph,
        PromptSet prompts,
        IReadOnlyList<PathMap> maps,
        double clean,
        PathPatchingOptions patching,
        PathTracingOptions tracing,
        IProgress<RunProgress>? progress,
        CancellationToken cancellation)
    {
        if (clean == 0 && tracing.Threshold is not null)
        {
            const string Reason = "the metric of the clean prompts is 0, so that no effect is a share of it";
            throw GradpathException.Worded($"{Reason}: say with {Terms.Top} how many senders to follow");
        }
        double unit = clean == 0 || patching.Metric is { MeasuresDistance: true } ? 1 : Math.Abs(clean);
        double least = Math.Max(Nothing, tracing.Threshold ?? 0) * unit;
        (PathMap Map, int Row, double Effect)[] strong =
        [
            .. maps
                .SelectMany(map => Enumerable.Range(0, map.Effects.Length).Select(row => (Map: map, Row: row, Effect: map.Effects[row])))
                .Where(s => Math.Abs(s.Effect) >= least)
                .OrderByDescending(s => Math.Abs(s.Effect))
                .Take(tracing.Top ?? int.MaxValue),
        ];
        if (strong.Length == 0) return [];
        if (tracing.Top is not null) least = Math.Abs(strong[^1].Effect);
        var edges = new List<PathEdge>();
        var queries = new List<PathQuery>();
        foreach (IGrouping<PathMap, (PathMap Map, int Row, double Effect)> group in strong.GroupBy(s => s.Map))
        {
            if (group.Key.Receivers.Count == 1) edges.AddRange(group.Select(s => new PathEdge(s.Row, group.Key.Receivers[0], s.Effect)));
            else queries.AddRange(group.Key.Receivers.Select(r => new PathQuery([.. group.Select(s => s.Row)], [r])));
        }
        if (queries.Count > 0)
        {
            PathEffects single = PathPatching.Measure(model, prompts, queries, patching, progress, cancellation);
            PathEdge[] candidates =
            [
                .. queries.SelectMany((query, q) => query.Senders.Select((row, s) => new PathEdge(row, query.Receivers[0], single.Effects[q][s]))).Where(e => !double.IsNaN(e.Effect)),
            ];
            foreach ((PathMap map, int row, _) in strong)
            {
                PathEdge[] own = [.. candidates.Where(e => e.Row == row && map.Receivers.Contains(e.Receiver)).OrderByDescending(e => Math.Abs(e.Effect))];
                edges.AddRange(own.Where((e, i) => i == 0 || Math.Abs(e.Effect) >= least / map.Receivers.Count));
            }
        }
        return [.. edges.OrderByDescending(e => Math.Abs(e.Effect)).ThenBy(e => e.Row).ThenBy(e => e.Receiver.Column)];
    }

    private static List<PathReceiver> NextReceivers(ComputationGraph graph, PathRound round, HashSet<(int Node, TokenPositions Positions)> followed)
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
