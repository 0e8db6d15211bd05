namespace Gradpath.Host.Sweeps.Store;

/// <summary>How a worker process ended.</summary>
/// <param name="Number">Which it was, from 1.</param>
/// <param name="ExitCode">Its exit code.</param>
/// <param name="Out">What it wrote to standard output.</param>
/// <param name="Errors">The last lines that it wrote to the error stream.</param>
internal sealed record WorkerEnd(int Number, int ExitCode, string Out, IReadOnlyList<string> Errors);
