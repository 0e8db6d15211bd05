using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Gpt2Runtime.Attribution;

/// <summary>How a method's scores are made.</summary>
internal sealed record MethodWork
{
    /// <summary>Makes the scorer of a run, with workspaces for its largest batch.</summary>
    public required Func<RunContext, ScoringSettings, BatchScorer> Scorer { get; init; }

    /// <summary>Whole passes over a batch; null where passes are parts of passes.</summary>
    public required Func<ScoringSettings, PassCounts?> Passes { get; init; }

    /// <summary>What the sums are divided by: the number of gradient points.</summary>
    public Func<Gpt2Config, ScoringSettings, double> Divisor { get; init; } = (_, _) => 1;

    /// <summary>
    /// Whether every run lies between the clean and the corrupted one at every node, so that <see cref="PairSpans"/> may leave prefixes
    /// out.
    /// </summary>
    public Func<ScoringSettings, bool> SharesPrefixes { get; init; } = _ => false;

    /// <summary>Whether batches are cut from the items as they come, because the batches change the scores.</summary>
    public Func<ScoringSettings, bool> NeedsFileOrder { get; init; } = _ => false;

    /// <summary>
    /// Whether <see cref="ScoreNormalization.Library"/> takes the mean over batches, not the sum over batches divided by the number of
    /// items.
    /// </summary>
    public bool MeanOverBatches { get; init; }

    /// <summary>
    /// Whether scores are contractions of writers' differences with readers' gradients at each position, which spans tell apart.
    /// </summary>
    public bool TellsSpansApart { get; init; }

    /// <summary>Whether scores of a metric's loss are sizes, 0 or more.</summary>
    public bool Unsigned { get; init; }

    /// <summary>Whether the clean run is the only gradient point.</summary>
    public bool OnlyAtClean { get; init; }
}
