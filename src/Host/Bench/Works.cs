using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Host.Bench;

/// <summary>A whole piece of work, ready to run.</summary>
/// <param name="Name">W1 to W5, as the results call it.</param>
/// <param name="Shape">What it is.</param>
/// <param name="Flops">Flops of its products.</param>
/// <param name="WholeFlops">Flops of the whole where this is a sample of it, else null.</param>
/// <param name="Run">Runs it once.</param>
internal sealed record Work(string Name, string Shape, double Flops, double? WholeFlops, Action Run);

/// <summary>
/// The works that performance is stated for, on random weights: W1 EAP-IG with 5 points, W2 EAP-GP with 5 steps, W3 the evaluation of a
/// circuit of 1,000 edges, W4 exact patching of every edge, W5 is W1 on larger models.
/// </summary>
internal static class Works
{
    public const string Large = "W5";

    private const int CircuitEdges = 1000;

    /// <summary>The works by the model shape that they run on, in the order in which they are run.</summary>
    public static IReadOnlyList<(string Model, string[] Names)> ByModel { get; } = [("small", ["W1", "W2", "W3", "W4"]), ("medium", [Large]), ("xl", [Large])];

    /// <summary>The settings of W1.</summary>
    public static AttributionOptions EapIg { get; } = new() { Method = AttributionMethod.EapIg, BatchSize = Workloads.BatchSize };

    /// <summary>Prepares a work.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="model">What to call the model's shape.</param>
    /// <param name="weights">The model.</param>
    /// <param name="sample">Whether a sample of W4 will do: the edges into the middle layer's MLP.</param>
    /// <param name="cancellation">Stops a run between passes.</param>
    public static Work Prepare(string name, string model, Gpt2Weights weights, bool sample, CancellationToken cancellation)
    {
        PromptPair[] pairs = Workloads.Pairs(Workloads.PairCount, Workloads.Tokens, Workloads.DiffersAt);
        WorkFlops flops = new(weights.Config, Workloads.PairCount, Workloads.Tokens, Workloads.DiffersAt);
        Work Scoring(string title, AttributionOptions options) => new(
            name, $"{title}, {model}", flops.Method(options), null, () => EdgeAttribution.Score(weights, pairs, options, null, cancellation));
        return name switch
        {
            "W1" or Large => Scoring("EAP-IG, 5 points", EapIg),
            "W2" => Scoring("EAP-GP, 5 steps", EapIg with { Method = AttributionMethod.EapGp }),
            "W3" => Evaluation(name, model, weights, pairs, flops, cancellation),
            "W4" => Exact(name, model, weights, pairs, flops, sample, cancellation),
            _ => throw new ArgumentException($"no work is called {name}", nameof(name)),
        };
    }

    /// <summary>Bytes that the weights of a model take.</summary>
    public static long WeightBytes(Gpt2Config config) =>
        sizeof(float) * Gpt2Layout.Of(config).Sum(t => t.Shape.Aggregate(1L, (product, extent) => product * extent));

    /// <summary>Bytes that W1 needs beside the weights.</summary>
    public static long WorkspaceBytes(Gpt2Weights weights)
    {
        PromptPair[] pairs = Workloads.Pairs(Workloads.PairCount, Workloads.Tokens, Workloads.DiffersAt);
        return InterpolatedGradients.Bytes(weights, EapIg, PromptSpan.Largest(PromptSpan.Of(pairs, true), Workloads.BatchSize));
    }

    private static Work Evaluation(string name, string model, Gpt2Weights weights, PromptPair[] pairs, WorkFlops flops, CancellationToken cancellation)
    {
        ComputationGraph graph = new(weights.Config);
        int edges = Math.Min(CircuitEdges, graph.EdgeCount);
        float[] scores = EdgeAttribution.Score(weights, pairs, EapIg with { Method = AttributionMethod.Eap }, null, cancellation).Scores;
        Circuit circuit = CircuitPruning.Prune(CircuitSelection.TopEdges(new EdgeScores(graph, scores) { ModelWidth = weights.Config.Width }, edges));
        EvaluationOptions options = new() { BatchSize = Workloads.BatchSize };
        return new Work(
            name, $"circuit of {edges:N0} edges ({circuit.EdgeCount:N0} after pruning), {model}", flops.Evaluation(circuit), null,
            () => CircuitEvaluation.Evaluate(weights, pairs, [circuit], options, null, cancellation));
    }

    private static Work Exact(string name, string model, Gpt2Weights weights, PromptPair[] pairs, WorkFlops flops, bool sample, CancellationToken cancellation)
    {
        ComputationGraph graph = new(weights.Config);
        int middle = graph.Layers / 2, edges = sample ? graph.WritersBefore(graph.MlpColumn(middle)) : graph.EdgeCount;
        Func<int, bool>? sublayers = sample ? sublayer => sublayer == (2 * middle) + 1 : null;
        AttributionOptions options = EapIg with { Method = AttributionMethod.Exact, OnlySublayers = sublayers };
        string shape = sample ? $"exact, sample: the {edges:N0} edges into m{middle} of {graph.EdgeCount:N0}, {model}" : $"exact, {edges:N0} edges, {model}";
        return new Work(
            name, shape, flops.Exact(graph, sublayers), sample ? flops.Exact(graph, null) : null, () => EdgeAttribution.Score(weights, pairs, options, null, cancellation));
    }
}
