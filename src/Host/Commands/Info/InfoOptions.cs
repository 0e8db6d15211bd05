using CommandLine;
using Gradpath.Programs.Files;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath info</c>.</summary>
[Verb("info", HelpText = "Show a model's shape, its graph and what it needs.")]
internal sealed class InfoOptions : CommandOptions
{
    [Input(InputKind.Model)]
    [Option("model", Required = true, MetaValue = "MODEL",
        HelpText = "Directory of a GPT-2 checkpoint, 'demo', 'saturated', or a name in the Hugging Face cache.")]
    public string Model { get; set; } = "";

    [Option("device", MetaValue = "DEVICE", Default = "auto", HelpText = "auto, cpu, cuda or cuda:N.")]
    public string Device { get; set => field = value.ToLowerInvariant(); } = "auto";

    [Option("weights", HelpText = "Read every weight; list each tensor's shape, type, range and norm, and how many values are not finite.")]
    public bool Weights { get; set; }
}
