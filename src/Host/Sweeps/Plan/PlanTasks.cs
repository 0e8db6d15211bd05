using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Host.Sweeps.Plan;

/// <summary>Reads the tasks of a plan: names of generated ones, or mappings that name files of prompts.</summary>
internal static class PlanTasks
{
    /// <summary>Reads all tasks.</summary>
    /// <param name="value">The list, or a single task.</param>
    /// <param name="folder">The plan's folder, from which files are named.</param>
    /// <exception cref="GradpathException">A task is unknown, a file is not there, or two tasks have one name.</exception>
    public static IReadOnlyList<SweepTask> Read(PlanValue value, string folder)
    {
        List<SweepTask> tasks = [];
        foreach (PlanValue item in value.List())
        {
            SweepTask task = item.Node.Entries is null ? Generated(item) : Described(item.Map(PlanKeys.Task), folder);
            if (tasks.Find(t => TableNames.Same(t.Name, task.Name)) is { } other)
            {
                string where = other.Line == task.Line ? "" : $", here and in line {other.Line}";
                throw item.Fault($"{PlanValue.Shown(task.Name)} is there twice{where}; give one of them another name");
            }
            tasks.Add(task);
        }
        return tasks;
    }

    private static SweepTask Generated(PlanValue value)
    {
        string name = Find(value);
        return new SweepTask(name, name, null, value.Line);
    }

    private static SweepTask Described(PlanMap map, string folder)
    {
        string? task = map["task"] is { } given ? Find(given) : null;
        string? data = map["data"] is { } path ? FindData(path, task, folder) : null;
        if (task is null && data is null) throw map.Value.Fault("name the prompts: task, data, or both");
        string name = map["name"]?.Text("what tables call the task") ?? task ?? Path.GetFileNameWithoutExtension(data!);
        return new SweepTask(name, task, data, map.Value.Line);
    }

    private static string Find(PlanValue value)
    {
        string name = value.Text("the name of a task");
        return TaskCatalog.TryFind(name, out CircuitTask? task)
            ? task.Name
            : throw value.Fault($"{PlanValue.Shown(name)}: {TaskCatalog.Unknown(name)}");
    }

    private static string FindData(PlanValue value, string? task, string folder)
    {
        string given = value.Text("a file of prompts");
        string path = Path.GetFullPath(given, folder);
        if (!Path.Exists(path)) throw value.Fault($"{given}: there is no file or directory {path}");
        if (Directory.Exists(path)) return path;
        string extension = Path.GetExtension(path).ToUpperInvariant();
        if (extension is not (".CSV" or ".JSONL" or ".JSON"))
            throw value.Fault($"{given}: prompts are read from .csv, .jsonl and .json files");
        return extension == ".CSV" && task is null
            ? throw value.Fault($"{given}: say with task of which task the CSV file is; its columns differ from task to task")
            : path;
    }
}
