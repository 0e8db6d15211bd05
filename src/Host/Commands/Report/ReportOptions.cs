using CommandLine;
using Gradpath.Programs.Files;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath report</c>.</summary>
[Verb("report", HelpText =
    "Make an HTML page of scores: the circuit as a graph, the score matrix, curves, tables. One file that needs no network.")]
internal sealed class ReportOptions : CommandOptions
{
    [Input]
    [Option("scores", Required = true, Separator = ',', MetaValue = "FILE,...",
        HelpText = "Score files of one model, one per method: .json or .safetensors.")]
    public IEnumerable<string> Scores { get; set; } = [];

    [Input]
    [Option("path", Separator = ',', MetaValue = "FILE.csv,...", HelpText = "Paths that 'gradpath score --record-path' wrote.")]
    public IEnumerable<string> Paths { get; set; } = [];

    [Input]
    [Option("curve", Separator = ',', MetaValue = "FILE.csv,...",
        HelpText = "Faithfulness curves: columns method, fraction, edges, edges_after_prune, faithfulness and, for a band, low and high.")]
    public IEnumerable<string> Curves { get; set; } = [];

    [Input]
    [Option("training", Separator = ',', MetaValue = "FILE.csv,...",
        HelpText = "Training that 'gradpath edge-prune --log' or 'gradpath hap --log' wrote.")]
    public IEnumerable<string> Training { get; set; } = [];

    [Input]
    [Option("attribution", Separator = ',', MetaValue = "FILE.json,...",
        HelpText = "Attribution graphs that 'gradpath transcode graph' or circuit-tracer wrote: their strongest nodes as tables.")]
    public IEnumerable<string> Attribution { get; set; } = [];

    [Input]
    [Option("ground-truth", MetaValue = "CIRCUIT", HelpText =
        "State how well each method finds a known circuit's edges: a file, the folder of a model made by make-model, ioi or "
        + "greater-than.")]
    public string? GroundTruth { get; set; }

    [Output(".html")]
    [Option("out", Required = true, MetaValue = "FILE.html", HelpText = "The page.")]
    public string Out { get; set; } = "";

    [Option("title", MetaValue = "TEXT", HelpText = "The heading (default: the task and the model).")]
    public string? Title { get; set; }

    [Option("top-n", MetaValue = "N", Default = 100, HelpText = "Number of edges that the graph shows at first.")]
    [Range(0, 100_000_000)]
    public int TopN { get; set; } = 100;
}
