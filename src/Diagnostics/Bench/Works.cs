using System.Globalization;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels;

namespace Gradpath.Diagnostics.Bench;

/// <summary>
/// The works that performance is stated for, on random weights: W1 EAP-IG with 5 points, W2 EAP-GP with 5 steps, W3 the evaluation of a
/// circuit of 1,000 edges, W4 exact patching of every edge, W5 is W1 on larger models, W6 the evaluation of circuits of ten sizes, W7 100
/// steps of edge pruning.
/// </summary>
internal static class Works
{
    public const string Large = "W5";

    private const double GiB = 1L << 30;
    private const int CircuitEdges = 1000;
    private const int PruningBatch = 32;
    private const int PruningSteps = 100;
    private const int PruningSample = 3;

    /// <summary>The works by the model shape that they run on, in the order in which they are run.</summary>
    public static IReadOnlyList<(string Model, string[] Names)> ByModel { get; } =
    [
        ("small", ["W1", "W2", "W3", "W4", "W6", "W7"]), ("medium", [Large]), ("xl", [Large]),
    ];

    /// <summary>The settings of W1.</summary>
    public static AttributionOptions EapIg { get; } = new() { Method = AttributionMethods.EapIg, BatchSize = Workloads.BatchSize };

    /// <summary>Prepares a work.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="model">What to call the model's shape.</param>
    /// <param name="weights">The weights of the model, on the device that computes.</param>
    /// <param name="sample">Whether a sample will do: of W4 the edges into the middle layer's MLP, of W7 a few steps.</param>
    /// <param name="cancellation">Stops a run between passes.</param>
    public static Work Prepare(string name, string model, Gpt2Weights weights, bool sample, CancellationToken cancellation)
    {
        WorkFlops flops = new(weights.Config, Workloads.PairCount, Workloads.Tokens, Workloads.DiffersAt);
        Work Scoring(string title, AttributionOptions options) => Batches(
            name, $"{title}, {model}", flops.Method(options), InnerBytes(weights.Config),
            (prompts, progress) => EdgeAttribution.Run(weights, prompts, options, progress, cancellation));
        return name switch
        {
            "W1" or Large => Scoring("EAP-IG, 5 points", EapIg),
            "W2" => Scoring("EAP-GP, 5 steps", EapIg with { Method = AttributionMethods.EapGp }),
            "W3" => Evaluation(name, model, weights, [CircuitEdges], flops, cancellation),
            "W4" => Exact(name, model, weights, flops, sample, cancellation),
            "W6" => Evaluation(name, model, weights, null, flops, cancellation),
            "W7" => Pruning(name, model, weights, sample, cancellation),
            _ => throw new ArgumentException($"no work is called {name}", nameof(name)),
        };
    }

    /// <summary>Makes a model for timing, if the device has room for it and for W1 on it.</summary>
    /// <param name="model">The shape's name.</param>
    /// <param name="device">The device.</param>
    /// <param name="obstacle">What there is no room for; null where a model is given back.</param>
    public static Gpt2Weights? TryCreate(string model, Device device, out string? obstacle)
    {
        Gpt2Config config = Workloads.Shape(model);
        if ((obstacle = Obstacle(WeightBytes(config), "weights")) is not null) return null;
        Gpt2Weights weights = RandomGpt2Weights.Create(config, 1, device);
        if ((obstacle = Obstacle(WorkspaceBytes(weights), "workspaces")) is null) return weights;
        weights.Dispose();
        return null;

        string? Obstacle(long bytes, string what) => bytes <= device.FreeMemory
            ? null
            : string.Create(
                CultureInfo.InvariantCulture, $"its {what} need {bytes / GiB:0.0} GiB, {device.FreeMemory / GiB:0.0} GiB are free");
    }

    /// <summary>Bytes that the weights of a model take.</summary>
    public static long WeightBytes(Gpt2Config config) =>
        sizeof(float) * Gpt2Layout.Of(config).Sum(t => t.Shape.Aggregate(1L, (product, extent) => product * extent));

    private static double InnerBytes(Gpt2Config config) =>
        WeightBytes(config) - TableBytes(config) - ((double)sizeof(float) * config.Positions * config.Width);

    private static double TableBytes(Gpt2Config config) => (double)sizeof(float) * config.Vocabulary * config.Width;

    private static long WorkspaceBytes(Gpt2Weights weights)
    {
        IReadOnlyList<PromptPair> pairs = Prompts(Workloads.PairCount).Pairs;
        PromptSpan[] batch = PromptSpan.Largest(PairSpans.Of(pairs, true), Workloads.BatchSize);
        return EdgeAttribution.PlannedBytes(weights, pairs, ScoringSettings.Of(EapIg), batch);
    }

    private static PromptSet Prompts(int count) => PromptSet.Of(Workloads.Pairs(count, Workloads.Tokens, Workloads.DiffersAt));

