namespace Gradpath.Programs;

/// <summary>
/// A command that was stopped with Ctrl-C and has saved what it had done; the message says where, and how to go on. Exit code 130.
/// </summary>
internal sealed class StoppedException(
    string message, OperationCanceledException inner) : OperationCanceledException(message, inner, inner.CancellationToken);
