using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Positions;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Host.Sessions;
using Gradpath.Host.Sweeps.Plan;

namespace Gradpath.Host.Sweeps.Units;

/// <summary>Measures what a plan wants to know of what a unit has found.</summary>
/// <param name="session">What units share.</param>
/// <param name="unit">The unit.</param>
/// <param name="model">Its model.</param>
/// <param name="prompts">Its pairs.</param>
/// <param name="cancellation">Stops the work.</param>
internal sealed class UnitJudge(
    SweepSession session, SweepUnit unit, Gpt2Weights model, SplitPrompts prompts, CancellationToken cancellation)
{
    private const string Found = "found";

    // Both are measured of a row each.
    private const SweepEvaluation AtSizes = SweepEvaluation.Sizes | SweepEvaluation.KnownCircuit;

    private readonly SweepPlan _plan = session.Plan;
    private readonly ComputationGraph _graph = new(model.Config);

    private EvaluationOptions Evaluation => new() { Ablation = unit.Ablation, BatchSize = _plan.BatchSize ?? 0 };

    /// <summary>Judges scores.</summary>
    /// <param name="scores">The scores.</param>
    public UnitResult Scores(EdgeScores scores)
    {
        List<UnitRow> rows = [];
        UnitResult result = Empty();
        if (_plan.Evaluate.HasFlag(SweepEvaluation.Curve))
        {
            SparsityOptions options = new() { Fractions = _plan.Fractions, Evaluation = Evaluation, Seed = (ulong)unit.Seed };
            (IReadOnlyList<SparsityCurves> curves, EvaluationResult judged) =
                SparsityCurves.Measure(model, prompts.Judge, [scores], options, cancellation: cancellation);
            rows.AddRange(curves[0].ByMagnitude.Points.Select(p => Row("curve", p)));
            rows.AddRange(curves[0].ByScore.Points.Select(p => Row("curve-signed", p)));
            result = Ends(result, judged) with { Cpr = curves[0].Cpr, Cmd = curves[0].Cmd };
        }
        (double? Fraction, int? Edges)[] sizes = Sizes(_graph.EdgeCount);
        if ((_plan.Evaluate & (AtSizes | SweepEvaluation.Transfer)) != 0)
        {
            Circuit[] circuits = [.. sizes.Select(s => CircuitOf(scores, s.Edges!.Value))];
            result = Judged(result, rows, "size", circuits, sizes);
        }
        if (_plan.Evaluate.HasFlag(SweepEvaluation.Stability)) result = Stable(result, rows, sizes);
        return result with { Rows = rows };
    }

    /// <summary>Judges scores of edges between spans: circuits of such edges, whose sizes count them.</summary>
    /// <param name="scores">The scores.</param>
    public UnitResult Spans(PositionalScores scores)
    {
        int most = scores.Graph.EdgeCount;
        List<(string Kind, double? Fraction, int Edges, PositionalCircuit Circuit)> asked = [];
        if (_plan.Evaluate.HasFlag(SweepEvaluation.Curve))
        {
            asked.AddRange(_plan.Fractions.Select(f => ("curve", (double?)f, (int)(f * most), PositionalSelection.Prune(
                PositionalSelection.TopEdges(scores, (int)(f * most))))));
        }
        if ((_plan.Evaluate & AtSizes) != 0)
        {
            asked.AddRange(Sizes(most).Select(s => ("size", s.Fraction, s.Edges!.Value, PositionalSelection.Fill(
                n => PositionalSelection.TopEdges(scores, n), s.Edges!.Value, most))));
        }
        UnitResult result = Empty() with { GraphEdges = most };
        if (asked.Count == 0) return result;
        EvaluationResult judged = PositionalEvaluation.Evaluate(
            model, prompts.Judge, [.. asked.Select(a => a.Circuit)], Evaluation, null, cancellation);
        Circuit? known = _plan.Evaluate.HasFlag(SweepEvaluation.KnownCircuit)
            ? KnownCircuit.Of(session.Checkpoint(unit.Model, cancellation), model.Name, prompts.Judge.Task)?.Circuit
            : null;
        IEnumerable<UnitRow> rows = asked.Select((a, i) =>
        {
            Circuit plain = a.Circuit.Flatten();
            UnitRow row = Row(a.Kind, judged, i, plain, (a.Fraction, a.Edges), unit.Task.Name) with
            {
                Edges = a.Circuit.EdgeCount,
                Sparsity = 1 - (a.Circuit.EdgeCount / (double)most),
            };
            return a.Kind == "size" ? Known(row, plain, known) : row;
        });
        return Ends(result, judged) with { Rows = [.. rows] };
    }

    /// <summary>The circuit of a size: the edges of largest absolute score, as many as leave it when those on no path are pruned.</summary>
    /// <param name="scores">The scores.</param>
    /// <param name="edges">The size.</param>
    public static Circuit CircuitOf(EdgeScores scores, int edges) =>
        CircuitPruning.Fill(n => CircuitSelection.TopEdges(scores, n), edges, scores.Graph.EdgeCount);

    /// <summary>Judges a circuit that a search has found.</summary>
    /// <param name="circuit">The circuit.</param>
    public UnitResult Circuit(Circuit circuit)
    {
        List<UnitRow> rows = [];
        UnitResult result = Judged(Empty(), rows, Found, [circuit], [(null, null)]);
        return result with { Rows = rows };
    }

    private UnitResult Empty() => new()
    {
        Key = unit.Key,
        GraphEdges = _graph.EdgeCount,
        TrainPairs = prompts.Find.Pairs.Count,
        JudgePairs = prompts.Judge.Pairs.Count,
        Passes = double.NaN,
        Seconds = 0,
        JudgeSeconds = 0,
        Rows = [],
        Provenance = [],
    };

    private static UnitResult Ends(UnitResult result, EvaluationResult judged) =>
        result with { FullMetric = judged.Full.MeanMetric, EmptyMetric = judged.Empty.MeanMetric };

    private (double? Fraction, int? Edges)[] Sizes(int most) => _plan.Edges.Count > 0
        ? [.. _plan.Edges.Select(e => ((double?)null, (int?)e))]
        : [.. _plan.Fractions.Select(f => ((double?)f, (int?)(f * most)))];

    private UnitResult Judged(
        UnitResult result, List<UnitRow> rows, string kind, Circuit[] circuits, (double? Fraction, int? Edges)[] sizes)
    {
        if ((_plan.Evaluate & AtSizes) != 0 || kind == Found)
        {
            EvaluationResult own = CircuitEvaluation.Evaluate(model, prompts.Judge, circuits, Evaluation, null, cancellation);
            Circuit? known = _plan.Evaluate.HasFlag(SweepEvaluation.KnownCircuit)
                ? KnownCircuit.Of(session.Checkpoint(unit.Model, cancellation), model.Name, prompts.Judge.Task)?.Circuit
                : null;
            rows.AddRange(circuits.Select((c, i) => Known(Row(kind, own, i, c, sizes[i], unit.Task.Name), c, known)));
            result = Ends(result, own);
        }
        if (!_plan.Evaluate.HasFlag(SweepEvaluation.Transfer)) return result;
        foreach (SweepTask other in _plan.Tasks.Where(t => t.Name != unit.Task.Name))
        {
            PromptSet judge = session.Prompts(unit.Model, other, unit.Seed, session.MetricOf(unit), cancellation).Judge;
            EvaluationResult there = CircuitEvaluation.Evaluate(model, judge, circuits, Evaluation, null, cancellation);
            bool same = judge.Metric.Name == unit.Metric;
            rows.AddRange(circuits.Select((c, i) => Row("transfer", there, i, c, sizes[i], other.Name) is var row && same
                ? row
                : row with { Metric = null }));
        }
        return result;
    }

    private UnitResult Stable(UnitResult result, List<UnitRow> rows, (double? Fraction, int? Edges)[] sizes)
    {
        AttributionOptions options = SweepUnitWork.Options(unit, batchSize: 1);
        if (!HasItems(options)) return result;
        int[] edges = [.. sizes.Select(s => s.Edges ?? 0).Where(e => e > 0).Distinct()];
        if (edges.Length == 0) return result;
        string path = Path.Combine(Path.GetTempPath(), $"gradpath-{Guid.NewGuid():N}.safetensors");
        try
        {
            ItemScores.Write(path, false, null, model, prompts.Find, options, null, cancellation);
            using ItemScoresFile file = ItemScoresFile.Open(path);
            Stability stability = Stability.Measure(
                file, new StabilityOptions { Sizes = edges, Resamples = _plan.Resamples, Seed = (ulong)unit.Seed }, cancellation);
            rows.AddRange(stability.Sizes.Select(s => new UnitRow
            {
                Kind = "stability",
                JudgedOn = unit.Task.Name,
                EdgesAsked = s.Edges,
                Edges = s.Edges,
                Sparsity = Sparsity(s.Edges),
                Jaccard = s.Jaccard,
            }));
            return result with { Spearman = stability.Spearman };
        }
        finally
        {
            File.Delete(path);
        }
    }

    // Another method of the plan has them, or the plan would have been refused.
    private static bool HasItems(AttributionOptions options)
    {
        try
        {
            ItemScores.Check(options);
            return true;
        }
        catch (OptionException)
        {
            return false;
        }
    }

    private double Sparsity(int edges) => 1 - (edges / (double)_graph.EdgeCount);

    private UnitRow Row(string kind, SparsityPoint point) => new()
    {
        Kind = kind,
        JudgedOn = unit.Task.Name,
        Fraction = point.Fraction,
        EdgesAsked = point.Edges,
        Edges = point.EdgesAfterPrune,
        Sparsity = Sparsity(point.EdgesAfterPrune),
        Faithfulness = point.Faithfulness,
        FaithfulnessLow = point.Low,
        FaithfulnessHigh = point.High,
    };

    private UnitRow Row(
        string kind, EvaluationResult judged, int place, Circuit circuit, (double? Fraction, int? Edges) size, string judgedOn)
    {
        CircuitOutcome outcome = judged.Circuits[place];
        (double low, double high) = Faithfulness.Interval(judged.Full, outcome, judged.Empty, seed: (ulong)unit.Seed);
        return new UnitRow
        {
            Kind = kind,
            JudgedOn = judgedOn,
            Fraction = size.Fraction,
            EdgesAsked = size.Edges,
            Edges = circuit.EdgeCount,
            Sparsity = Sparsity(circuit.EdgeCount),
            Faithfulness = Faithfulness.Of(judged.Full, outcome, judged.Empty),
            FaithfulnessLow = low,
            FaithfulnessHigh = high,
            Metric = outcome.MeanMetric,
            Kl = outcome.MeanKl,
            Accuracy = double.IsNaN(outcome.Accuracy) ? null : outcome.Accuracy,
            ExactMatch = outcome.ExactMatchRate,
        };
    }

    private static UnitRow Known(UnitRow row, Circuit circuit, Circuit? known)
    {
        if (known is null) return row;
        SetOverlap edges = GroundTruthOverlap.Compare(circuit, known).Edges;
        return row with { Precision = edges.Precision, Recall = edges.Recall };
    }
}
