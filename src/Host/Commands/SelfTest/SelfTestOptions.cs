using CommandLine;
using CommandLine.Text;
using Gradpath.Programs.Files;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath selftest</c>.</summary>
[Verb("selftest", HelpText = "Check on this machine that scores obey the identities that define them, and a device against the CPU.")]
internal sealed class SelfTestOptions : DeviceOptions
{
    private static readonly UnParserSettings s_short = new() { SkipDefault = true };

    [Option("against", MetaValue = "DEVICE", HelpText =
        "cpu: compare every op and every method with a second CPU device. Any other device than the CPU is always compared so.")]
    public string? Against { get; set => field = value?.ToLowerInvariant(); }

    [Option("cases", MetaValue = "N", HelpText = "Random shapes per op of the comparison (default 18); a third of them are large.")]
    [Range(1, 10_000)]
    public int? Cases { get; set; }

    [Option("stages", MetaValue = "NAMES", Separator = ',', HelpText =
        "Only these stages: modules, ops, plans, graphs, identities, methods, gpt2 (default: all that the device has).")]
    public IEnumerable<string> Stages { get; set; } = [];

    [Option("only", MetaValue = "NAMES", Separator = ',', HelpText =
        "Only the checks whose names begin so: Attention,gemmTf32x3,eap-ig (default: all).")]
    public IEnumerable<string> Only { get; set; } = [];

    [Input]
    [Option("scores", MetaValue = "FILE", HelpText =
        "Of the stage gpt2: read the CPU's scores from a file of --write-scores (default: compute them here).")]
    public string? Scores { get; set; }

    [Option("shape", MetaValue = "NAME", HelpText =
        "Of the stage gpt2 and of --write-scores: GPT-2's shape: tiny, small (the default), medium, large or xl.")]
    public string? Shape { get; set; }

    [Output(".safetensors")]
    [Option("write-scores", MetaValue = "FILE.safetensors", HelpText =
        "Test nothing: write the CPU's scores for --scores. It needs no GPU.")]
    public string? WriteScores { get; set; }

    [Usage(ApplicationAlias = "gradpath")]
    public static IEnumerable<Example> Examples =>
    [
        new("All of it, on the device at hand", s_short, new SelfTestOptions()),
        new("A GPU's kernels alone", s_short, new SelfTestOptions { Device = "cuda", Stages = ["modules", "ops", "plans"] }),
        new("The scores that a GPU elsewhere is to be held against", s_short, new SelfTestOptions { WriteScores = "cpu.safetensors" }),
        new("There", s_short, new SelfTestOptions { Device = "cuda", Scores = "cpu.safetensors" }),
    ];
}
