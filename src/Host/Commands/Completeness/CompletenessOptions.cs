using CommandLine;
using CommandLine.Text;
using Gradpath.Host.Options;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath completeness</c>.</summary>
[Verb("completeness", HelpText = "Measure how complete a circuit is: whether losing nodes changes it as it changes the full model.")]
internal sealed class CompletenessOptions : KnockoutCommandOptions
{
    private static readonly UnParserSettings s_short = new() { SkipDefault = true };

    [Usage(ApplicationAlias = "gradpath")]
    public static IEnumerable<Example> Examples =>
    [
        new("With few sets", s_short, new CompletenessOptions { Model = "demo", Task = "ioi", Circuit = "circuit.json", Random = 20,
            GreedyRuns = 2, Out = "completeness.json" }),
    ];
}
