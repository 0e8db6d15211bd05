using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Discovery;
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

    // Every edge by itself: corrupted alone, it changes the metric.
    private static IEnumerable<string> EdgesThatMatter(KnownCircuit known)
    {
        ReferenceGraph graph = known.Model.Graph;
        ReferenceItem[] items = ReferenceItem.Prepare(known.Model, known.Pairs[..2], ReferenceAblation.Patching);
        double Metric(bool[,] circuit) =>
            ReferenceCircuit.Evaluate(known.Model, items, circuit).Metric(BuiltInMetrics.LogitDifference)
                .Average() / HandSetModel.LogitScale;
        double full = Metric(graph.Circuit(graph.Edges));
        return graph.Edges
            .Where(edge => Math.Abs(Metric(graph.Circuit(graph.Edges.Where(e => e != edge))) - full) > 0.3)
            .Select(edge => graph.EdgeName(edge));
    }

    private static IEnumerable<string> PlainLoop(KnownCircuit known) => ReferenceAcdc
        .Search(known.Model, known.Pairs, AcdcThreshold, BuiltInMetrics.KlDivergence, ReferenceAblation.Patching, SenderOrder.Normal)
        .Where(step => step.Kept)
        .Select(step => step.Edge);

    private static double Sparsity(KnownCircuit known) => 1 - (known.EdgeNames.Count() / (double)known.Graph.EdgeCount);
}
