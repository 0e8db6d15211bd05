using CommandLine;
using Gradpath.Host.Options;
using Gradpath.Programs.Files;

namespace Gradpath.Host.Commands;

/// <summary>Options of <c>gradpath prompts</c>.</summary>
[Verb("prompts", HelpText = "Make prompt pairs of a task for a model's vocabulary and write them as JSONL.")]
internal sealed class PromptsOptions : CommandOptions
{
    [Option("task", Required = true, MetaValue = "TASK", ResourceType = typeof(TaskHelp), HelpText = nameof(TaskHelp.Task))]
    public string Task { get; set; } = "";

    [Input(InputKind.Model)]
    [Option("model", Required = true, MetaValue = "MODEL", HelpText = VocabularyDirectory.Help)]
    public string Model { get; set; } = "";

    [Option("count", MetaValue = "N", Default = 100, HelpText = "How many prompt pairs.")]
    [Range(1, 1_000_000)]
    public int Count { get; set; }

    [Option("seed", MetaValue = "N", Default = 0UL, HelpText = "Seed of the draw.")]
    public ulong Seed { get; set; }

    [Output(".jsonl")]
    [Option("out", Required = true, MetaValue = "FILE", HelpText = "The JSONL file to write.")]
    public string Out { get; set; } = "";
}
