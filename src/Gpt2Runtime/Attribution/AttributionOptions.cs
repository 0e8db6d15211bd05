using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>How edges are scored.</summary>
public enum AttributionMethod
{
    /// <summary><c>eap</c>: gradient on the clean run.</summary>
    Eap,

    /// <summary><c>eap-ig</c>: gradients averaged over token embeddings between corrupted and clean.</summary>
    EapIg,

    /// <summary><c>eap-ig-activations</c>: gradients averaged over interpolations of one site's output at a time.</summary>
    EapIgActivations,

    /// <summary><c>clean-corrupted</c>: mean of the gradients at the clean and at the corrupted prompt.</summary>
    CleanCorrupted,

    /// <summary><c>eap-gp</c>: gradients averaged along a path that follows the gradient of the output's distance to the corrupted run.</summary>
    EapGp,

    /// <summary><c>exact</c>: the metric with one edge corrupted minus the metric of the full model, edge by edge.</summary>
    Exact,

    /// <summary><c>information-flow-routes</c>: how much of each reader's input a writer makes up, on the clean run; no metric.</summary>
    InformationFlowRoutes,

    /// <summary><c>magnitude</c>: how far the corruption moves the edge's writer, whoever reads it; no metric. A baseline.</summary>
    Magnitude,

    /// <summary><c>random</c>: uniform random numbers that depend on the seed alone. A baseline.</summary>
    Random,
}

/// <summary>What follows from the choice of a method.</summary>
public static class AttributionMethods
{
    /// <summary>Whether a method's scores are of a metric's loss, so that they have a sign and the prompts need answers.</summary>
    /// <param name="method">The method.</param>
    /// <returns>False for information flow routes and the baselines: their scores are 0 or more, and no metric is computed.</returns>
    public static bool HasMetric(this AttributionMethod method) =>
        method is not (AttributionMethod.InformationFlowRoutes or AttributionMethod.Magnitude or AttributionMethod.Random);
}

/// <summary>The interpolation points of <see cref="AttributionMethod.EapIg"/>, as shares of the clean embedding; m steps.</summary>
public enum IgPoints
{
    /// <summary>0 .. m-1 over m, as the EAP-IG library does today.</summary>
    Left,

    /// <summary>1 .. m over m, as the paper does.</summary>
    Right,

    /// <summary>(i + 1/2) over m.</summary>
    Midpoint,
}

/// <summary>The distance that the path of <see cref="AttributionMethod.EapGp"/> descends.</summary>
public enum PathObjective
{
    /// <summary>Squared distance of the logits at all real positions.</summary>
    LogitsAll,

    /// <summary>Squared distance of the logits at the last position.</summary>
    LogitsLast,

    /// <summary>Squared distance of the probabilities at the last position.</summary>
    ProbsLast,

    /// <summary>Squared distance of the residual stream before the final LayerNorm, all real positions.</summary>
    ResidualFinal,

    /// <summary>The same at the last position only.</summary>
    ResidualFinalLast,

    /// <summary>Squared difference of the metric; one backward pass per step serves the path and the scores.</summary>
    Metric,
}

/// <summary>Over what the path's gradient is normalised.</summary>
public enum PathNorm
{
    /// <summary>One norm per item.</summary>
    Item,

    /// <summary>One norm over the whole batch of items in file order, so the result depends on the batch size (as one public re-implementation does).</summary>
    Batch,
}

/// <summary>The length of a path's step.</summary>
public enum PathStep
{
    /// <summary>1.</summary>
    Unit,

    /// <summary>The distance between the clean and the corrupted embedding over the number of steps, per item.</summary>
    Match,
}

/// <summary>Where the path starts; it heads for the output of the other prompt.</summary>
public enum PathStart
{
    /// <summary>At the clean embedding.</summary>
    Clean,

    /// <summary>At the corrupted embedding.</summary>
    Corrupted,
}

/// <summary>What the gradients along the path are multiplied with.</summary>
public enum PathOuter
{
    /// <summary>The full difference corrupted - clean of the writer.</summary>
    Delta,

    /// <summary>The writer's own change from path point to path point, as IG2 integrates.</summary>
    Path,
}

/// <summary>How items are weighted.</summary>
public enum ScoreNormalization
{
    /// <summary>Mean over items.</summary>
    Item,

    /// <summary>As the EAP-IG library: the loss is the mean over a batch, the sum over batches is divided by the number of items.</summary>
    Library,
}

/// <summary>Everything that decides what scores come out.</summary>
public sealed record AttributionOptions
{
    /// <summary>The method.</summary>
    public AttributionMethod Method { get; init; } = AttributionMethod.EapIg;

    /// <summary>The metric; scores are of its loss (<see cref="TaskMetric"/>).</summary>
    public TaskMetric Metric { get; init; } = TaskMetric.LogitDifference;

    /// <summary>Number of gradient points of the integrated methods: m or k.</summary>
    public int Steps { get; init; } = 5;

    /// <summary>What replaces a writer; only for eap, eap-ig-activations and exact.</summary>
    public Ablation Ablation { get; init; } = Ablation.Patching;

    /// <summary>Points of eap-ig.</summary>
    public IgPoints IgPoints { get; init; } = IgPoints.Left;

    /// <summary>Objective of eap-gp's path.</summary>
    public PathObjective PathObjective { get; init; } = PathObjective.LogitsAll;

    /// <summary>Norm of eap-gp's path.</summary>
    public PathNorm PathNorm { get; init; } = PathNorm.Item;

    /// <summary>Step length of eap-gp's path.</summary>
    public PathStep PathEta { get; init; } = PathStep.Unit;

    /// <summary>Start of eap-gp's path.</summary>
    public PathStart PathStart { get; init; } = PathStart.Clean;

    /// <summary>Outer factor of eap-gp.</summary>
    public PathOuter PathOuter { get; init; } = PathOuter.Delta;

    /// <summary>How items are weighted.</summary>
    public ScoreNormalization Normalization { get; init; } = ScoreNormalization.Item;

    /// <summary>Prompt pairs per batch; 0 picks the number by the memory at hand. With <see cref="ScoreNormalization.Library"/> it also sets the weights and must not be 0.</summary>
    public int BatchSize { get; init; }

    /// <summary>Seed of the random method; no other method draws random numbers.</summary>
    public ulong Seed { get; init; }

    /// <summary>Record metric, gradient norm and output distance at every point of the path (eap, eap-ig, eap-gp).</summary>
    public bool RecordPath { get; init; }

    /// <summary>Run every position, also those before the first difference of a pair; to compare with and to measure against.</summary>
    internal bool WholePrompts { get; init; }

    /// <summary>exact: score only the edges into these sublayers, and no nodes; to time a part of the whole.</summary>
    internal Func<int, bool>? OnlySublayers { get; init; }
}
