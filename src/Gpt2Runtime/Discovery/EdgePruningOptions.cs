using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>
/// How edge pruning (Bhaskar et al. 2024) is run. The defaults are the published settings for GPT-2 small: 3000 steps on 32,491 edges.
/// Shorter runs and smaller graphs have defaults that make the same way in fewer steps (<see cref="MultiplierRate"/>,
/// <see cref="WeightDecay"/>). Circuits are judged by KL, and no other metric is taken. The batch size is that of a step,
/// <see cref="PublishedBatch"/> by default, and pairs are divided into batches of equal size; the seed is that of initial masks, samples
/// and the order of batches, see <see cref="Draws"/>.
/// </summary>
public record EdgePruningOptions : SearchOptions
{
    /// <summary>Steps in the published runs on GPT-2 small.</summary>
    public const int PublishedSteps = 3000;

    /// <summary>Prompt pairs of a step in the published runs.</summary>
    public const int PublishedBatch = 32;

    /// <summary>Steps for graphs of fewer than <see cref="SmallGraph"/> edges, where masks settle sooner.</summary>
    public const int SmallSteps = 1500;

    private const int PublishedEdges = 32_491;
    private const double PublishedMultiplierRate = 0.8;
    private const double PublishedWeightDecay = 0.01;
    private const double MostWeightDecay = 0.1;

    /// <summary>Number of edges below which a graph counts as small.</summary>
    public const int SmallGraph = 5000;

    /// <summary>Share of all edges that the circuit lacks, above 0 and below 1.</summary>
    public double Sparsity { get; init; } = 0.95;

    /// <summary>Sparsity that training aims at; null for <see cref="Sparsity"/>. May be above 1, which prunes harder.</summary>
    public double? Target { get; init; }

    /// <summary>Steps; 0 for <see cref="DefaultSteps"/>.</summary>
    public int Steps { get; init; }

    /// <summary>Steps over which the target grows; null for 5/6 of the steps (published: 2500 of 3000).</summary>
    public int? TargetWarmup { get; init; }

    /// <summary>How it grows.</summary>
    public TargetSchedule Schedule { get; init; } = TargetSchedule.Linear;

    /// <summary>
    /// Steps over which the learning rates grow, before they fall linearly to 0; null for 1/15 of the steps (published: 200 of 3000).
    /// </summary>
    public int? RateWarmup { get; init; }

    /// <summary>Learning rate of the masks.</summary>
    public double LearningRate { get; init; } = 0.8;

    /// <summary>
    /// Learning rate of the Lagrange multipliers; null for the published 0.8, in proportion to edges / steps where that is less: a
    /// multiplier grows by about its rate each step, and each edge feels its share of it.
    /// </summary>
    public double? MultiplierRate { get; init; }

    /// <summary>
    /// AdamW's weight decay, of masks and multipliers; null for the published 0.01 times 3000 / steps, at most 0.1: the decay brings masks
    /// down from 10 to where their samples begin to differ, and a shorter run has to get there too.
    /// </summary>
    public double? WeightDecay { get; init; }

    /// <summary>The gradient of all parameters together is scaled down to this norm.</summary>
    public double MaxGradientNorm { get; init; } = 1;

    /// <summary>Whether every writer has a mask too, which multiplies those of its edges.</summary>
    public bool NodeMasks { get; init; }

    /// <summary>Sparsity of the writers' masks to aim at; null leaves them to the loss alone, as in the published runs.</summary>
    public double? NodeTarget { get; init; }

    /// <summary>
    /// How often masks are drawn and trained, at least 1. The circuits are judged by their KL on the prompts that they were trained on,
    /// and the lowest is kept. Draws differ in the initial masks, the samples and the batches; the first is that of <c>Seed</c>.
    /// </summary>
    public int Draws { get; init; } = 1;

    /// <summary>
    /// Scores that decide where each mask starts: those of edges of large absolute score open, those of edges of small score closed, by the
    /// logarithm; the target then grows from the sparsity that this is. Null to start all of them open, as published. A program states
    /// which scores they were by their method and a hash.
    /// </summary>
    public EdgeScores? Init { get; init; }

    /// <summary>Steps of the schedule that are left out at its start, where the target asks for less than is pruned already.</summary>
    internal int SkippedSteps { get; init; }

    /// <summary>Sparsity at which <see cref="Init"/> lets edges start, where the target grows from; null without.</summary>
    internal double? StartSparsity { get; init; }

    /// <summary>The same of writers.</summary>
    internal double? NodeStartSparsity { get; init; }

    /// <summary>The number of steps where none is given.</summary>
    /// <param name="edges">Edges of the graph.</param>
    /// <returns>The published number, or fewer for small graphs.</returns>
    public static int DefaultSteps(int edges) => edges < SmallGraph ? SmallSteps : PublishedSteps;

    /// <summary>The same options with every default in place.</summary>
    /// <param name="edges">Edges of the graph.</param>
    /// <returns>Options without null and 0.</returns>
    /// <exception cref="OptionException">A value cannot be used; the message names the option.</exception>
    public EdgePruningOptions Resolve(int edges)
    {
        int steps = Steps > 0 ? Steps : DefaultSteps(edges);
        EdgePruningOptions resolved = this with
        {
            Steps = steps,
            BatchSize = BatchSize == 0 ? PublishedBatch : BatchSize,
            Seed = Seed ?? 0,
            Target = Target ?? Sparsity,
            TargetWarmup = TargetWarmup ?? Math.Max(1, steps * 5 / 6),
            RateWarmup = RateWarmup ?? steps / 15,
            MultiplierRate = MultiplierRate
                ?? PublishedMultiplierRate * Math.Min(1, edges / (double)PublishedEdges * PublishedSteps / steps),
            WeightDecay = WeightDecay ?? Math.Min(MostWeightDecay, PublishedWeightDecay * PublishedSteps / steps),
        };
        resolved.Check();
        return resolved;
    }

