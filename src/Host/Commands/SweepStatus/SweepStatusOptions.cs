using CommandLine;
using CommandLine.Text;
using Gradpath.Programs.Files;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath sweep status</c>.</summary>
[Verb("sweep-status", HelpText = "Say of a sweep what is done, what runs where, what has failed and why: 'gradpath sweep status DIR'.")]
internal sealed class SweepStatusOptions : CommandOptions
{
    private static readonly UnParserSettings s_short = new() { SkipDefault = true };

    [Input]
    [Option("dir", Required = true, MetaValue = "DIR", HelpText = "The sweep's folder, of 'gradpath sweep PLAN --out DIR'.")]
    public string Folder { get; set; } = "";

    [Usage(ApplicationAlias = "gradpath")]
    public static IEnumerable<Example> Examples =>
    [
        new("Where the units of a sweep stand", s_short, new SweepStatusOptions { Folder = "runs/demo" }),
    ];
}
