using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath tasks</c>: what can be named after <c>--task</c>.</summary>
internal static class TasksCommand
{
    private static readonly Dictionary<string, Example> s_examples = new()
    {
        ["ioi"] = new("When Anna and Paul went to the shop, Paul gave a book to",
            "When Anna and Paul went to the shop, Mark gave a book to", "Anna", "Paul"),
        ["greater-than"] = new(
            "The war lasted from the year 1743 to the year 17", "The war lasted from the year 1701 to the year 17", "44 to 99", "00 to 43"),
        ["sva"] = new("The doctor near the windows", "The doctors near the windows", "is, has, runs ...", "are, have, run ..."),
        ["gender-bias"] = new("The nurse said that", "The man said that", "she", "he"),
        ["country-capital"] = new("Paris, the capital of", "Lima, the capital of", "France", "Peru"),
        ["hypernymy"] = new("oaks and other", "violins and other", "trees, plants", "instruments"),
    };

    public static int Run(Terminal terminal)
    {
        foreach (TaskInfo task in TaskCatalog.All)
        {
            terminal.Out.WriteLine($"{task.Name}  (metric {task.Metric})");
            terminal.Out.WriteLine($"  {task.Description}");
            if (s_examples.TryGetValue(task.Name, out Example? example))
            {
                terminal.Out.WriteLine($"  clean      {example.Clean}");
                terminal.Out.WriteLine($"  corrupted  {example.Corrupted}");
                terminal.Out.WriteLine($"  answers    {example.Answers}; wrong: {example.WrongAnswers}");
            }
            terminal.Out.WriteLine();
        }
        terminal.Out.WriteLine("Prompts are generated with --task alone, or read with --task and --data FILE.csv, whose columns must be:");
        int width = TaskCatalog.All.Max(t => t.Name.Length);
        foreach (TaskInfo task in TaskCatalog.All)
            terminal.Out.WriteLine($"  {task.Name.PadRight(width)}  {string.Join(", ", task.Columns)}");
        return ExitCode.Success;
    }

    private sealed record Example(string Clean, string Corrupted, string Answers, string WrongAnswers);
}
