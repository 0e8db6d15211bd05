using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Kernels;

namespace Gradpath.Diagnostics.SelfTest;

/// <summary>Identities between methods that hold on every model. Each compares two computations that share as little as possible.</summary>
internal static class IdentityChecks
{
    private const double Rounding = 2e-5;
    private const int Steps = 5;

    private static readonly AttributionOptions s_eap = new() { Method = AttributionMethods.Eap };
    private static readonly AttributionOptions s_ig = new() { Method = AttributionMethods.EapIg, Steps = Steps };
    private static readonly AttributionOptions s_ceap = new() { Method = AttributionMethods.Ceap, Steps = Steps };
    private static readonly AttributionOptions s_gp = new() { Method = AttributionMethods.EapGp, Steps = Steps };
    private static readonly AttributionOptions s_random = new() { Method = AttributionMethods.Random, Seed = 3 };
    private static readonly AttributionOptions s_exact = new() { Method = AttributionMethods.Exact };

    public static IReadOnlyList<IdentityCheck> All { get; } =
    [
        new("the same run twice gives the same bits", 0, b => Largest(b.Edges(s_gp), b.Edges(s_gp))),
        new("eap = finite differences by exact patching", 2e-3, FiniteDifferences) { Rounded = RoundedFactors.Amplified },
        new("eap-ig with one point at the clean end = eap", Rounding,
            b => Compare(b.Edges(s_ig with { Steps = 1, IgPoints = IgPoints.Right }), b.Edges(s_eap))),
        new("eap-ig-activations with one point = eap, at the last readers", Rounding, ActivationsAtTheEnd),
        new("clean-corrupted = mean of the two ends", Rounding, CleanCorrupted),
        new("eap-ig: the input's edges add up to the change of the loss", 2e-3, Completeness),
        new("ceap: the input's edges = those of eap-ig", Rounding,
            b => Compare(b.Edges(s_ceap)[..b.Graph.Readers], b.Edges(s_ig)[..b.Graph.Readers])),
        new("ceap: the edges into the logits add up to the change of the loss", 2e-3, CompletenessAtTheLogits),
        new("a node's score = sum over its outgoing edges", Rounding, NodeScores),
        new("information-flow-routes: a reader's shares add up to 1", Rounding, FlowShares),
        new("magnitude: the input's score = distance between the embeddings", Rounding, InputMagnitude),
        new("random: scores depend on the seed alone", 0,
            b => Largest(b.Edges(b.Pairs, s_random), b.Edges(b.RaggedPairs, s_random with { BatchSize = 1 }))),
        new("eap-gp: the first step has the stated length", Rounding, StepLength),
        new("eap-ig: the recorded path runs from the corrupted to the clean run", Rounding, PathEnds),
        new("eap: one pair per batch = all at once", Rounding, b => BatchSize(b, s_eap)),
        new("eap-ig: one pair per batch = all at once", Rounding, b => BatchSize(b, s_ig)),
        new("eap-gp: one pair per batch = all at once", 1e-3, b => BatchSize(b, s_gp)) { Rounded = RoundedFactors.Amplified },
        new("prompts of several lengths in reverse order: same scores", Rounding,
            b => Compare(b.Edges(b.RaggedPairs, s_eap), b.Edges([.. b.RaggedPairs.Reverse()], s_eap))),
    ];

    // With the difference reversed, everything but the first order (and the third) cancels.
    private static double FiniteDifferences(SelfTestModel b)
    {
        float[] Odd(AttributionOptions options) =>
            [.. b.Edges(b.PairsAbove, options).Zip(b.Edges(b.PairsBelow, options), (above, below) => (above - below) / 2)];
        return Compare(Odd(s_exact), Odd(s_eap));
    }

    private static double CleanCorrupted(SelfTestModel b)
    {
        float[] clean = b.Edges(s_eap);
        float[] corrupted = b.Edges(s_ig with { Steps = 1, IgPoints = IgPoints.Left });
        float[] mean = [.. clean.Zip(corrupted, (x, y) => (x + y) / 2)];
        return Compare(b.Edges(s_eap with { Method = AttributionMethods.CleanCorrupted }), mean);
    }

    // One point is the clean run, but a site whose output is replaced passes no gradient on. No site stands behind the logits; behind the
    // last MLP stands one, itself, of 2L + 1.
    private static double ActivationsAtTheEnd(SelfTestModel b)
    {
        float[] activations = b.Edges(new AttributionOptions { Method = AttributionMethods.EapIgActivations, Steps = 1 });
        float[] eap = b.Edges(s_eap);
        float Share(int column) => column == b.Graph.LogitsColumn ? 1 : 2f * b.Graph.Layers / (2 * b.Graph.Layers + 1);
        int[] columns = [b.Graph.MlpColumn(b.Graph.Layers - 1), b.Graph.LogitsColumn];
        (float, float)[] cells = [.. from row in Enumerable.Range(0, b.Graph.Writers) from column in columns
            let i = (row * b.Graph.Readers) + column select (activations[i], Share(column) * eap[i])];
        return Compare([.. cells.Select(c => c.Item1)], [.. cells.Select(c => c.Item2)]);
    }

