using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Cuda.Tests;

/// <summary>Every way to discover and to judge a circuit, on models so small that an emulated GPU can run it.</summary>
internal static class DiscoveryRuns
{
    private const int Steps = 12;

    public static IReadOnlyDictionary<string, Func<Gpt2Weights, PromptPair[], Findings>> All { get; } =
        new Dictionary<string, Func<Gpt2Weights, PromptPair[], Findings>>
        {
            ["path patching"] = (m, p) => Patch(m, p, new PathPatchingOptions { Metric = BuiltInMetrics.ProbabilityDifference }),
            ["path patching, frozen MLPs"] = (m, p) => Patch(
                m, p, new PathPatchingOptions { FreezeMlps = true, SenderPositions = TokenPositions.End }),
            ["path patching, zero"] = (m, p) => Patch(m, p, new PathPatchingOptions { Ablation = Ablation.Zero }),
            ["paths"] = Trace,
            ["ACDC, KL"] = (m, p) => Search(m, p, new AcdcOptions()),
            ["ACDC, metric, zero"] = (m, p) => Search(
                m,
                p,
                new AcdcOptions
                {
                    Metric = BuiltInMetrics.LogitDifference,
                    Absolute = true,
                    Order = SenderOrder.Reverse,
                    Ablation = Ablation.Zero,
                }),
            ["edge pruning"] = (m, p) => Prune(m, p, Masks),
            ["edge pruning, node masks, mean"] = (m, p) => Prune(
                m, p, Masks with { NodeMasks = true, NodeTarget = 0.3, Ablation = Ablation.MeanPositional, Seed = 7 }),
            ["edge pruning, node masks, warm start"] = (m, p) => Prune(
                m, p, Masks with { NodeMasks = true, Init = TinyRuns.Score(m, new AttributionOptions(), p).Scores }),
            ["HAP"] = (m, p) => Found(CircuitSearches.HybridPruning.Search(
                m,
                PromptSet.Of(p),
                new HybridPruningOptions
                {
                    Sparsity = 0.7,
                    Steps = Steps,
                    BatchSize = 2,
                    Scorer = AttributionMethods.Eap.Scorer(new AttributionOptions()),
                })),
            ["evaluation, zero"] = (m, p) => Evaluate(m, p, Ablation.Zero),
            ["evaluation, mean"] = (m, p) => Evaluate(m, p, Ablation.MeanPositional),
            ["completeness"] = Complete,
            ["minimality"] = Minimal,
        };

    private static EdgePruningOptions Masks => new() { Sparsity = 0.7, Steps = Steps, BatchSize = 2 };

    private static KnockoutOptions Knockouts => new() { RandomDraws = 1, GreedyRuns = 1, GreedyIterations = 1, GreedyCandidates = 2 };

    public static string Names(Circuit circuit) => string.Join(' ', circuit.Edges.Select(e => circuit.Graph.EdgeName(e.Row, e.Column)));

    private static Findings Patch(Gpt2Weights model, PromptPair[] pairs, PathPatchingOptions options)
    {
        ComputationGraph graph = new(model.Config);
        int[] senders = [.. Enumerable.Range(0, graph.Writers)];
        PathEffects effects = PathPatching.Measure(
            model,
            PromptSet.Of(pairs),
            [
                new PathQuery(senders, [new PathReceiver(graph.LogitsColumn, TokenPositions.End)]),
                new PathQuery(
                    senders,
                    [
                        new PathReceiver(graph.HeadColumn(1, HeadInput.Key, 0), TokenPositions.All),
                        new PathReceiver(graph.MlpColumn(1), TokenPositions.End),
                    ]),
            ],
            options);
        double[] all = [.. effects.Effects.SelectMany(e => e), effects.CleanMetric];
        return new([.. all.Where(double.IsFinite)], string.Concat(all.Select(v => double.IsNaN(v) ? '-' : '+')));
    }

    private static Findings Trace(Gpt2Weights model, PromptPair[] pairs)
    {
        PathTracingResult trace = CircuitSearches.PathTracing.Search(
            model, PromptSet.Of(pairs), new PathTracingOptions { Rounds = 2, Threshold = null, Top = 1 });
        return new([trace.CleanMetric], $"{trace.Rounds.Count} rounds: {Names(trace.Circuit)}");
    }

    private static Findings Search(Gpt2Weights model, PromptPair[] pairs, AcdcOptions options)
    {
        AcdcResult[] results = [.. AcdcSweep.Search(model, PromptSet.Of(pairs), [0.003, 0.05], options)];
        return new(
            [.. results.SelectMany(r => (double[])[r.Full, r.Objective, .. r.Circuit.Scores!.Values])],
            string.Join("; ", results.Select(r => $"{Names(r.Circuit)}: {string.Concat(r.Steps.Select(s => s.Decision.ToString()[0]))}")));
    }

    private static Findings Prune(Gpt2Weights model, PromptPair[] pairs, EdgePruningOptions options) =>
        Found(CircuitSearches.EdgePruning.Search(model, PromptSet.Of(pairs), options));

    private static Findings Found(EdgePruningResult result)
    {
        double[] log = [.. result.Log.SelectMany(s => (double[])[s.Kl, s.EdgeLoss, s.NodeLoss, s.EdgeSparsity, s.NodeSparsity])];
        return new([.. log, .. result.Circuit.Scores!.Values], Names(result.Circuit));
    }

    private static Circuit SomeCircuit(Gpt2Weights model) =>
        CircuitSelection.TopEdges(
            TinyRuns.Score(model, new AttributionOptions { Method = AttributionMethods.Random, Seed = 5 }, TinyRuns.Pairs(3)).Scores, 12);

    private static Findings Evaluate(Gpt2Weights model, PromptPair[] pairs, Ablation ablation)
    {
        EvaluationResult result = CircuitEvaluation.Evaluate(
            model, PromptSet.Of(pairs), [SomeCircuit(model)], new EvaluationOptions { Ablation = ablation });
        CircuitOutcome[] outcomes = [result.Full, result.Empty, .. result.Circuits];
        return new(
            [.. outcomes.SelectMany(o => o.Metric.Concat(o.Kl))],
            string.Concat(outcomes.SelectMany(o => o.ExactMatch.Concat(o.Accurate.Select(b => b == true))).Select(b => b ? '1' : '0')));
    }

    private static Findings Complete(Gpt2Weights model, PromptPair[] pairs)
    {
        Completeness result = Completeness.Measure(model, PromptSet.Of(pairs), SomeCircuit(model), Knockouts);
        return new([.. result.Points.SelectMany(p => (double[])[p.Circuit, p.Model])],
            string.Join(' ', result.Points.Select(p => $"{p.Set.Kind} {string.Join(',', p.Set.Nodes)}")));
    }

    private static Findings Minimal(Gpt2Weights model, PromptPair[] pairs)
    {
        Minimality result = Minimality.Measure(model, PromptSet.Of(pairs), SomeCircuit(model), Knockouts);
        return new(
            [.. result.Points.SelectMany(p => (double[])[p.Without, p.WithoutBoth])], string.Join(' ', result.Points.Select(p => p.Node)));
    }
}
