namespace Gradpath.Native.Calls;

/// <summary>A call cannot go on; what the caller is told.</summary>
/// <param name="status">The kind of error.</param>
/// <param name="message">Names the argument or the option, and says what would be right.</param>
internal sealed class CallException(Status status, string message) : Exception(message)
{
    /// <summary>The kind of error.</summary>
    public Status Status { get; } = status;

    /// <summary>An argument cannot be used.</summary>
    /// <param name="message">Names the argument.</param>
    public static CallException Argument(string message) => new(Status.Argument, message);
}
