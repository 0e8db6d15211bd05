using CommandLine;
using CommandLine.Text;
using Gradpath.Host.Options;
using Gradpath.Programs.Files;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath edge-prune</c>.</summary>
[Verb("edge-prune", HelpText = "Find a circuit by edge pruning: train a mask on every edge to keep the model's output with few edges.")]
internal sealed class EdgePruneOptions : MaskTrainingOptions
{
    private static readonly UnParserSettings s_short = new() { SkipDefault = true };

    [Input]
    [Option("init", MetaValue = "FILE", HelpText =
        "Warm start: masks of edges of large |score| in this file of 'gradpath score' start open, of small ones closed.")]
    public string? Init { get; set; }

    /// <inheritdoc />
    protected override bool ReadsMetric => false;

    [Usage(ApplicationAlias = "gradpath")]
    public static IEnumerable<Example> Examples =>
    [
        new("A circuit of 5 % of the demo model's edges", s_short,
            new EdgePruneOptions { Model = "demo", Task = "ioi", Out = "circuit.json", Log = "training.csv" }),
        new("A shorter run that starts from scores", s_short,
            new EdgePruneOptions { Model = "demo", Task = "ioi", Init = "scores.json", Steps = 300, Out = "circuit.json" }),
    ];
}
