using CommandLine;
using CommandLine.Text;
using Gradpath.Host.Options;
using Gradpath.Programs.Files;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath curve</c>.</summary>
[Verb("curve", HelpText = "Measure faithfulness over circuit sizes for one or more score files, with the areas CPR and CMD.")]
internal sealed class CurveOptions : PromptedOptions
{
    private static readonly UnParserSettings s_short = new() { SkipDefault = true };

    [Input]
    [Option("scores", Required = true, Separator = ',', MetaValue = "FILE,...",
        HelpText = "Score files of the model, one per method: .json or .safetensors.")]
    public IEnumerable<string> Scores { get; set; } = [];

    [Option("fractions", Separator = ',', MetaValue = "P,...", HelpText =
        "Sizes as shares of all edges, above 0 and at most 1 (default: 0.001,0.002,0.005,0.01,0.02,0.05,0.1,0.2,0.5,1).")]
    [Range(0, 1, AboveLeast = true)]
    public IEnumerable<double> Fractions { get; set; } = [];

    [Option("greedy", HelpText =
        "Select from the logits back, each time the best edge into a node that is in, instead of the edges of largest score.")]
    public bool Greedy { get; set; }

    [Output(".csv")]
    [Option("out", MetaValue = "FILE.csv", HelpText =
        "Write the curves: method, fraction, edges, edges_after_prune, faithfulness, low, high, ranking.")]
    public string? Out { get; set; }

    [Output(".svg")]
    [Option("picture", MetaValue = "FILE.svg", HelpText = "Draw the curves by absolute score.")]
    public string? Picture { get; set; }

    [Usage(ApplicationAlias = "gradpath")]
    public static IEnumerable<Example> Examples =>
    [
        new("Two methods side by side", s_short, new CurveOptions { Model = "demo", Task = "ioi", Scores = ["eap.json", "eap-ig.json"],
            Out = "curve.csv", Picture = "curve.svg" }),
    ];
}
