using Gradpath.Gpt2Runtime.Tasks.Catalog;

namespace Gradpath.Gpt2Runtime.Tasks;

/// <summary>
/// The table of tasks that are known by name. To add one is to write its file in <c>Catalog</c>, its word list in <c>Catalog/Words</c> and
/// its row here; tests go over all rows.
/// </summary>
public static class TaskCatalog
{
    /// <summary>All tasks, in the order in which they are listed.</summary>
    public static IReadOnlyList<CircuitTask> All { get; } =
    [
        IoiTask.Row,
        GreaterThanTask.Row,
        SvaTask.Row,
        GenderBiasTask.Row,
        CountryCapitalTask.Row,
        HypernymyTask.Row,
    ];

    /// <summary>Finds a task by its name.</summary>
    /// <param name="name">The name. Upper and lower case are the same, and so are dashes and underscores.</param>
    /// <returns>The task.</returns>
    /// <exception cref="OptionException">There is none of this name. The message says which one may be meant, and which there
    /// are.</exception>
    public static CircuitTask Find(string name) =>
        TryFind(name, out CircuitTask? task) ? task : throw new OptionException($"{Terms.Task.With(name)}: {Unknown(name)}");

    /// <summary>Finds a task as <see cref="Find"/> does.</summary>
    /// <param name="name">The name.</param>
    /// <param name="task">The task; null where there is none of this name.</param>
    /// <returns>Whether there is one.</returns>
    public static bool TryFind(string name, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out CircuitTask? task)
    {
        ArgumentNullException.ThrowIfNull(name);
        task = All.FirstOrDefault(t => TableNames.Same(name, t.Name) || TableNames.Same(name, t.Title));
        return task is not null;
    }

    /// <summary>What to say of a name that no task has.</summary>
    /// <param name="name">The name.</param>
    /// <returns>The end of a message.</returns>
    internal static string Unknown(string name) =>
        TableNames.Unknown("task", name, [.. All.Select(t => t.Name)], All.Select(t => t.Title));
}
