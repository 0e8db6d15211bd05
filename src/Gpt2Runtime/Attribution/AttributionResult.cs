using System.Collections.Immutable;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Positions;
using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>What a scoring run gives.</summary>
public sealed record AttributionResult
{
    /// <summary>The scores with their provenance.</summary>
    public required EdgeScores Scores { get; init; }

    /// <summary>
    /// The scores of edges between spans, whose sums over spans <see cref="Scores"/> are; null where none were asked for.
    /// </summary>
    public PositionalScores? Positional { get; init; }

    /// <summary>
    /// [F, K] row-major: the scores before they are rounded to float32, of which weighted means of several runs are made; cells that are no
    /// edge may hold anything. An ensemble's are made of ranks, of which no means of runs can be made.
    /// </summary>
    internal double[] Means => Array.ConvertAll(Sums, sum => sum / Divisor);

    /// <summary>[F, K] row-major: what the scores are quotients of.</summary>
    internal double[] Sums { get; init; } = [];

    /// <summary>What the sums are divided by.</summary>
    internal double Divisor { get; init; } = 1;

    /// <summary>The metric of the clean run per item (not negated; 0 for KL). Empty where the method runs none.</summary>
    public ImmutableArray<double> CleanMetric { get; init; } = [];

    /// <summary>The metric of the corrupted run per item, judged by the clean answers. Empty where the method runs none.</summary>
    public ImmutableArray<double> CorruptedMetric { get; init; } = [];

    /// <summary>The recorded path of the token embedding: by item and step; null where none was asked for.</summary>
    public IReadOnlyList<EmbeddingPathPoint>? EmbeddingPath { get; init; }

    /// <summary>How the run was cut into batches.</summary>
    public required BatchSummary Plan { get; init; }

    /// <summary>Largest amount of device memory in use during the run, weights included.</summary>
    public required long PeakDeviceBytes { get; init; }
}
