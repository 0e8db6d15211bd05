using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath tasks</c>: what can be named after <c>--task</c>.</summary>
internal static class TasksCommand
{
    public static CommandReport Run()
    {
        CommandReport report = new();
        foreach (CircuitTask task in TaskCatalog.All)
        {
            report.Plain($"{task.Name}  (metric {task.Metric})");
            report.Plain($"  {task.Description}");
            report.Plain($"  clean      {task.Example.Clean}");
            report.Plain($"  corrupted  {task.Example.Corrupted}");
            report.Plain($"  answers    {task.Example.Answers}; wrong: {task.Example.WrongAnswers}");
            report.Plain("");
        }
        report.Note("Prompts are generated with --task alone, or read with --task and --data FILE.csv, whose columns must be:");
        int width = TaskCatalog.All.Max(t => t.Name.Length);
        foreach (CircuitTask task in TaskCatalog.All) report.Plain($"  {task.Name.PadRight(width)}  {string.Join(", ", task.Columns)}");
        report.Data(ReportTable.Of("tasks", TaskCatalog.All)
            .Hidden("name", t => t.Name)
            .Hidden("metric", t => t.Metric.Name)
            .Hidden("description", t => t.Description)
            .Hidden("clean", t => t.Example.Clean)
            .Hidden("corrupted", t => t.Example.Corrupted)
            .Hidden("answers", t => t.Example.Answers)
            .Hidden("wrong_answers", t => t.Example.WrongAnswers)
            .Hidden("columns", t => t.Columns));
        return report;
    }
}
