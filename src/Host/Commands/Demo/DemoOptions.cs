using CommandLine;
using Gradpath.Programs.Files;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath demo</c>.</summary>
[Verb("demo", HelpText = "Compare EAP, EAP-IG and EAP-GP on the small model that ships with the program.")]
internal sealed class DemoOptions : DeviceOptions
{
    [Input(InputKind.Model)]
    [Option("model", MetaValue = "MODEL", Default = "demo",
        HelpText = "Another model to run it on; its vocabulary must hold the task's words.")]
    public string Model { get; set; } = "demo";

    [Output(IsFolder = true)]
    [Option("out", MetaValue = "DIR", Default = "out/demo",
        HelpText = "Directory for the three score files and paths; made where it is missing.")]
    public string Out { get; set; } = "out/demo";

    /// <inheritdoc />
    public override IEnumerable<NamedPath> FurtherOutputs() => DemoCommand.FilesIn(Out).Select(file => new NamedPath("out", file));
}
