using Gradpath.Gpt2Runtime.Metrics;

namespace Gradpath.Gpt2Runtime.Tasks;

/// <summary>How prompts are loaded and what the model allows.</summary>
public sealed record PromptOptions
{
    /// <summary>Number of prompts that are generated where neither a file nor a limit is given.</summary>
    public const int DefaultCount = 100;

    /// <summary>Most prompts that are generated for a task.</summary>
    public const int MostGenerated = 1_000_000;

    /// <summary>Prompts between two reports of how many there are.</summary>
    internal const int ReportEvery = 1000;

    /// <summary>The model's number of tokens; ids must be below it. Null: not checked.</summary>
    public int? Vocabulary { get; init; }

    /// <summary>The model's number of positions; prompts must not be longer, begin token included. Null: not checked.</summary>
    public int? Positions { get; init; }

    /// <summary>Whether prompts that come as text get the checkpoint's begin token in front. Those of ids are taken as they are.</summary>
    public bool PrependBos { get; init; } = true;

    /// <summary>
    /// Take only the first so many prompts of a file, or generate so many. Null: all of a file, <see cref="DefaultCount"/> generated.
    /// </summary>
    public int? Limit { get; init; }

    /// <summary>Leave out the first so many prompts.</summary>
    public int Skip { get; init; }

    /// <summary>
    /// Of a file, draw so many prompts with <see cref="Seed"/>, of which <see cref="Limit"/> takes the first; null for all. They stay in
    /// the file's order.
    /// </summary>
    public int? Sample { get; init; }

    /// <summary>Take one half of all these; null for both.</summary>
    public PromptSplit? Split { get; init; }

    /// <summary>Seed of generated prompts and of a sample.</summary>
    public ulong Seed { get; init; }

    /// <summary>The metric to judge by, or null for the task's own (logit difference for a set of the user's own).</summary>
    public Metric? Metric { get; init; }

    /// <summary>
    /// Whether scores or a search depend on the metric. Where they do not, it only judges what was found, and pairs of a file that lack
    /// what the default metric needs are judged by <see cref="BuiltInMetrics.KlDivergence"/>.
    /// </summary>
    public bool MetricIsRead { get; init; } = true;

    /// <summary>What an answer text of several tokens stands for, in files that hold texts.</summary>
    public AnswerReading AnswerReading { get; init; }

    /// <summary>For a CSV file of ioi: corrupt by repeating the indirect object (<c>corrupted_hard</c>) and not by a third name.</summary>
    public bool HardCorruption { get; init; }
}
