using CommandLine;
using CommandLine.Text;
using Gradpath.Host.Options;
using Gradpath.Programs.Files;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath evaluate</c>.</summary>
[Verb("evaluate", HelpText = "Measure how faithful a circuit is: metric, KL, exact match and accuracy with everything else ablated.")]
internal sealed class EvaluateOptions : PromptedOptions
{
    private static readonly UnParserSettings s_short = new() { SkipDefault = true };

    [Input]
    [Option("circuit", Required = true, MetaValue = "FILE",
        HelpText = "A file that marks a circuit, which is taken as it is: .json or .safetensors (see 'gradpath circuit').")]
    public string Circuit { get; set; } = "";

    [Output(".json")]
    [Option("out", MetaValue = "FILE.json", HelpText = "Write the result with the values of every prompt pair.")]
    public string? Out { get; set; }

    [Usage(ApplicationAlias = "gradpath")]
    public static IEnumerable<Example> Examples =>
    [
        new("A circuit on the prompts of its task", s_short,
            new EvaluateOptions { Model = "demo", Task = "ioi", Circuit = "circuit.json", Out = "evaluation.json" }),
    ];
}
