using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels;

namespace Gradpath.Host.SelfTest;

/// <summary>A method in one or several variants, for comparing devices.</summary>
/// <param name="Name">The method.</param>
/// <param name="Allowed">Largest difference between devices, relative to the largest score or metric.</param>
/// <param name="Variants">Each runs one variant and gives back all that comes out.</param>
internal sealed record MethodCheck(string Name, double Allowed, IReadOnlyList<Func<SelfTestModel, double[][]>> Variants)
{
    /// <summary>How much more is allowed where the factors of products are rounded, in units of <see cref="RoundedFactors"/>.</summary>
    public double Rounded { get; init; } = RoundedFactors.Chain;

    /// <summary>What is allowed on a device.</summary>
    /// <param name="precision">What it rounds factors to.</param>
    public double AllowedAt(MatrixPrecision precision) => Allowed + RoundedFactors.Allowed(precision, Rounded);
}

/// <summary>Every attribution method with its variants, and the evaluation of circuits.</summary>
internal static class MethodChecks
{
    // Two devices add in different orders. A path amplifies that from step to step.
    private const double Agreement = 1e-4;
    private const double AgreementAlongPaths = 1e-3;

    private static readonly TaskMetric[] s_metrics = Enum.GetValues<TaskMetric>();
    private static readonly Ablation[] s_ablations = Enum.GetValues<Ablation>();

    public static IReadOnlyList<MethodCheck> All { get; } =
    [
        .. Enum.GetValues<AttributionMethod>().Select(Method),
        new("circuit evaluation", Agreement, [.. from metric in s_metrics from ablation in s_ablations
            select new Func<SelfTestModel, double[][]>(m => Evaluate(m, new EvaluationOptions { Metric = metric, Ablation = ablation }))]),
    ];

    private static MethodCheck Method(AttributionMethod method)
    {
        AttributionOptions plain = new() { Method = method };

        // KL has its minimum at the clean run, so EAP's scores of it are nothing but rounding.
        IEnumerable<TaskMetric> metrics = s_metrics.Where(m => method != AttributionMethod.Eap || m != TaskMetric.KlDivergence);
        IEnumerable<AttributionOptions> variants = method.HasMetric() ? metrics.Select(metric => plain with { Metric = metric }) : [plain];
        variants = variants.Concat(method switch
        {
            AttributionMethod.EapIg => Enum.GetValues<IgPoints>().Skip(1).Select(points => plain with { IgPoints = points }),
            AttributionMethod.Eap or AttributionMethod.EapIgActivations or AttributionMethod.Exact =>
                s_ablations.Skip(1).Select(ablation => plain with { Ablation = ablation }),
            AttributionMethod.EapGp =>
            [
                .. Enum.GetValues<PathObjective>().Skip(1).Select(objective => plain with { PathObjective = objective }),
                plain with { PathNorm = PathNorm.Batch, BatchSize = 4 },
                plain with { PathEta = PathStep.Match },
                plain with { PathStart = PathStart.Corrupted },
                plain with { PathOuter = PathOuter.Path },
            ],
            _ => [],
        });
        double allowed = method switch
        {
            AttributionMethod.EapGp => AgreementAlongPaths,
            AttributionMethod.Random => 0,
            _ => Agreement,
        };
        List<Func<SelfTestModel, double[][]>> runs = [.. variants.Select(v => new Func<SelfTestModel, double[][]>(m => Score(m, m.Pairs, v)))];
        runs.Add(m => Score(m, m.RaggedPairs, plain));
        runs.Add(m => Score(m, m.RaggedPairs, plain with { BatchSize = 4 }));
        double rounded = method switch
        {
            AttributionMethod.EapGp => RoundedFactors.Amplified,
            AttributionMethod.Random => 0,
            _ => RoundedFactors.Chain,
        };
        return new MethodCheck(EnumNames.Of(method), allowed, runs) { Rounded = rounded };
    }

    private static double[][] Score(SelfTestModel m, IReadOnlyList<PromptPair> pairs, AttributionOptions options)
    {
        AttributionResult r = m.Score(pairs, options);
        return [Wide(r.Scores), Wide(r.NodeScores ?? []), r.CleanMetric, r.CorruptedMetric];
    }

    // Circuits of random edges: dense, sparse, and one that leaves little out.
    private static double[][] Evaluate(SelfTestModel m, EvaluationOptions options)
    {
        EdgeScores scores = new(m.Graph, m.Score(new AttributionOptions { Method = AttributionMethod.Random, Seed = 5 }).Scores);
        int edges = m.Graph.EdgeCount;
        Circuit[] circuits = [.. new[] { 1, edges / 10, edges / 3, edges - 5 }.Select(n => CircuitSelection.TopEdges(scores, n))];
        EvaluationResult result = CircuitEvaluation.Evaluate(m.Weights, m.Pairs, circuits, options, null, m.Cancellation);
        CircuitOutcome[] outcomes = [result.Full, result.Empty, .. result.Circuits];
        return [[.. outcomes.SelectMany(o => o.Metric)], [.. outcomes.SelectMany(o => o.Kl)]];
    }

    private static double[] Wide(float[] values) => Array.ConvertAll(values, v => (double)v);
}
