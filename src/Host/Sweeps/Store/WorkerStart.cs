namespace Gradpath.Host.Sweeps.Store;

/// <summary>A worker process to be started.</summary>
/// <param name="Arguments">Its command line without the program's name.</param>
/// <param name="Variables">Variables of the environment that are its own.</param>
internal sealed record WorkerStart(IReadOnlyList<string> Arguments, IReadOnlyDictionary<string, string> Variables);
