using CommandLine;
using CommandLine.Text;
using Gradpath.Programs.Files;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath compare</c>.</summary>
[Verb("compare", HelpText = "Compare circuits and edge scores: with one that was found by hand, with another, or many with each other.")]
internal sealed class CompareOptions : CommandOptions
{
    private static readonly UnParserSettings s_short = new() { SkipDefault = true };

    [Input]
    [Option("circuit", MetaValue = "FILE", HelpText = "The circuit to judge: a file of 'gradpath circuit' or of the EAP-IG library.")]
    public string? Circuit { get; set; }

    [Input]
    [Option("scores", MetaValue = "FILE", HelpText = "Edge scores to judge, at every threshold of |score|.")]
    public string? Scores { get; set; }

    [Input]
    [Option("with", MetaValue = "CIRCUIT",
        HelpText = "What to judge by: a circuit's file, or ioi or greater-than, the circuits of GPT-2 small that were found by hand.")]
    public string? With { get; set; }

    [Input]
    [Option("files", Separator = ',', MetaValue = "FILE,...", HelpText =
        "Circuits and edge scores, each of which is compared with each: Jaccard index, F1 and rank correlation (Spearman). Files may also "
        + "stand behind the command.")]
    public IEnumerable<string> Files { get; set; } = [];

    [Option("top-n", MetaValue = "N", HelpText =
        "With --files: the circuit of a file that marks none is what pruning leaves of its N edges of largest score.")]
    [Range(0, 100_000_000)]
    public int? TopN { get; set; }

    [Option("signed", HelpText = "With --files: go by the score itself instead of its absolute value.")]
    public bool Signed { get; set; }

    [Option("without-mlps", HelpText = "Leave MLPs and all their edges out.")]
    public bool WithoutMlps { get; set; }

    [Output(".csv")]
    [Option("roc", MetaValue = "FILE.csv", HelpText = "With --scores: write every point of the curve.")]
    public string? Roc { get; set; }

    [Output(".json")]
    [Option("out", MetaValue = "FILE.json", HelpText = "With --files: write the matrices.")]
    public string? Out { get; set; }

    [Output(".csv")]
    [Option("table", MetaValue = "FILE.csv", HelpText = "With --files: write a line for every two files.")]
    public string? Table { get; set; }

    [Output(".svg", ".html")]
    [Option("picture", MetaValue = "FILE", HelpText = "With --files: draw the matrices as heat maps, .svg, or .html with the numbers.")]
    public string? Picture { get; set; }

    [Usage(ApplicationAlias = "gradpath")]
    public static IEnumerable<Example> Examples =>
    [
        new("A circuit with another one", s_short, new CompareOptions { Circuit = "circuit.json", With = "other.json" }),
        new("Scores of GPT-2 small with the IOI circuit of Wang et al.", s_short,
            new CompareOptions { Scores = "scores.json", With = "ioi" }),
        new("Three methods with each other", s_short,
            new CompareOptions { Files = ["eap.json", "eap-ig.json", "eap-gp.json"], TopN = 200, Picture = "methods.html" }),
    ];
}
