using CommandLine;
using CommandLine.Text;
using Gradpath.Programs.Files;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath compare</c>.</summary>
[Verb("compare", HelpText = "Compare a circuit, or edge scores, with another circuit or one found by hand.")]
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
    [Option("with", Required = true, MetaValue = "CIRCUIT",
        HelpText = "What to judge by: a circuit's file, or ioi or greater-than, the circuits of GPT-2 small that were found by hand.")]
    public string With { get; set; } = "";

    [Option("without-mlps", HelpText = "Leave MLPs and all their edges out.")]
    public bool WithoutMlps { get; set; }

    [Output(".csv")]
    [Option("roc", MetaValue = "FILE.csv", HelpText = "With --scores: write every point of the curve.")]
    public string? Roc { get; set; }

    [Usage(ApplicationAlias = "gradpath")]
    public static IEnumerable<Example> Examples =>
    [
        new("A circuit with another one", s_short, new CompareOptions { Circuit = "circuit.json", With = "other.json" }),
        new("Scores of GPT-2 small with the IOI circuit of Wang et al.", s_short,
            new CompareOptions { Scores = "scores.json", With = "ioi" }),
    ];
}
