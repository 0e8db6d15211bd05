using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>A row of <see cref="CircuitSearches"/> with the types of its options and its result.</summary>
/// <typeparam name="TOptions">Its options.</typeparam>
/// <typeparam name="TResult">Its result.</typeparam>
public sealed class CircuitSearchOf<TOptions, TResult> : CircuitSearch
    where TOptions : SearchOptions, new()
    where TResult : SearchResult
{
    private readonly Func<Gpt2Weights, PromptSet, TOptions, CancellationToken, SearchWorkOf<TResult>> _begin;

    /// <summary>Makes a row.</summary>
    /// <param name="begin">Sets a search up: on which model, with which prompts, how.</param>
    internal CircuitSearchOf(Func<Gpt2Weights, PromptSet, TOptions, CancellationToken, SearchWorkOf<TResult>> begin) => _begin = begin;

    /// <inheritdoc />
    public override SearchOptions Defaults { get; } = new TOptions();

    /// <summary>Searches a circuit, see <see cref="CircuitSearch"/>.</summary>
    /// <param name="model">The model, on the device that computes.</param>
    /// <param name="prompts">The prompt pairs; within one both prompts have the same length.</param>
    /// <param name="options">The search's options.</param>
    /// <param name="progress">Told how far the search is, on the calling thread; may be null.</param>
    /// <param name="cancellation">Stops the search between passes.</param>
    /// <returns>The circuit, and what the search did.</returns>
    /// <exception cref="OptionException">An option cannot be used.</exception>
    /// <exception cref="GradpathException">An item cannot be used, or the memory does not suffice.</exception>
    /// <exception cref="InvalidOperationException">Another thread's run holds the device.</exception>
    /// <exception cref="OperationCanceledException">The search was stopped.</exception>
    public TResult Search(
        Gpt2Weights model,
        PromptSet prompts,
        TOptions options,
        IProgress<RunProgress>? progress = null,
        CancellationToken cancellation = default) => Search(model, prompts, options, null, progress, cancellation);

    /// <summary>Searches a circuit, and keeps the work on the way.</summary>
    /// <param name="model">The model, on the device that computes.</param>
    /// <param name="prompts">The prompt pairs; within one both prompts have the same length.</param>
    /// <param name="options">The search's options.</param>
    /// <param name="checkpoint">Where its work is kept, and may be from; null where it is not.</param>
    /// <param name="progress">Told how far the search is, on the calling thread; may be null.</param>
    /// <param name="cancellation">Stops the search between passes; the checkpoint then has what was done.</param>
    /// <returns>The circuit, and what the search did.</returns>
    /// <exception cref="OptionException">An option cannot be used.</exception>
    /// <exception cref="GradpathException">An item or the saved work cannot be used, or the memory does not suffice.</exception>
    /// <exception cref="InvalidOperationException">Another thread's run holds the device.</exception>
    /// <exception cref="OperationCanceledException">The search was stopped.</exception>
    public TResult Search(
        Gpt2Weights model,
        PromptSet prompts,
        TOptions options,
        RunCheckpoint? checkpoint,
        IProgress<RunProgress>? progress,
        CancellationToken cancellation) =>
        (TResult)base.Search(model, prompts, options, checkpoint, progress, cancellation);

    /// <inheritdoc />
    private protected override SearchResult Run(
        Gpt2Weights model,
        PromptSet prompts,
        SearchOptions options,
        RunCheckpoint? checkpoint,
        IProgress<RunProgress>? progress,
        CancellationToken cancellation)
    {
        Check(options);
        using var run = new DeviceRun(model.Device);
        using SearchWorkOf<TResult> work = _begin(model, prompts, (TOptions)options, cancellation);
        return work.Run(checkpoint, progress, cancellation);
    }
}