    // Work on W1's pairs, batch by batch.
    private static Work Batches(
        string name,
        string shape,
        double flops,
        double bytes,
        Action<PromptSet, IProgress<RunProgress>?> run,
        double? wholeFlops = null,
        Action<PromptSet, IProgress<RunProgress>?>? pass = null)
    {
        PromptSet prompts = Prompts(Workloads.PairCount);
        return new Work(
            name, shape, flops, bytes, wholeFlops, () => run(prompts, null),
            (count, progress) => (pass ?? run)(Prompts(count * Workloads.BatchSize), progress));
    }

    // Circuits of given sizes, or of the ten of the sparsity curve.
    private static Work Evaluation(
        string name, string model, Gpt2Weights weights, int[]? sizes, WorkFlops flops, CancellationToken cancellation)
    {
        ComputationGraph graph = new(weights.Config);
        AttributionOptions eap = EapIg with { Method = AttributionMethods.Eap };
        EdgeScores ranking = EdgeAttribution.Score(weights, Prompts(Workloads.PairCount), eap, null, cancellation);
        sizes =
        [
            .. sizes?.Select(s => Math.Min(s, graph.EdgeCount))
                ?? SparsityOptions.DefaultFractions.Select(p => Math.Max(1, (int)(p * graph.EdgeCount))),
        ];
        Circuit[] circuits = [.. sizes.Select(size => CircuitPruning.Prune(CircuitSelection.TopEdges(ranking, size)))];
        string shape = circuits is [var only]
            ? $"circuit of {sizes[0]:N0} edges ({only.EdgeCount:N0} after pruning), {model}"
            : $"circuits of {sizes.Length} sizes, {sizes[0]:N0} to {sizes[^1]:N0} edges, {model}";
        EvaluationOptions options = new() { BatchSize = Workloads.BatchSize };
        return Batches(
            name, shape, flops.Evaluation(circuits), InnerBytes(weights.Config) + TableBytes(weights.Config),
            (prompts, progress) => CircuitEvaluation.Evaluate(weights, prompts, circuits, options, progress, cancellation));
    }

    private static Work Exact(string name, string model, Gpt2Weights weights, WorkFlops flops, bool sample, CancellationToken cancellation)
    {
        ComputationGraph graph = new(weights.Config);
        int middle = graph.Layers / 2, edges = sample ? graph.WritersBefore(graph.MlpColumn(middle)) : graph.EdgeCount;
        Func<int, bool> sampled = sublayer => sublayer == (2 * middle) + 1;
        AttributionOptions exact = EapIg with { Method = AttributionMethods.Exact };
        Action<PromptSet, IProgress<RunProgress>?> Run(Func<int, bool>? sublayers) => (prompts, progress) =>
            EdgeAttribution.Run(weights, prompts, exact, new ScoringHooks { OnlySublayers = sublayers }, progress, cancellation);
        string shape = sample
            ? $"exact, sample: the {edges:N0} edges into m{middle} of {graph.EdgeCount:N0}, {model}"
            : $"exact, {edges:N0} edges, {model}";
        double all = flops.Exact(graph, null);
        return Batches(
            name, shape, sample ? flops.Exact(graph, sampled) : all, InnerBytes(weights.Config), Run(sample ? sampled : null),
            sample ? all : null, Run(sampled));
    }

    private static Work Pruning(string name, string model, Gpt2Weights weights, bool sample, CancellationToken cancellation)
    {
        PromptSet prompts = Prompts(PruningBatch);
        WorkFlops flops = new(weights.Config, PruningBatch, Workloads.Tokens, Workloads.DiffersAt);
        int steps = sample ? PruningSample : PruningSteps;
        double all = flops.EdgePruning(PruningSteps, PruningBatch);
        string shape =
            $"edge pruning, {(sample ? $"sample: {steps} of {PruningSteps}" : PruningSteps)} steps, batch {PruningBatch}, {model}";
        double bytes = InnerBytes(weights.Config) + TableBytes(weights.Config);
        return new Work(
            name, shape, sample ? flops.EdgePruning(steps, PruningBatch) : all, bytes, sample ? all : null, () => Run(steps, null), Run);

        void Run(int count, IProgress<RunProgress>? progress)
        {
            // The steps alone: what makes a circuit of the masks is no part of the work that is counted.
            var options = new EdgePruningOptions { Steps = count, BatchSize = PruningBatch };
            IProgress<RunProgress>? twice = progress is null ? null : new EveryStep(progress);
            using var run = new DeviceRun(weights.Device);
            using var pruning = new EdgePruning(weights, prompts, options, null, cancellation);
            while (!pruning.IsDone)
            {
                cancellation.ThrowIfCancellationRequested();
                pruning.Step(twice, cancellation);
            }
        }
    }

    // Training reports after a step; here that is before the next one as well.
    private sealed class EveryStep(IProgress<RunProgress> progress) : IProgress<RunProgress>
    {
        public void Report(RunProgress value)
        {
            progress.Report(value);
            progress.Report(value);
        }
    }
}
