using CommandLine;
using CommandLine.Text;
using Gradpath.Host.Options;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath minimality</c>.</summary>
[Verb("minimality", HelpText = "Measure how minimal a circuit is: the most that each of its nodes ever changes.")]
internal sealed class MinimalityOptions : KnockoutCommandOptions
{
    private static readonly UnParserSettings s_short = new() { SkipDefault = true };

    [Usage(ApplicationAlias = "gradpath")]
    public static IEnumerable<Example> Examples =>
    [
        new("With classes of nodes of your own", s_short,
            new MinimalityOptions { Model = "demo", Task = "ioi", Circuit = "circuit.json", Classes = "classes.json",
            Out = "minimality.json" }),
    ];
}
