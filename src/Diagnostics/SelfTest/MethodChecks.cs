using System.Text.Json;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Diagnostics.SelfTest;

/// <summary>Every attribution method with its variants, and the evaluation of circuits.</summary>
internal static class MethodChecks
{
    // Two devices add in different orders. A path amplifies that from step to step.
    private const double Agreement = 1e-4;
    private const double AgreementAlongPaths = 1e-3;

    private static readonly Ablation[] s_ablations = Enum.GetValues<Ablation>();

    public static IReadOnlyList<MethodCheck> All { get; } =
    [

        // An ensemble computes on a device what its members compute, and its ranks jump where their scores are almost the same.
        .. AttributionMethods.All.Where(m => m.Members.Count == 0).Select(Method),
        new("circuit evaluation", Agreement, [.. from metric in BuiltInMetrics.All from ablation in s_ablations
            select new Func<SelfTestModel, double[][]>(m => Evaluate(m, new EvaluationOptions { Metric = metric, Ablation = ablation }))]),
    ];

    private static MethodCheck Method(AttributionMethod method)
    {
        AttributionOptions plain = new() { Method = method };
        List<Func<SelfTestModel, double[][]>> runs =
            [.. Variants(plain).Select(v => new Func<SelfTestModel, double[][]>(m => Score(m, m.Pairs, v)))];
        runs.Add(m => Score(m, m.RaggedPairs, plain));
        runs.Add(m => Score(m, m.RaggedPairs, plain with { BatchSize = 4 }));
        bool computes = method.CountPasses(plain) is not { Forward: 0, Backward: 0 };
        bool walks = method.Takes(MethodSettings.EmbeddingPath);
        return new MethodCheck(method.Name, !computes ? 0 : walks ? AgreementAlongPaths : Agreement, runs)
        {
            Rounded = !computes ? 0 : walks ? RoundedFactors.Amplified : RoundedFactors.Chain,
        };
    }

    // Every value of every option that the method takes, one at a time.
    private static IEnumerable<AttributionOptions> Variants(AttributionOptions plain)
    {
        AttributionMethod method = plain.Method;
        if (!method.HasMetric) yield return plain;
        foreach (Metric metric in BuiltInMetrics.All)
        {
            // Where all scores are 0 but for rounding there is nothing to compare.
            if (method.HasMetric && !method.VanishesFor(metric)) yield return plain with { Metric = metric };
        }
        if (method.Takes(MethodSettings.IgPoints))
        {
            foreach (IgPoints points in Enum.GetValues<IgPoints>().Skip(1)) yield return plain with { IgPoints = points };
        }
        if (method.Takes(MethodSettings.Ablation))
        {
            foreach (Ablation ablation in s_ablations.Skip(1)) yield return plain with { Ablation = ablation };
        }
        if (!method.Takes(MethodSettings.EmbeddingPath)) yield break;
        yield return Path(EmbeddingPathOptions.Published);
        foreach (EmbeddingPathObjective objective in Enum.GetValues<EmbeddingPathObjective>())
            yield return Path(new() { Objective = objective });
        foreach (EmbeddingPathDirection direction in Enum.GetValues<EmbeddingPathDirection>())
            yield return Path(new() { Direction = direction });
        yield return Path(new() { Norm = EmbeddingPathNorm.Batch }) with { BatchSize = 4 };
        yield return Path(new() { Step = EmbeddingPathStep.Match });
        foreach (EmbeddingPathStart start in Enum.GetValues<EmbeddingPathStart>()) yield return Path(new() { Start = start });
        yield return Path(new() { Outer = EmbeddingPathOuter.Path });

        AttributionOptions Path(EmbeddingPathOptions path) => plain with { EmbeddingPath = path };
    }

    /// <summary>Everything that a method gives: scores of edges and nodes, metrics.</summary>
    public static double[][] Score(SelfTestModel m, IReadOnlyList<PromptPair> pairs, AttributionOptions options)
    {
        AttributionResult r = m.Score(pairs, options);
        return [Wide(r.Scores.Values), Wide(r.Scores.NodeScores), [.. r.CleanMetric], [.. r.CorruptedMetric]];
    }

    // Circuits of random edges: dense, sparse, and one that leaves little out.
    private static double[][] Evaluate(SelfTestModel m, EvaluationOptions options)
    {
        EdgeScores scores = m.Score(new AttributionOptions { Method = AttributionMethods.Random, Seed = 5 }).Scores;
        int edges = m.Graph.EdgeCount;
        Circuit[] circuits = [.. new[] { 1, edges / 10, edges / 3, edges - 5 }.Select(n => CircuitSelection.TopEdges(scores, n))];
        EvaluationResult result = CircuitEvaluation.Evaluate(m.Weights, PromptSet.Of(m.Pairs), circuits, options, null, m.Cancellation);
        CircuitOutcome[] outcomes = [result.Full, result.Empty, .. result.Circuits];
        return [[.. outcomes.SelectMany(o => o.Metric)], [.. outcomes.SelectMany(o => o.Kl)]];
    }

    private static double[] Wide(ReadOnlySpan<float> values) => Array.ConvertAll(values.ToArray(), v => (double)v);
}
