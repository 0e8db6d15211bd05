using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Tests.Support.Models;

namespace Gradpath.Tests.Support.Reference;

/// <summary>What a search must find on a model whose circuit is known, in float64 and straight from a definition.</summary>
/// <param name="Options">The options that it is searched with.</param>
/// <param name="Edges">The names of the edges to be found.</param>
internal sealed record ReferenceSearch(Func<KnownCircuit, SearchOptions> Options, Func<KnownCircuit, IEnumerable<string>> Edges)
{
    private const double AcdcThreshold = 0.01;

    // From 600 steps on every instruction set's rounding leads to the same circuit; with 400 it depends on the machine.
    private const int HybridSteps = 800;

    /// <summary>Exact patching, for searches that start from scores.</summary>
    public static IEdgeScorer Scorer { get; } = AttributionMethods.Exact.Scorer(new AttributionOptions());

    /// <summary>The same searches with other options, which change how they start and not what they must find.</summary>
    public static IReadOnlyDictionary<string, (string Search, ReferenceSearch Reference)> Variants { get; } =
        new Dictionary<string, (string, ReferenceSearch)>
        {
            ["edge-prune, warm start"] = (
                "edge-prune",
                new(known => new EdgePruningOptions { Sparsity = Sparsity(known), Steps = 400, Init = Effects(known) }, EdgesThatMatter)),
        };

    /// <summary>The reference of a search.</summary>
    /// <param name="search">The search.</param>
    /// <exception cref="NotSupportedException">There is none: write it here.</exception>
    public static ReferenceSearch Of(CircuitSearch search) => search.Name switch
    {
        "acdc" => new(_ => new AcdcOptions { Threshold = AcdcThreshold }, PlainLoop),
        "edge-prune" => new(known => new EdgePruningOptions { Sparsity = Sparsity(known), Steps = 400 }, EdgesThatMatter),
        "hap" => new(
            known => new HybridPruningOptions { Sparsity = Sparsity(known), Steps = HybridSteps, Scorer = Scorer }, EdgesThatMatter),
        "path-patch" => new(_ => new PathTracingOptions { FreezeMlps = true }, EdgesThatMatter),
        _ => throw new NotSupportedException($"the search {search.Name} has no reference"),
    };

    /// <summary>
    /// Where edge pruning's parameters start by the definition: 5 and 20 for each standard deviation of ln |score| from its mean, 3 of them
    /// at most; a score of 0 is taken for the smallest other.
    /// </summary>
    /// <param name="scores">One score for each edge that has a mask.</param>
    public static double[] Start(IReadOnlyList<double> scores)
    {
        double smallest = double.PositiveInfinity;
        foreach (double score in scores)
        {
            if (score != 0 && Math.Abs(score) < smallest) smallest = Math.Abs(score);
        }
        var logs = new double[scores.Count];
        for (int i = 0; i < logs.Length; i++)
            logs[i] = double.IsInfinity(smallest) ? 0 : Math.Log(scores[i] == 0 ? smallest : Math.Abs(scores[i]));
        double sum = 0, squares = 0;
        foreach (double log in logs) sum += log;
        double mean = sum / logs.Length;
        foreach (double log in logs) squares += (log - mean) * (log - mean);
        double deviation = Math.Sqrt(squares / logs.Length);
        return [.. logs.Select(log => deviation == 0 ? 5 : 5 + (20 * Math.Max(-3, Math.Min(3, (log - mean) / deviation))))];
    }

    // Every edge by itself: corrupted alone, it changes the metric.
    private static IEnumerable<string> EdgesThatMatter(KnownCircuit known)
    {
        EdgeScores effects = Effects(known);
        return known.Model.Graph.Edges
            .Select(edge => known.Model.Graph.EdgeName(edge))
            .Where(name => known.Edge(name) is var (row, column) && Math.Abs(effects[row, column]) > 0.3);
    }

    // How the metric changes where one edge alone is corrupted.
    private static EdgeScores Effects(KnownCircuit known)
    {
        ReferenceGraph graph = known.Model.Graph;
        ReferenceItem[] items = ReferenceItem.Prepare(known.Model, known.Pairs[..2], ReferenceAblation.Patching);
        double Metric(bool[,] circuit) =>
            ReferenceCircuit.Evaluate(known.Model, items, circuit).Metric(BuiltInMetrics.LogitDifference)
                .Average() / HandSetModel.LogitScale;
        double full = Metric(graph.Circuit(graph.Edges));
        var effects = new float[known.Graph.Writers * known.Graph.Readers];
        foreach ((int Row, int Column) edge in graph.Edges)
        {
            (int row, int column) = known.Edge(graph.EdgeName(edge));
            effects[(row * known.Graph.Readers) + column] = (float)(Metric(graph.Circuit(graph.Edges.Where(e => e != edge))) - full);
        }
        return new EdgeScores(known.Graph, effects);
    }

    private static IEnumerable<string> PlainLoop(KnownCircuit known) => ReferenceAcdc
        .Search(known.Model, known.Pairs, AcdcThreshold, BuiltInMetrics.KlDivergence, ReferenceAblation.Patching, SenderOrder.Normal)
        .Where(step => step.Kept)
        .Select(step => step.Edge);

    private static double Sparsity(KnownCircuit known) => 1 - (known.EdgeNames.Count() / (double)known.Graph.EdgeCount);
}
