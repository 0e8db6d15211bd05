using CommandLine;
using CommandLine.Text;
using Gradpath.Host.Options;
using Gradpath.Programs.Files;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath convert</c>.</summary>
[Verb("convert", HelpText = "Convert scores and circuits between this program's, the EAP-IG library's, ACDC's, auto-circuit's and others.")]
internal sealed class ConvertOptions : CommandOptions
{
    private static readonly UnParserSettings s_short = new() { SkipDefault = true };

    [Input]
    [Option("in", Required = true, Separator = ',', MetaValue = "FILE,...",
        HelpText = "What to convert: a file or a folder of MIB; nine circuits where --to is mib. Files may also stand behind the command.")]
    public IEnumerable<string> In { get; set; } = [];

    [Output]
    [Option("out", Required = true, MetaValue = "FILE", HelpText = "The file to write; for mib, a folder that is not there yet.")]
    public string Out { get; set; } = "";

    [Option("to", MetaValue = "KIND", ResourceType = typeof(GraphKindHelp), HelpText = nameof(GraphKindHelp.To))]
    public string? To { get; set; }

    [Option("from", MetaValue = "KIND", ResourceType = typeof(GraphKindHelp), HelpText = nameof(GraphKindHelp.From))]
    public string? From { get; set; }

    [Option("layers", MetaValue = "N", ResourceType = typeof(GraphKindHelp), HelpText = nameof(GraphKindHelp.Layers))]
    [Range(1, 1000)]
    public int? Layers { get; set; }

    [Option("heads", MetaValue = "N", HelpText = "Heads per layer of the model, for the same files.")]
    [Range(1, 1000)]
    public int? Heads { get; set; }

    [Option("cut", HelpText = "With --to mib: cut the nine circuits from the scores, the strongest edges by |score|, pruned.")]
    public bool Cut { get; set; }

    [Usage(ApplicationAlias = "gradpath")]
    public static IEnumerable<Example> Examples =>
    [
        new("Scores as CSV", s_short, new ConvertOptions { In = ["scores.json"], Out = "scores.csv" }),
        new("A circuit by ACDC's names of edges", s_short, new ConvertOptions { In = ["circuit.json"], Out = "circuit.acdc.json" }),
        new("A circuit of GPT-2 small that auto-circuit found", s_short,
            new ConvertOptions { In = ["edges.json"], From = "auto-circuit", Layers = 12, Heads = 12, Out = "circuit.json" }),
        new("What MIB's circuit track takes", s_short, new ConvertOptions { In = ["scores.json"], To = "mib", Out = "ioi_gpt2" }),
    ];
}
