using CommandLine;
using CommandLine.Text;
using Gradpath.Programs.Files;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath circuit</c>.</summary>
[Verb("circuit", HelpText = "Select a circuit from edge scores.")]
internal sealed class CircuitOptions : CommandOptions
{
    private static readonly UnParserSettings s_short = new() { SkipDefault = true };

    [Input]
    [Option("scores", Required = true, MetaValue = "FILE",
        HelpText = "Edge scores: a .json or .safetensors file of 'gradpath score' or of the EAP-IG library.")]
    public string Scores { get; set; } = "";

    [Option("top-n", MetaValue = "N", HelpText = "Select the N edges of largest score.")]
    [Range(0, 100_000_000)]
    public int? TopN { get; set; }

    [Option("greedy", MetaValue = "N", HelpText = "Select N edges from the logits back: each time the best edge into a node that is in.")]
    [Range(0, 100_000_000)]
    public int? Greedy { get; set; }

    [Option("threshold", MetaValue = "T", HelpText = "Select every edge whose score is at least T.")]
    [Range(-1e38, 1e38)]
    public float? Threshold { get; set; }

    [Option("nodes", MetaValue = "N", HelpText = "Select the N nodes of largest node score, with all edges among them.")]
    [Range(0, 1_000_000)]
    public int? Nodes { get; set; }

    [Option("signed", HelpText = "Go by the score itself instead of its absolute value.")]
    public bool Signed { get; set; }

    [Option("no-prune", HelpText = "Keep edges that do not lie on a path from the input to the logits.")]
    public bool NoPrune { get; set; }

    [Option("fill", HelpText = "Count the N edges of --top-n or --greedy after pruning: select as many more as leave N.")]
    public bool Fill { get; set; }

    [Option("sum-spans", HelpText = "Add scores of edges between spans up and select plain edges (see 'gradpath score --positions').")]
    public bool SumSpans { get; set; }

    [Output(IsGraph = true)]
    [Option("out", MetaValue = "FILE", HelpText =
        "Write the circuit with its scores: .json (the EAP-IG library's format) or .safetensors.")]
    public string? Out { get; set; }

    [Usage(ApplicationAlias = "gradpath")]
    public static IEnumerable<Example> Examples =>
    [
        new("The 200 strongest edges", s_short, new CircuitOptions { Scores = "scores.json", TopN = 200, Out = "circuit.json" }),
        new("500 edges that are all connected with the logits", s_short,
            new CircuitOptions { Scores = "scores.json", Greedy = 500, Out = "circuit.json" }),
    ];
}
