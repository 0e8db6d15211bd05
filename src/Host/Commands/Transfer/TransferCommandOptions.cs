using CommandLine;
using CommandLine.Text;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Options;
using Gradpath.Programs.Files;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath transfer</c>.</summary>
[Verb("transfer", HelpText =
    "Compare the circuits of several tasks: what they share, what each does on the others, what ablating it damages.")]
internal sealed class TransferCommandOptions : PromptedOptions
{
    private const int DefaultEdges = 100;

    private static readonly UnParserSettings s_short = new() { SkipDefault = true };

    [Option("tasks", Required = true, Separator = ',', MetaValue = "TASK,...", HelpText =
        "Tasks, two at least, whose prompts to generate, or whose CSV files lie in --data. Circuits are found on the first half of each "
        + "task's pairs and judged on the other.")]
    public IEnumerable<string> Tasks { get; set; } = [];

    [Option("method", MetaValue = "METHOD", Default = "eap-ig", ResourceType = typeof(MethodHelp), HelpText = nameof(MethodHelp.Method))]
    public string Method { get; set; } = "eap-ig";

    [Option("edges", Separator = ',', MetaValue = "N,...", HelpText =
        "Sizes of the circuits: at most so many edges after pruning (default: 100).")]
    [Range(1, 100_000_000)]
    public IEnumerable<int> EdgeCounts { get; set; } = [];

    [Option("random", MetaValue = "N", Default = 5, HelpText =
        "Random circuits of each size to compare with: how faithful chance is, and what it damages.")]
    [Range(1, 10_000)]
    public int Random { get; set; } = 5;

    [Output(".json")]
    [Option("out", MetaValue = "FILE.json", HelpText = "Write the matrices with their intervals, and the circuits.")]
    public string? Out { get; set; }

    [Output(".csv")]
    [Option("table", MetaValue = "FILE.csv", HelpText = "Write a line per size, circuit and task.")]
    public string? Table { get; set; }

    [Output(".svg")]
    [Option("picture", MetaValue = "FILE.svg", HelpText = "Draw the matrices as heat maps.")]
    public string? Picture { get; set; }

    [Usage(ApplicationAlias = "gradpath")]
    public static IEnumerable<Example> Examples =>
    [
        new("Three tasks of the demo model", s_short, new TransferCommandOptions
        {
            Model = "demo", Tasks = ["ioi", "greater-than", "sva"], EdgeCounts = [50, 200], Picture = "transfer.svg",
        }),
    ];

    /// <summary>The names of the tasks.</summary>
    public string[] TaskList => [.. Tasks.Select(t => TaskNames.Parse(t, "tasks").Name)];

    /// <summary>The sizes, the default in place.</summary>
    public int[] SizeList => EdgeCounts.Any() ? [.. EdgeCounts] : [DefaultEdges];

    /// <summary>The method.</summary>
    public AttributionMethod ScoringMethod => MethodNames.Parse("method", Method);

    /// <summary>The prompts of a task.</summary>
    /// <param name="task">The task.</param>
    public PromptRequest PromptsOf(string task) => Prompts() with { Task = task };

    /// <inheritdoc />
    protected override string? OwnSplit => "circuits are found on the first half of each task's pairs and judged on the other";

    /// <summary>Checks the options without opening a file.</summary>
    /// <exception cref="UsageException">An option cannot be used.</exception>
    public void Check()
    {
        if (Task is not null) throw new UsageException("--task: a matrix has several tasks; name them with --tasks.");
        if (Data is not null && !Directory.Exists(Data))
            throw new UsageException($"--data {Data}: give a folder with a CSV file per task; there is no such folder.");
        string[] tasks = TaskList;
        if (tasks.Length < 2) throw new UsageException("--tasks: name two tasks at least, such as ioi,greater-than.");
        if (tasks.Distinct().Count() < tasks.Length) throw new UsageException("--tasks: a task appears twice.");
        if (SizeList.Distinct().Count() < SizeList.Length) throw new UsageException("--edges: a size appears twice.");
        if (Limit < 2) throw new UsageException("--limit 1: a task needs a pair to find its circuit on and another to judge by.");
        _ = ScoringMethod;
        CheckRun();
        foreach (string task in tasks) PromptsOf(task).Check();
    }

    /// <summary>Refuses sizes that the model has no circuits of.</summary>
    /// <param name="config">The model's shape.</param>
    /// <exception cref="UsageException">A size is larger than the graph.</exception>
    public void CheckSizes(Gpt2Config config)
    {
        int edges = new ComputationGraph(config).EdgeCount;
        foreach (int size in SizeList.Where(s => s > edges))
            throw new UsageException($"--edges {size}: the model has {Sizes.Of(edges, "edge")}; give at most so many.");
    }
}
