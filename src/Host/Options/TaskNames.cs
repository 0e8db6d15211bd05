using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Host.Options;

/// <summary>The values of <c>--task</c>.</summary>
internal static class TaskNames
{
    /// <exception cref="UsageException">There is no such task; the message lists those there are.</exception>
    public static void Check(string task)
    {
        if (!TaskCatalog.All.Any(t => t.Name == task))
            throw new UsageException($"--task {task}: no such task; choose {EnumNames.Choice(TaskCatalog.All.Select(t => t.Name))}.");
    }
}