    // The edges out of the input carry the whole derivative along the embedding, so their integral is the difference of the loss.
    private static double Completeness(SelfTestModel b)
    {
        AttributionResult r = b.Score(s_ig with { Steps = 100, IgPoints = IgPoints.Midpoint });
        double sum = r.Scores.Values[..b.Graph.Readers].ToArray().Sum(s => (double)s);
        double change = r.CleanMetric.Average() - r.CorruptedMetric.Average();
        return Math.Abs(sum - change) / Math.Abs(change);
    }

    // Where each gradient meets its own segment's change, that holds for every cut of the graph.
    private static double CompletenessAtTheLogits(SelfTestModel b)
    {
        AttributionResult r = b.Score(s_ceap with { Steps = 100, IgPoints = IgPoints.Midpoint });
        float[] edges = r.Scores.Values.ToArray();
        double sum = Enumerable.Range(0, b.Graph.Writers).Sum(row => (double)edges[(row * b.Graph.Readers) + b.Graph.LogitsColumn]);
        double change = r.CleanMetric.Average() - r.CorruptedMetric.Average();
        return Math.Abs(sum - change) / Math.Abs(change);
    }

    private static double NodeScores(SelfTestModel b)
    {
        AttributionResult r = b.Score(s_ig);
        float[] edges = r.Scores.Values.ToArray();
        float[] sums = [.. Enumerable.Range(0, b.Graph.Writers).Select(row => (float)Row(edges, row, b.Graph.Readers).Sum(s => (double)s))];
        return Compare(r.Scores.NodeScores.ToArray(), sums);
    }

    private static double FlowShares(SelfTestModel b)
    {
        float[] scores = b.Edges(s_eap with { Method = AttributionMethods.InformationFlowRoutes });
        double worst = 0;
        for (int column = 0; column < b.Graph.Readers; column++)
        {
            double sum = 0;
            for (int row = 0; row < b.Graph.WritersBefore(column); row++) sum += scores[(row * b.Graph.Readers) + column];
            worst = Math.Max(worst, Math.Abs(sum - 1));
        }
        return worst;
    }

    private static double InputMagnitude(SelfTestModel b)
    {
        float[] embedding = b.Weights.TokenEmbedding.ToArray();
        int width = b.Weights.Config.Width;
        double Distance(int x, int y) =>
            Math.Sqrt(Enumerable.Range(0, width).Sum(d => Math.Pow(embedding[(x * width) + d] - (double)embedding[(y * width) + d], 2)));
        double expected = b.Pairs.Average(p => p.Clean.Zip(p.Corrupted, Distance).Sum());
        return Compare([b.Edges(s_eap with { Method = AttributionMethods.Magnitude })[0]], [(float)expected]);
    }

    private static double StepLength(SelfTestModel b)
    {
        double worst = 0;
        AttributionOptions unit = s_gp with { RecordPath = true, EmbeddingPath = EmbeddingPathOptions.Published };
        foreach (EmbeddingPathPoint p in b.Score(unit).EmbeddingPath!)
        {
            if (p.Step == 1) worst = Math.Max(worst, Math.Abs(p.FromClean - 1));
        }
        AttributionOptions match = s_gp with { RecordPath = true, EmbeddingPath = new() { Step = EmbeddingPathStep.Match } };
        EmbeddingPathPoint[] matched = [.. b.Score(match).EmbeddingPath!];
        foreach (EmbeddingPathPoint start in matched.Where(p => p.Step == 0))
        {
            double step = matched.Single(p => p.Item == start.Item && p.Step == 1).FromClean;
            worst = Math.Max(worst, Math.Abs((step * Steps / start.FromCorrupted) - 1));
        }
        return worst;
    }

    private static double PathEnds(SelfTestModel b)
    {
        AttributionResult r = b.Score(s_ig with { RecordPath = true });
        float[] ends = [.. r.EmbeddingPath!.Where(p => p.Step == 0).OrderBy(p => p.Item).Select(p => (float)p.Metric),
            .. r.EmbeddingPath!.Where(p => p.Step == Steps).OrderBy(p => p.Item).Select(p => (float)p.Metric)];
        float[] runs = [.. r.CorruptedMetric.Concat(r.CleanMetric).Select(m => (float)m)];
        return Compare(ends, runs);
    }

    private static double BatchSize(SelfTestModel b, AttributionOptions options) =>
        Compare(b.Edges(options with { BatchSize = 1 }), b.Edges(options with { BatchSize = b.Pairs.Count }));

    private static ArraySegment<float> Row(float[] scores, int row, int readers) => new(scores, row * readers, readers);

    /// <summary>Largest difference over largest value; infinite where there is nothing to compare or a number is none.</summary>
    private static double Compare(float[] actual, float[] expected)
    {
        double size = expected.Max(e => Math.Abs((double)e));
        double error = Largest(actual, expected) / size;
        return double.IsNaN(error) ? double.PositiveInfinity : error;
    }

    private static double Largest(float[] actual, float[] expected)
    {
        if (actual.Length != expected.Length) return double.PositiveInfinity;
        double worst = 0;
        for (int i = 0; i < actual.Length; i++)
        {
            double difference = Math.Abs((double)actual[i] - expected[i]);
            if (!(difference <= worst)) worst = difference;
        }
        return worst;
    }
}
