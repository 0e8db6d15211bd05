using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary><see cref="CircuitSearches.Acdc"/> with several thresholds, which share the run of the full model.</summary>
public static class AcdcSweep
{
    /// <summary>Searches one circuit per threshold.</summary>
    /// <param name="model">The model, on the device that computes.</param>
    /// <param name="prompts">The prompt pairs; within one both prompts have the same length.</param>
    /// <param name="thresholds">The thresholds tau, 0 or more; infinite ones may be among them. At least one.</param>
    /// <param name="options">Everything else that decides the result; their threshold is not read.</param>
    /// <param name="progress">Told after each pass, on the calling thread; may be null.</param>
    /// <param name="cancellation">Stops the search between passes.</param>
    /// <returns>One result per threshold, in the order given; each is what a search with it alone gives.</returns>
    /// <exception cref="OptionException">A threshold or an option cannot be used.</exception>
    /// <exception cref="GradpathException">An item cannot be used, or the memory does not suffice.</exception>
    /// <exception cref="InvalidOperationException">Another thread's run holds the device.</exception>
    /// <exception cref="OperationCanceledException">The search was stopped.</exception>
    public static IReadOnlyList<AcdcResult> Search(
        Gpt2Weights model,
        PromptSet prompts,
        IReadOnlyList<double> thresholds,
        AcdcOptions options,
        IProgress<RunProgress>? progress = null,
        CancellationToken cancellation = default) =>
        Search(model, prompts, thresholds, options, null, progress, cancellation);

    /// <summary>Searches one circuit per threshold, and keeps the work on the way.</summary>
    /// <param name="model">The model, on the device that computes.</param>
    /// <param name="prompts">The prompt pairs; within one both prompts have the same length.</param>
    /// <param name="thresholds">The thresholds tau, 0 or more; infinite ones may be among them. At least one.</param>
    /// <param name="options">Everything else that decides the result; their threshold is not read.</param>
    /// <param name="checkpoint">Where the work is kept, and may be from; null where it is not.</param>
    /// <param name="progress">Told after each pass, on the calling thread; may be null.</param>
    /// <param name="cancellation">Stops the search between passes; the checkpoint then has what was done.</param>
    /// <returns>One result per threshold, in the order given; each is what a search with it alone gives.</returns>
    /// <exception cref="OptionException">A threshold or an option cannot be used.</exception>
    /// <exception cref="GradpathException">An item or the saved work cannot be used, or the memory does not suffice.</exception>
    /// <exception cref="InvalidOperationException">Another thread's run holds the device.</exception>
    /// <exception cref="OperationCanceledException">The search was stopped.</exception>
    public static IReadOnlyList<AcdcResult> Search(
        Gpt2Weights model,
        PromptSet prompts,
        IReadOnlyList<double> thresholds,
        AcdcOptions options,
        RunCheckpoint? checkpoint,
        IProgress<RunProgress>? progress,
        CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(prompts);
        ArgumentNullException.ThrowIfNull(thresholds);
        ArgumentNullException.ThrowIfNull(options);
        CircuitSearches.Acdc.Check(options);
        using var run = new DeviceRun(model.Device);
        using var work = new Acdc(model, prompts, thresholds, options, cancellation);
        work.Run(checkpoint, progress, cancellation);
        return work.Results;
    }
}
