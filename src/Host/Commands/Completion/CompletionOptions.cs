using CommandLine;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath completion</c>.</summary>
[Verb("completion", HelpText = "Write a script that completes commands, options and names in a shell: completion bash, zsh or fish.")]
internal sealed class CompletionOptions : CommandOptions
{
    [Option("shell", Required = true, MetaValue = "SHELL", HelpText =
        "bash, zsh or fish; 'completion bash' is short for it. Bash: source <(gradpath completion bash).")]
    public string Shell { get; set; } = "";
}
