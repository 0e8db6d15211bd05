using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>
/// A search at work, step by step. Between two steps it can be stopped, and its state can be saved; a work of the same search that restores
/// the state goes on to the same end, bit for bit.
/// </summary>
internal abstract class SearchWork : ResourceOwner, ISavedWork
{
    /// <summary>Whether no step is left.</summary>
    public abstract bool IsDone { get; }

    /// <inheritdoc />
    public abstract string? Done { get; }

    /// <summary>Does the next step.</summary>
    /// <param name="progress">Told how far the search is; may be null.</param>
    /// <param name="cancellation">Stops the step; the state is then that before it.</param>
    public abstract void Step(IProgress<RunProgress>? progress, CancellationToken cancellation);

    /// <inheritdoc />
    public abstract JsonObject Save();

    /// <summary>Takes up a state that <see cref="Save"/> gave, before the first step.</summary>
    /// <param name="state">The state.</param>
    /// <param name="checkpoint">Where it is from; reads its values and says what is wrong with it.</param>
    /// <exception cref="GradpathException">It is not a state of this search.</exception>
    public abstract void Restore(JsonObject state, RunCheckpoint checkpoint);
}
