using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>A search at work that ends in a result.</summary>
/// <typeparam name="TResult">The result.</typeparam>
internal abstract class SearchWorkOf<TResult> : SearchWork
{
    /// <summary>Does all steps that are left. Whatever the search is, it is saved, stopped and resumed here and nowhere else.</summary>
    /// <param name="checkpoint">Where the state is kept; null where it is not.</param>
    /// <param name="progress">Told how far the search is; may be null.</param>
    /// <param name="cancellation">Stops the search; what was done is then in the checkpoint.</param>
    /// <returns>The result.</returns>
    /// <exception cref="OperationCanceledException">The search was stopped.</exception>
    public TResult Run(RunCheckpoint? checkpoint, IProgress<RunProgress>? progress, CancellationToken cancellation)
    {
        if (checkpoint?.Saved is { } state) Restore(state, checkpoint);
        bool kept = true;
        try
        {
            while (!IsDone)
            {
                cancellation.ThrowIfCancellationRequested();
                Step(progress, cancellation);
                kept = checkpoint?.Offer(this) ?? true;
            }
        }
        catch (OperationCanceledException)
        {
            checkpoint?.Keep(this);
            throw;
        }

        // All of it is kept too: what whoever has called does with the result can still be stopped.
        if (!kept) checkpoint!.Complete(this);
        return Finish(cancellation);
    }

    /// <summary>The result, once no step is left.</summary>
    /// <param name="cancellation">Stops what is still to be measured.</param>
    /// <returns>The result.</returns>
    protected abstract TResult Finish(CancellationToken cancellation);
}
