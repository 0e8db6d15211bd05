using System.Text.RegularExpressions;
using CommandLine;
using CommandLine.Text;
using Gradpath.Gpt2Runtime;
using Gradpath.Host.Sweeps.Engines;
using Gradpath.Programs.Files;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath sweep submit</c>.</summary>
[Verb("sweep-submit", HelpText = "Hand a sweep to a cluster's scheduler; 'sweep submit DIR' is short for it.")]
internal sealed partial class SweepSubmitOptions : CommandOptions
{
    private static readonly UnParserSettings s_short = new() { SkipDefault = true };

    [Output(IsFolder = true)]
    [Option("dir", Required = true, MetaValue = "DIR", HelpText = "The sweep's folder, which all of the cluster's nodes see.")]
    public string Dir { get; set; } = "";

    [Input]
    [Option("plan", MetaValue = "PLAN", HelpText = "The plan to lay out there first, where the folder does not hold a sweep yet.")]
    public string? Plan { get; set; }

    [Option("extend", HelpText = "Where the folder holds the sweep of another plan: make --plan the folder's, as 'gradpath sweep' does.")]
    public bool Extend { get; set; }

    [Option("engine", Required = true, MetaValue = "ENGINE", HelpText = "The scheduler: slurm.")]
    public string Engine { get; set; } = "";

    [Option("array", MetaValue = "N", Default = 1, HelpText = "Tasks to run side by side, each of which takes units as they are free.")]
    [Range(1, 100_000)]
    public int Array { get; set; } = 1;

    [Option("gpus-per-node", MetaValue = "N", HelpText = "GPUs of a task, with a process for each (default: none).")]
    [Range(1, 64)]
    public int? GpusPerNode { get; set; }

    [Option("cpus-per-task", MetaValue = "N", HelpText = "Processors of a task (default: the cluster's).")]
    [Range(1, 4096)]
    public int? CpusPerTask { get; set; }

    [Option("mem", MetaValue = "SIZE", HelpText = "Memory of a task, with its unit: 16G (default: the cluster's).")]
    public string? Mem { get; set; }

    [Option("time", MetaValue = "T", HelpText =
        "Time limit of a task, as Slurm writes it: 2:00:00. A task that reaches it saves its work and goes back to the queue.")]
    public string? Time { get; set; }

    [Option("time-to-save", MetaValue = "SECONDS", Default = 60, HelpText = "How long before the limit a task is told to save.")]
    [Range(1, 3600)]
    public int TimeToSave { get; set; } = 60;

    [Option("partition", MetaValue = "P", HelpText = "The partition (default: the cluster's).")]
    public string? Partition { get; set; }

    [Option("account", MetaValue = "A", HelpText = "The account (default: yours).")]
    public string? Account { get; set; }

    [Option("dry-run", HelpText = "Print the script; submit and write nothing.")]
    public bool DryRun { get; set; }

    [Usage(ApplicationAlias = "gradpath")]
    public static IEnumerable<Example> Examples =>
    [
        new("Eight tasks of two hours", s_short,
            new SweepSubmitOptions { Dir = "runs/eap-gp", Plan = "sweeps/eap-gp.yaml", Engine = "slurm", Array = 8, Time = "2:00:00" }),
    ];

    /// <summary>What the options ask Slurm for, checked.</summary>
    /// <param name="name">The sweep's name.</param>
    /// <param name="logs">The folder of the log files.</param>
    /// <exception cref="UsageException">An option cannot be used.</exception>
    public SlurmRequest Request(string name, string logs)
    {
        Check();
        return new SlurmRequest($"gradpath-{name}", logs, Array)
        {
            Cpus = CpusPerTask,
            Gpus = GpusPerNode ?? 0,
            Memory = Mem,
            Time = Time,
            Partition = Partition,
            Account = Account,
            SecondsBefore = TimeToSave,
        };
    }

    /// <summary>Checks the options.</summary>
    /// <exception cref="UsageException">An option cannot be used.</exception>
    public void Check()
    {
        EnumNames.Pick("engine", Engine, "slurm");
        if (Extend && Plan is null) throw new UsageException("--extend is for --plan PLAN, which becomes the folder's.");
        if (Dir.AsSpan().IndexOfAny('\\', '\n', '\r') >= 0)
        {
            throw new UsageException(
                $"--dir {Quoted.Text(Dir)}: Slurm keeps no logs in a folder with a backslash or a line break in its name.");
        }
        if (Time is not null) CheckTime(Time);
        CheckMemory(Mem);
        Require("partition", Partition, Words(), "a name has letters, digits, dots, dashes, underscores and commas");
        Require("account", Account, Words(), "a name has letters, digits, dots, dashes, underscores and commas");
    }

    // A task that is told to save before it has done anything would go back to the queue for ever.
    private void CheckTime(string time)
    {
        if (SlurmTime.IsUnlimited(time)) return;
        TimeSpan limit = SlurmTime.Parse(time)
            ?? throw new UsageException(
                $"--time {time}: give minutes, minutes:seconds, hours:minutes:seconds, days-hours, days-hours:minutes or "
                + "days-hours:minutes:seconds, such as 90, 2:00:00 or 1-12, or UNLIMITED; minutes and seconds behind a colon go to 59, "
                + "hours behind days to 23.");

        // Slurm takes 0 for no limit.
        if (limit > TimeSpan.Zero && limit < TimeSpan.FromSeconds(TimeToSave) + SlurmScript.Early)
        {
            throw new UsageException(
                $"--time {time}: too short for --time-to-save {TimeToSave}; tasks are told to save so many seconds before the limit and "
                + $"up to {SlurmScript.Early.TotalSeconds} earlier, and could do nothing before that.");
        }
    }

    // Slurm takes a number without a unit for megabytes, in which nothing runs that was meant in gigabytes; 0 is all memory of a node.
    private static void CheckMemory(string? memory)
    {
        if (memory is null or "0") return;
        if (memory.All(char.IsAsciiDigit) && memory.Length > 0)
            throw new UsageException($"--mem {memory}: Slurm takes that for {memory} MB; say the unit: {memory}G, or {memory}M.");
        Require("mem", memory, Sizes(), "give a number with K, M, G or T, such as 16G, or 0 for all memory of a node");
    }

    private static void Require(string option, string? value, Regex form, string advice)
    {
        if (value is not null && !form.IsMatch(value)) throw new UsageException($"--{option} {value}: {advice}.");
    }

    [GeneratedRegex(@"\A[0-9]{1,12}[KMGTkmgt]\z")]
    private static partial Regex Sizes();

    [GeneratedRegex(@"\A[A-Za-z0-9._,-]+\z")]
    private static partial Regex Words();
}
