using CommandLine;
using Gradpath.Host.Options;
using Gradpath.Programs.Files;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath tokenize</c>.</summary>
[Verb("tokenize", HelpText = "Turn text into token ids: one JSON string per line in, one JSON list of ids per line out.")]
internal sealed class TokenizeOptions : CommandOptions
{
    [Input(InputKind.Model)]
    [Option("model", Required = true, MetaValue = "MODEL", HelpText = VocabularyDirectory.Help)]
    public string Model { get; set; } = "";
}
