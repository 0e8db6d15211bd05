using CommandLine;
using Gradpath.Programs;

namespace Gradpath.Perf.Ops;

/// <summary>The options of <c>perf ops</c>.</summary>
[Verb("ops", HelpText = "BenchmarkDotNet on every op, family by family; fails where one allocates managed memory.")]
internal sealed class OpsOptions : DeviceOptions
{
    [Option("filter", MetaValue = "TEXT", HelpText = "Only families and ops whose names contain this: EdgeOps, LayerNorm.")]
    public string? Filter { get; set; }

    [Option("quick", HelpText = "BenchmarkDotNet's short job.")]
    public bool Quick { get; set; }
}
