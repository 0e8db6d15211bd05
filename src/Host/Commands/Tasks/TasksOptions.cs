using CommandLine;
using Gradpath.Host.Options;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath tasks</c>: none.</summary>
[Verb("tasks", HelpText = "List the tasks: metric, description and an example pair of prompts.")]
internal sealed class TasksOptions : CommandOptions
{
}
