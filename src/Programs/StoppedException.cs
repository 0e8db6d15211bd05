namespace Gradpath.Programs;

/// <summary>
/// A command that was stopped and has saved what it had done. See <see cref="StopCause"/> for its exit code.
/// </summary>
/// <param name="saved">How the message goes on after "stopped": says what was saved where, and how to go on.</param>
/// <param name="inner">What was caught.</param>
internal sealed class StoppedException(string saved, OperationCanceledException inner)
    : OperationCanceledException($"stopped{saved}", inner, inner.CancellationToken)
{
    /// <summary>How the message goes on after "stopped".</summary>
    public string Saved { get; } = saved;
}
