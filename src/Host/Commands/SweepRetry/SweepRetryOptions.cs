using CommandLine;
using CommandLine.Text;
using Gradpath.Programs.Files;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath sweep retry</c>.</summary>
[Verb("sweep-retry", HelpText = "Forget failures of a sweep, so that the next run computes those units again: 'gradpath sweep retry DIR'.")]
internal sealed class SweepRetryOptions : CommandOptions
{
    private static readonly UnParserSettings s_short = new() { SkipDefault = true };

    [Input]
    [Option("dir", Required = true, MetaValue = "DIR", HelpText = "The sweep's folder, of 'gradpath sweep PLAN --out DIR'.")]
    public string Folder { get; set; } = "";

    [Option("unit", MetaValue = "KEY", HelpText =
        "Forget the failure of one unit, of the parts that it is put together from, and of those that failed for want of them: its key, or "
        + "how that begins (default: all).")]
    public string? Unit { get; set; }

    [Usage(ApplicationAlias = "gradpath")]
    public static IEnumerable<Example> Examples =>
    [
        new("Forget all failures", s_short, new SweepRetryOptions { Folder = "runs/demo" }),
    ];
}
