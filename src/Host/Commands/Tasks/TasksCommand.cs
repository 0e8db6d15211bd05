using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath tasks</c>: what can be named after <c>--task</c>.</summary>
internal static class TasksCommand
{
    public static int Run(Terminal terminal)
    {
        foreach (CircuitTask task in TaskCatalog.All)
        {
            terminal.Out.WriteLine($"{task.Name}  (metric {task.Metric})");
            terminal.Out.WriteLine($"  {task.Description}");
            terminal.Out.WriteLine($"  clean      {task.Example.Clean}");
            terminal.Out.WriteLine($"  corrupted  {task.Example.Corrupted}");
            terminal.Out.WriteLine($"  answers    {task.Example.Answers}; wrong: {task.Example.WrongAnswers}");
            terminal.Out.WriteLine();
        }
        terminal.Out.WriteLine("Prompts are generated with --task alone, or read with --task and --data FILE.csv, whose columns must be:");
        int width = TaskCatalog.All.Max(t => t.Name.Length);
        foreach (CircuitTask task in TaskCatalog.All)
            terminal.Out.WriteLine($"  {task.Name.PadRight(width)}  {string.Join(", ", task.Columns)}");
        return ExitCode.Success;
    }
}