    /// <inheritdoc />
    public override JsonObject Describe(ComputationGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        JsonObject json = new()
        {
            ["sparsity"] = Sparsity,
            ["target"] = Target,
            // Those of the whole schedule, of which a start from fewer edges skips the first.
            ["steps"] = Steps + SkippedSteps,
            ["target-warmup"] = TargetWarmup,
            ["schedule"] = CanonicalNames.Of(Schedule),
            ["rate-warmup"] = RateWarmup,
            ["learning-rate"] = LearningRate,
            ["multiplier-rate"] = MultiplierRate,
            ["weight-decay"] = WeightDecay,
            ["max-gradient-norm"] = MaxGradientNorm,
            ["batch-size"] = BatchSize,
            ["node-masks"] = NodeMasks,
        };
        if (NodeTarget is { } target) json["node-target"] = target;
        if (Draws > 1) json["draws"] = Draws;
        if (SkippedSteps > 0) json["skipped-steps"] = SkippedSteps;
        if (Init is not null)
        {
            json["init"] = Init.Provenance?.Method ?? "scores";
            if (StartSparsity is { } start) json["start-sparsity"] = Math.Round(start, 6);
            json["init-hash"] = Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(Init.Values)));
        }
        return json;
    }

    /// <inheritdoc />
    internal override SearchOptions At(double size) => this with { Sparsity = size };

    /// <summary>The target at a step.</summary>
    /// <param name="step">The step, from 0.</param>
    /// <param name="target">Its final value.</param>
    /// <param name="start">Its value at the first step; null for that of the schedule.</param>
    /// <returns>The target.</returns>
    internal double TargetAt(int step, double target, double? start = null)
    {
        int warmup = TargetWarmup!.Value;
        double from = start ?? 0;
        double share = start is null
            ? Math.Min(1, (step + SkippedSteps) / (double)warmup)
            : Math.Min(1, step / (double)Math.Max(1, warmup - SkippedSteps));
        return Schedule == TargetSchedule.Linear
            ? from + ((target - from) * share)
            : 1 - ((1 - from) * Math.Pow((1 - target) / (1 - from), share));
    }

    /// <summary>The factor on the learning rates at a step.</summary>
    /// <param name="step">The step, from 0.</param>
    /// <returns>Between 0 and 1.</returns>
    internal double RateAt(int step)
    {
        int warm = RateWarmup!.Value;
        return step < warm ? (step + 1.0) / warm : (Steps - step) / (double)Math.Max(1, Steps - warm);
    }

    /// <summary>Resolved options without the steps at which the target is below a sparsity that is there from the start.</summary>
    /// <param name="sparsity">That sparsity.</param>
    /// <param name="edges">Edges of the graph.</param>
    /// <returns>Options with fewer steps; defaults that depend on the number of steps are those of the steps that are left.</returns>
    internal EdgePruningOptions From(double sparsity, int edges)
    {
        EdgePruningOptions whole = Resolve(edges);
        int skipped = 0;
        while (skipped < whole.TargetWarmup && whole.TargetAt(skipped, whole.Target!.Value) < sparsity) skipped++;
        EdgePruningOptions rest = this with { Steps = whole.Steps - skipped };
        int warmup = RateWarmup is { } given ? Math.Min(given, rest.Steps) : rest.Steps / 15;
        return (rest with { TargetWarmup = null, RateWarmup = warmup }).Resolve(edges) with
        {
            SkippedSteps = skipped,
            TargetWarmup = whole.TargetWarmup
        };
    }

    /// <summary>Checks resolved options.</summary>
    /// <exception cref="OptionException">A value cannot be used; the message names the option.</exception>
    private protected virtual void Check()
    {
        Require(Sparsity is > 0 and < 1, Terms.Sparsity, Sparsity, "above 0 and below 1");
        Require(Target is > 0, Terms.Target, Target!.Value, "above 0");
        Require(
            TargetWarmup is > 0 && TargetWarmup <= Steps, Terms.TargetWarmup, TargetWarmup!.Value,
            $"from 1 to the number of steps, {Steps}");
        Require(RateWarmup is >= 0 && RateWarmup <= Steps, Terms.RateWarmup, RateWarmup!.Value, $"from 0 to the number of steps, {Steps}");
        Require(LearningRate > 0, Terms.LearningRate, LearningRate, "above 0");
        Require(MultiplierRate > 0, Terms.MultiplierRate, MultiplierRate!.Value, "above 0");
        Require(WeightDecay >= 0, Terms.WeightDecay, WeightDecay!.Value, "0 or more");
        Require(MaxGradientNorm > 0, Terms.MaxGradientNorm, MaxGradientNorm, "above 0");
        Require(BatchSize > 0, Terms.BatchSize, BatchSize, "1 or more");
        Require(Draws > 0, Terms.Draws, Draws, "1 or more");
        if (NodeTarget is { } nodes)
        {
            if (!NodeMasks) throw new OptionException($"{Terms.NodeTarget} needs {Terms.NodeMasks}");
            Require(nodes > 0, Terms.NodeTarget, nodes, "above 0");
        }
        if (Schedule == TargetSchedule.Logarithmic && (Target >= 1 || NodeTarget >= 1))
            throw new OptionException($"{Terms.Schedule.With(Schedule)} needs targets below 1");

        static void Require(bool holds, Term option, double value, string range)
        {
            if (!holds || !double.IsFinite(value)) throw new OptionException($"{option.With(value)}: must be {range}");
        }
    }
}
