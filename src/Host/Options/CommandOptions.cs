using CommandLine;

namespace Gradpath.Host.Options;

/// <summary>What all commands share: words that belong to no option, which are refused rather than ignored.</summary>
internal abstract class CommandOptions
{
    [Value(0, Hidden = true)]
    public IEnumerable<string> Rest { get; set; } = [];
}
