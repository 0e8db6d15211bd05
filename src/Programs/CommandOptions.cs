using CommandLine;
using Gradpath.Programs.Files;

namespace Gradpath.Programs;

/// <summary>What all commands share: how much they say and in which form, and words that belong to no option, which are refused.</summary>
internal abstract class CommandOptions
{
    [Option("json", HelpText = "Write the result to standard output as one JSON object instead of lines and tables.")]
    public bool Json { get; set; }

    [Option("quiet", HelpText = "Write nothing to the error stream but errors: no progress, no notes, no warnings.")]
    public bool Quiet { get; set; }

    [Option("verbose", HelpText = "Say on the error stream what is loaded, how the work is cut, and how long each stage took.")]
    public bool Verbose { get; set; }

    [Option("strict", HelpText = "End with an error where a warning or a note would be written: other origins of files, odd answers, ...")]
    public bool Strict { get; set; }

    [Value(0, Hidden = true)]
    public IEnumerable<string> Rest { get; set; } = [];

    /// <summary>The files that the command writes beside those that options name: in a folder, or by names made from an option's.</summary>
    public virtual IEnumerable<NamedPath> FurtherOutputs() => [];
}
