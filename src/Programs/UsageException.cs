namespace Gradpath.Programs;

/// <summary>
/// The command line asks for something that cannot be: an unknown value, an option that does not go with another. Exit code 2.
/// </summary>
internal sealed class UsageException(string message) : Exception(message);
