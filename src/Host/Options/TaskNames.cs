using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Host.Options;

/// <summary>The values of <c>--task</c> and <c>--tasks</c>.</summary>
internal static class TaskNames
{
    /// <summary>The task that the option names.</summary>
    /// <param name="name">Its value.</param>
    /// <param name="option">The option without its dashes.</param>
    /// <returns>The task.</returns>
    /// <exception cref="UsageException">There is none of this name; the message says which one may be meant.</exception>
    public static CircuitTask Parse(string name, string option = "task") =>
        TaskCatalog.TryFind(name, out CircuitTask? task)
            ? task
            : throw new UsageException($"--{option} {name}: {TaskCatalog.Unknown(name)}.");
}
