using CommandLine;
using CommandLine.Text;
using Gradpath.Programs.Files;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath stability</c>.</summary>
[Verb("stability", HelpText = "Measure how far the strongest edges depend on which prompts were drawn, from scores per prompt pair.")]
internal sealed class StabilityCommandOptions : CommandOptions
{
    private static readonly UnParserSettings s_short = new() { SkipDefault = true };

    [Input]
    [Option("per-item", Required = true, MetaValue = "FILE", HelpText = "Scores per prompt pair, of 'gradpath score --per-item'.")]
    public string PerItem { get; set; } = "";

    [Option("sizes", Separator = ',', MetaValue = "N,...", HelpText = "Numbers of strongest edges to compare (default: 100).")]
    [Range(1, 100_000_000)]
    public IEnumerable<int> EdgeCounts { get; set; } = [];

    [Option("resamples", MetaValue = "N", Default = 200, HelpText = "Data sets to draw from the prompt pairs, with replacement.")]
    [Range(2, 10_000)]
    public int Resamples { get; set; } = 200;

    [Option("by", MetaValue = "PART", HelpText =
        "Draw groups of pairs instead of pairs: those with the same PART in their label, such as template for generated prompts.")]
    public string? By { get; set; }

    [Option("signed", HelpText = "Rank edges by the score itself instead of its absolute value.")]
    public bool Signed { get; set; }

    [Option("seed", MetaValue = "N", HelpText = "Seed of the draws (default: 0).")]
    [Range(0, int.MaxValue)]
    public int? Seed { get; set; }

    [Option("top", MetaValue = "N", Default = 20, HelpText = "How many of the strongest edges to show.")]
    [Range(0, 100_000_000)]
    public int Top { get; set; } = 20;

    [Output(IsGraph = true)]
    [Option("out", MetaValue = "FILE", HelpText =
        "Write the core as a circuit with the mean scores, not pruned: .json or .safetensors; with one size.")]
    public string? Out { get; set; }

    [Output(".csv")]
    [Option("table", MetaValue = "FILE.csv", HelpText = "Write a line per size and edge that is among the strongest of any data set.")]
    public string? Table { get; set; }

    [Output(".svg")]
    [Option("picture", MetaValue = "FILE.svg", HelpText = "Draw in how many data sets edges are among the strongest.")]
    public string? Picture { get; set; }

    [Usage(ApplicationAlias = "gradpath")]
    public static IEnumerable<Example> Examples =>
    [
        new("Circuits of two sizes", s_short, new StabilityCommandOptions { PerItem = "items.safetensors", EdgeCounts = [50, 100] }),
    ];
}
