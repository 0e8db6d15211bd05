using CommandLine;
using Gradpath.Programs;
using Gradpath.Programs.Files;

namespace Gradpath.Perf.Paths;

/// <summary>The options of <c>perf paths</c>.</summary>
[Verb("paths", HelpText =
    "Judges methods with their options by the circuits that they find: CMD on pairs that were not scored, over a baseline's.")]
internal sealed class PathsOptions : DeviceOptions
{
    [Input(InputKind.Model)]
    [Option("models", MetaValue = "MODEL,...", Separator = ',', Default = new[] { "demo" },
        HelpText = "Checkpoints by name or folder, compared one after the other.")]
    public IEnumerable<string> Models { get; set; } = ["demo"];

    [Option("tasks", MetaValue = "TASK,...", Separator = ',',
        HelpText = "Tasks whose prompts to generate: the first half of the pairs is scored, the other judged (default: all, without "
        + "--data).")]
    public IEnumerable<string> Tasks { get; set; } = [];

    [Input(InputKind.Prompts)]
    [Option("data", MetaValue = "FILE,...", Separator = ',',
        HelpText = "Files of prompt pairs (JSONL, JSON). Each seed draws which half of a file is scored; the other one is judged.")]
    public IEnumerable<string> Data { get; set; } = [];

    [Option("scorers", MetaValue = "SCORER,...", Separator = ',', HelpText =
        "Methods with their options as 'gradpath score' has them: \"eap-gp --steps 10\", or with a name for the table, \"long=eap-gp "
        + "--steps 10\". Members of an ensemble go with plus signs: \"both=ensemble --of eap-ig+eap-gp --by min\". (Default: the rows of "
        + "docs/eap-gp.md that are options.)")]
    public IEnumerable<string> Scorers { get; set; } = [];

    [Option("baseline", MetaValue = "SCORER", Default = "eap-ig", HelpText =
        "What all others are compared with, written as they are (default: eap-ig, which has 5 points).")]
    public string Baseline { get; set; } = "eap-ig";

    [Option("exact", HelpText = "Also patch every edge exactly, and state how far each scorer's scores correlate with the effects.")]
    public bool Exact { get; set; }

    [Range(0, int.MaxValue)]
    [Option("seeds", MetaValue = "N,...", Separator = ',', HelpText = "Seeds of the prompts, or of a file's halves (default: 0,1,2,3,4).")]
    public IEnumerable<int> Seeds { get; set; } = [];

    [Range(4, 1_000_000)]
    [Option("pairs", MetaValue = "N", Default = 200, HelpText = "Pairs that are generated, both halves together.")]
    public int Pairs { get; set; } = 200;

    [Option("metric", MetaValue = "METRIC", HelpText = "What is scored and judged (default: each task's own; logit-diff for files).")]
    public string? Metric { get; set; }

    [Output]
    [Option("out", MetaValue = "FILE", HelpText =
        "Write a list of objects, one per run: model, set, metric, seed, scorer, cmd, cpr, ratio, seconds.")]
    public string? Out { get; set; }
}
