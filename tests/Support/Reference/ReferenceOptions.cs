using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Tests.Support.Reference;

/// <summary>EAP-IG's points on the way from the corrupted (0) to the clean (1) embedding.</summary>
internal enum ReferenceIgPoints
{
    /// <summary>0, 1/m, ..., (m-1)/m.</summary>
    Left,

    /// <summary>1/m, ..., 1.</summary>
    Right,

    /// <summary>1/(2m), 3/(2m), ...</summary>
    Midpoint,
}

/// <summary>What stands in for a writer's output on a corrupted edge.</summary>
internal enum ReferenceAblation
{
    /// <summary>The writer's output in the corrupted run.</summary>
    Patching,

    /// <summary>Zero.</summary>
    Zero,

    /// <summary>The mean over all clean prompts at the same position.</summary>
    MeanPositional,
}

/// <summary>What the path of EAP-GP brings closer to the target run, as a squared distance.</summary>
internal enum ReferenceObjective
{
    LogitsAll,
    LogitsLast,
    ProbabilitiesLast,
    ResidualFinal,
    ResidualFinalLast,
    Metric,
}

/// <summary>Over what EAP-GP's gradient norm is taken.</summary>
internal enum ReferenceNorm
{
    Item,
    Batch,
}

/// <summary>Step length of EAP-GP.</summary>
internal enum ReferenceEta
{
    /// <summary>1.</summary>
    One,

    /// <summary>||clean - corrupted embedding|| / k of the item.</summary>
    Match,

    /// <summary>By which the objective's root falls, to first order, in k equal parts; the last half part stays.</summary>
    Distance,
}

/// <summary>Where EAP-GP's steps lead.</summary>
internal enum ReferenceDirection
{
    /// <summary>Against the objective's gradient.</summary>
    Gradient,

    /// <summary>From the start's embedding to the target's.</summary>
    Line,

    /// <summary>The sum of both at length one.</summary>
    Mixed,

    /// <summary>Mixed from the clean embedding, line from the corrupted one.</summary>
    Auto,
}

/// <summary>Where EAP-GP's path starts; the target is the other run.</summary>
internal enum ReferenceStart
{
    Clean,
    Corrupted,

    /// <summary>Clean where the loss's gradient there is less than an eighth of that halfway, else corrupted.</summary>
    Auto,
}

/// <summary>What EAP-GP multiplies the gradients by.</summary>
internal enum ReferenceOuter
{
    /// <summary>corrupted - clean, times the mean gradient over the points 1..k.</summary>
    Delta,

    /// <summary>The writer's change from point j to j + 1, times the gradient at point j, summed over j.</summary>
    Path,
}

internal enum ReferenceNormalization
{
    /// <summary>Sum over items / N.</summary>
    PerItemMean,

    /// <summary>Sum over batches of the batch's mean, / N (exact: / number of batches).</summary>
    Library,
}

/// <summary>A method and all its options; every method ignores what is not its own.</summary>
internal sealed record ReferenceOptions
{
    public required AttributionMethod Method { get; init; }

    public Metric Metric { get; init; } = BuiltInMetrics.LogitDifference;

    /// <summary>m or k.</summary>
    public int Steps { get; init; } = 5;

    public ReferenceIgPoints IgPoints { get; init; }

    public ReferenceAblation Ablation { get; init; }

    public ReferenceObjective Objective { get; init; }

    public ReferenceNorm Norm { get; init; }

    public ReferenceEta Eta { get; init; }

    public ReferenceDirection Direction { get; init; }

    public ReferenceStart Start { get; init; }

    public ReferenceOuter Outer { get; init; }

    public ReferenceNormalization Normalization { get; init; }

    /// <summary>
    /// Items per batch, in file order. Matters to <see cref="ReferenceNorm.Batch"/> and <see cref="ReferenceNormalization.Library"/> only.
    /// </summary>
    public int BatchSize { get; init; } = 1;

    /// <summary>Information flow routes: what 0/0 at a position counts. 0, or NaN, which makes the reader's whole column NaN.</summary>
    public double UndefinedFlow { get; init; }
}
