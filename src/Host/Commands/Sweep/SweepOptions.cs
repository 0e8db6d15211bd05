using CommandLine;
using CommandLine.Text;
using Gradpath.Programs.Files;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath sweep</c>.</summary>
[Verb("sweep", HelpText =
    "Run a plan: models x tasks x methods x seeds, resumable and shared by any number of processes; 'sweep PLAN' is short for "
    + "it. 'sweep status', 'sweep retry', 'sweep merge' and 'sweep submit' DIR have help of their own.")]
internal sealed class SweepOptions : DeviceOptions
{
    private static readonly UnParserSettings s_short = new() { SkipDefault = true };

    [Input]
    [Option("plan", Required = true, MetaValue = "PLAN", HelpText =
        "The plan, a YAML or JSON file (docs/sweeps.md); or the folder of a sweep, to go on with it.")]
    public string Plan { get; set; } = "";

    [Output(IsFolder = true)]
    [Option("out", MetaValue = "DIR", HelpText =
        "The sweep's folder. It is made where it is not there; where it holds this plan's sweep, what is done stays done.")]
    public string? Out { get; set; }

    [Option("extend", HelpText =
        "Where DIR holds the sweep of another plan: make this plan the folder's. Units that are in both keep what was done of them.")]
    public bool Extend { get; set; }

    [Option("check", HelpText = "Print the units with their passes and an estimate of the time, and run none.")]
    public bool Check { get; set; }

    [Option("shard", MetaValue = "I/N", HelpText =
        "Compute only the i-th of n parts of about the same cost, such as 2/8; env: as a task of a Slurm array or an indexed job of "
        + "Kubernetes; auto: that where there is one. Without it, processes share units as they come.")]
    public string? Shard { get; set; }

    [Option("devices", MetaValue = "GPUS", HelpText = "Run a process for each of these GPUs: all, or numbers with commas.")]
    public string? Devices { get; set; }

    [Option("workers", MetaValue = "N", HelpText = "Run so many processes on the CPU, which share its threads (default: 1).")]
    [Range(1, 1024)]
    public int? Workers { get; set; }

    [Usage(ApplicationAlias = "gradpath")]
    public static IEnumerable<Example> Examples =>
    [
        new("The plan that ships with the program", s_short, new SweepOptions { Plan = "sweeps/demo.yaml", Out = "runs/demo" }),
        new("What it would do", s_short, new SweepOptions { Plan = "sweeps/demo.yaml", Check = true }),
    ];
}
