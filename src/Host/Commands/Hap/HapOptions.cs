using CommandLine;
using CommandLine.Text;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Host.Options;
using Gradpath.Programs.Files;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath hap</c>.</summary>
[Verb("hap", HelpText =
    "Find a circuit by hybrid attribution and pruning: scores keep a share of the edges, edge pruning searches among those.")]
internal sealed class HapOptions : MaskTrainingOptions
{
    private static readonly UnParserSettings s_short = new() { SkipDefault = true };

    [Option("keep", MetaValue = "SHARE", Default = 0.5,
        HelpText = "Share of the edges that the scores keep: 0.5, or 0.25 or 0.1 for a faster search among fewer.")]
    [Range(0, 1, AboveLeast = true)]
    public double Keep { get; set; } = 0.5;

    [Option("scorer", MetaValue = "METHOD", HelpText =
        "Method that scores the edges by --metric, with its default settings (default: eap; see 'gradpath score').")]
    public string? Scorer { get; set; }

    [Input]
    [Option("scores", MetaValue = "FILE", HelpText = "Use these scores instead of computing some.")]
    public string? Scores { get; set; }

    [Input]
    [Option("recall", MetaValue = "CIRCUIT", HelpText =
        "State how many of another circuit's edges the scores keep: a circuit's file, or ioi or greater-than (GPT-2 small).")]
    public string? Recall { get; set; }

    [Option("compare", HelpText =
        "Also run plain edge pruning with the same options, and state KL, time and how much of its circuit the scores keep.")]
    public bool Compare { get; set; }

    /// <inheritdoc />
    protected override bool ReadsMetric => Scores is null && ScoringMethod().HasMetric;

    /// <summary>What the command knows beside the options of training.</summary>
    public HybridPruningOptions Defaults => new() { Share = Keep };

    [Usage(ApplicationAlias = "gradpath")]
    public static IEnumerable<Example> Examples =>
    [
        new("A circuit of the demo model, against plain edge pruning", s_short,
            new HapOptions { Model = "demo", Task = "ioi", Compare = true, Out = "circuit.json" }),
    ];

    /// <summary>The method that scores.</summary>
    /// <exception cref="UsageException">There is none of this name.</exception>
    public AttributionMethod ScoringMethod() => MethodNames.Parse("scorer", Scorer ?? AttributionMethods.Eap.Name);
}
