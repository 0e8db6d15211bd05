using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>
/// A way to search a circuit: one row of <see cref="CircuitSearches"/>. Everything that lists or describes searches, or asks what one
/// takes, asks the row.
/// </summary>
public abstract class CircuitSearch
{
    /// <summary>Makes a row.</summary>
    private protected CircuitSearch()
    {
    }

    /// <summary>The canonical name: what programs, files and tables call the search, such as <c>edge-prune</c>.</summary>
    public required string Name { get; init; }

    /// <summary>What tables and prose call it, such as <c>edge pruning</c>.</summary>
    public required string Title { get; init; }

    /// <summary>Other names that <see cref="CircuitSearches.Find"/> takes.</summary>
    public IReadOnlyList<string> Aliases { get; init; } = [];

    /// <summary>What it does, in a few words that follow its name.</summary>
    public required string Summary { get; init; }

    /// <summary>What it takes, in words: its passes over the prompts.</summary>
    public required string Passes { get; init; }

    /// <summary>The options of <see cref="SearchOptions"/> that it reads; others are refused.</summary>
    public SearchSettings Settings { get; init; }

    /// <summary>How it is asked for a circuit of a size.</summary>
    public SearchSizing Sizing { get; init; }

    /// <summary>Whether it reads the metric even with default options; else it searches by KL where nothing else is said.</summary>
    public bool ReadsMetricByDefault { get; init; }

    /// <summary>Whether it starts from scores, so that <see cref="SearchOptions.Scorer"/> must be given.</summary>
    public bool NeedsScorer => Takes(SearchSettings.Scorer);

    /// <summary>
    /// Its options with their defaults, to be changed with a <c>with</c> expression by whoever does not know which search this is.
    /// </summary>
    public abstract SearchOptions Defaults { get; }

    /// <summary>Whether it reads options.</summary>
    /// <param name="settings">One or more of them.</param>
    /// <returns>True where it reads all of them.</returns>
    public bool Takes(SearchSettings settings) => (Settings & settings) == settings;

    /// <summary>Searches a circuit.</summary>
    /// <param name="model">The model, on the device that computes.</param>
    /// <param name="prompts">The prompt pairs; within one both prompts have the same length.</param>
    /// <param name="options">The search's options, of the type of <see cref="Defaults"/>.</param>
    /// <param name="progress">Told how far the search is, on the calling thread; may be null.</param>
    /// <param name="cancellation">Stops the search between passes.</param>
    /// <returns>The circuit, and what the search did.</returns>
    /// <exception cref="OptionException">An option cannot be used, or is of another search.</exception>
    /// <exception cref="GradpathException">An item cannot be used, or the memory does not suffice.</exception>
    /// <exception cref="InvalidOperationException">Another thread's run holds the device.</exception>
    /// <exception cref="OperationCanceledException">The search was stopped.</exception>
    public SearchResult Search(
        Gpt2Weights model,
        PromptSet prompts,
        SearchOptions options,
        IProgress<RunProgress>? progress = null,
        CancellationToken cancellation = default) => Search(model, prompts, options, null, progress, cancellation);

    /// <summary>Searches a circuit, and keeps the work on the way.</summary>
    /// <param name="model">The model, on the device that computes.</param>
    /// <param name="prompts">The prompt pairs; within one both prompts have the same length.</param>
    /// <param name="options">The search's options, of the type of <see cref="Defaults"/>.</param>
    /// <param name="checkpoint">Where its work is kept, and may be from; null where it is not.</param>
    /// <param name="progress">Told how far the search is, on the calling thread; may be null.</param>
    /// <param name="cancellation">Stops the search between passes; the checkpoint then has what was done.</param>
    /// <returns>The circuit, and what the search did.</returns>
    /// <exception cref="OptionException">An option cannot be used, or is of another search.</exception>
    /// <exception cref="GradpathException">An item or the saved work cannot be used, or the memory does not suffice.</exception>
    /// <exception cref="InvalidOperationException">Another thread's run holds the device.</exception>
    /// <exception cref="OperationCanceledException">The search was stopped.</exception>
    public SearchResult Search(
        Gpt2Weights model,
        PromptSet prompts,
        SearchOptions options,
        RunCheckpoint? checkpoint,
        IProgress<RunProgress>? progress,
        CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(prompts);
        ArgumentNullException.ThrowIfNull(options);
        return Run(model, prompts, options, checkpoint, progress, cancellation);
    }

    /// <summary>The canonical name.</summary>
    /// <returns><see cref="Name"/>.</returns>
    public override string ToString() => Name;

    /// <summary>Refuses options of another search, and those that this one does not read or cannot do without.</summary>
    /// <param name="options">The options.</param>
    /// <exception cref="OptionException">They cannot be used.</exception>
    internal void Check(SearchOptions options)
    {
        if (options.GetType() != Defaults.GetType())
            throw new OptionException($"{Name} takes {Defaults.GetType().Name}, not {options.GetType().Name}");
        Refuse(SearchSettings.Metric, Terms.Metric, options.Metric is not null);
        Refuse(SearchSettings.Seed, Terms.Seed, options.Seed is not null);
        Refuse(SearchSettings.Scorer, Terms.Scorer, options.Scorer is not null);
        if (NeedsScorer && options.Scorer is null) throw new OptionException($"{Name} needs {Terms.Scorer}: it starts from scores");
    }

    /// <summary>Searches; nothing is null, and nothing else is checked.</summary>
    /// <param name="model">The weights of the model, on the device that computes.</param>
    /// <param name="prompts">The prompt pairs.</param>
    /// <param name="options">The options.</param>
    /// <param name="checkpoint">Where its work is kept.</param>
    /// <param name="progress">Told how far the search is.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>The result.</returns>
    private protected abstract SearchResult Run(
        Gpt2Weights model,
        PromptSet prompts,
        SearchOptions options,
        RunCheckpoint? checkpoint,
        IProgress<RunProgress>? progress,
        CancellationToken cancellation);

    private void Refuse(SearchSettings setting, Term term, bool isGiven)
    {
        if (!isGiven || Takes(setting)) return;
        string[] takers = [.. CircuitSearches.All.Where(s => s.Takes(setting)).Select(s => s.Name)];
        throw new OptionException(
            $"{term} does not apply to {Name}; {CanonicalNames.Choice(takers)} {(takers.Length == 1 ? "takes" : "take")} it");
    }
}
