using CommandLine;
using CommandLine.Text;
using Gradpath.Programs.Files;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath reproduce</c>.</summary>
[Verb("reproduce", HelpText = "Run a published study of GPT-2 small with its settings, and show its figures beside ours.")]
internal sealed class ReproduceOptions : DeviceOptions
{
    private static readonly UnParserSettings s_short = new() { SkipDefault = true };

    [Option("study", Required = true, MetaValue = "STUDY", HelpText =
        "ioi, greater-than, gender-bias, sva, hypernymy or country-capital (faithfulness at sizes of the circuit), or mib (CPR of ioi); "
        + "'reproduce ioi' is short for it.")]
    public string Study { get; set; } = "";

    [Input(InputKind.Model)]
    [Option("model", MetaValue = "MODEL", Default = "gpt2", HelpText =
        "Directory of a GPT-2 checkpoint, 'demo', 'saturated', or a name in the Hugging Face cache. Figures are published of gpt2; with a "
        + "model of another shape there are only ours, at the same shares of its edges.")]
    public string Model { get; set; } = "gpt2";

    [Input(InputKind.Prompts)]
    [Option("data", MetaValue = "DIR", HelpText =
        "The folder of the published prompts, with a folder per task (ioi/gpt2.csv ...). Where it is not given, prompts are generated.")]
    public string? Data { get; set; }

    [Option("limit", MetaValue = "N", HelpText =
        "Use so many prompt pairs (default: as many as were used there, or 100 where they are generated).")]
    [Range(2, 1_000_000)]
    public int? Limit { get; set; }

    [Option("seed", MetaValue = "N", HelpText = "Seed of generated prompts, of random scores and of intervals (default: 0).")]
    [Range(0, int.MaxValue)]
    public int? Seed { get; set; }

    [Output(".json")]
    [Option("out", MetaValue = "FILE.json", HelpText = "Write the figures with their settings.")]
    public string? Out { get; set; }

    [Usage(ApplicationAlias = "gradpath")]
    public static IEnumerable<Example> Examples =>
    [
        new("EAP, EAP-IG and EAP-GP on IOI", s_short, new ReproduceOptions { Study = "ioi", Model = "gpt2", Data = "eap-ig/data" }),
    ];
}
