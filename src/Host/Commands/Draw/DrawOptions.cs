using CommandLine;
using Gradpath.Programs.Files;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath draw</c>.</summary>
[Verb("draw", HelpText = "Draw a circuit: .svg for papers, .dot for Graphviz, .html to explore it.")]
internal sealed class DrawOptions : CommandOptions
{
    [Input]
    [Option("circuit", MetaValue = "FILE", HelpText = "A file that marks a circuit: .json or .safetensors.")]
    public string? Circuit { get; set; }

    [Input]
    [Option("scores", MetaValue = "FILE", HelpText = "A score file; --top-n says how many of its edges.")]
    public string? Scores { get; set; }

    [Option("top-n", MetaValue = "N", HelpText =
        "Draw what pruning leaves of the N edges of largest absolute score (default: 100, or all where there are fewer).")]
    [Range(0, 100_000_000)]
    public int? TopN { get; set; }

    [Output(".svg", ".dot", ".html")]
    [Option("out", Required = true, MetaValue = "FILE", HelpText = "The drawing: .svg, .dot or .html.")]
    public string Out { get; set; } = "";

    [Option("title", MetaValue = "TEXT", HelpText = "Its title (default: the task and the model).")]
    public string? Title { get; set; }
}
