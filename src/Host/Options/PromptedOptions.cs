using CommandLine;

namespace Gradpath.Host.Options;

/// <summary>What the commands share that run circuits of a model on prompts.</summary>
internal abstract class PromptedOptions : ModelPromptOptions
{
    [Option("ablation", MetaValue = "KIND", Default = "patching", HelpText = "What edges outside a circuit carry: patching (the writer's output on the corrupted prompt), zero or mean-positional.")]
    public string Ablation { get; set; } = "patching";

    [Option("seed", MetaValue = "N", HelpText = "Seed of generated prompts and of all random draws (default: 0).")]
    public int? Seed { get; set; }
}
