using CommandLine;
using CommandLine.Text;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Compilation;
using Gradpath.Host.Options;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath ground-truth</c>.</summary>
[Verb("ground-truth", HelpText =
    "Judge methods on models whose circuit is known: how well their scores tell true edges from others, program by program.")]
internal sealed class TruthOptions : DeviceOptions
{
    private static readonly UnParserSettings s_short = new() { SkipDefault = true };

    [Option("method", Separator = ',', MetaValue = "M,M,...", HelpText = "The methods (default: all).")]
    public IEnumerable<string> Methods { get; set; } = [];

    [Option("program", Separator = ',', MetaValue = "P,P,...", HelpText = "The programs (default: all; see 'make-model list').")]
    public IEnumerable<string> Programs { get; set; } = [];

    [Option("limit", MetaValue = "N", HelpText = "Prompt pairs per program (default: 100).")]
    [Range(1, 100_000)]
    public int? Limit { get; set; }

    [Option("seed", MetaValue = "N", HelpText = "Seed of prompts, of the models' idle heads and of the method random (default: 0).")]
    [Range(0, int.MaxValue)]
    public int? Seed { get; set; }

    [Option("update", HelpText = "Write the table of docs/ground-truth.md, in a checkout of the repository.")]
    public bool Update { get; set; }

    [Usage(ApplicationAlias = "gradpath")]
    public static IEnumerable<Example> Examples =>
    [
        new("All methods on all programs", s_short, new TruthOptions()),
        new("Two methods on one program", s_short, new TruthOptions { Methods = ["eap", "eap-ig"], Programs = ["sort"] }),
    ];

    /// <summary>The methods, in the order given.</summary>
    /// <exception cref="UsageException">There is none of a name, or one is named twice.</exception>
    public IReadOnlyList<AttributionMethod> Judged() => Methods.Any()
        ? Distinct("method", [.. Methods.Select(m => MethodNames.Parse("method", m))], m => m.Name)
        : AttributionMethods.All;

    /// <summary>The programs, in the order given.</summary>
    /// <exception cref="UsageException">There is none of a name, or one is named twice.</exception>
    public IReadOnlyList<CompiledProgram> Compiled() => Programs.Any()
        ? Distinct("program", [.. Programs.Select(p => ProgramNames.Parse("program", p))], p => p.Name)
        : CompiledPrograms.All;

    /// <summary>Checks the options without opening a file.</summary>
    /// <exception cref="UsageException">An option cannot be used.</exception>
    public void Check()
    {
        ComputeDevice.Check(this);
        _ = Judged();
        _ = Compiled();
        if (!Update) return;
        if (Methods.Any() || Programs.Any() || Limit is not null || Seed is not null)
            throw new UsageException("--update writes the whole table: leave --method, --program, --limit and --seed out.");
        if (!File.Exists(TruthPage.Name))
            throw new UsageException($"--update: {TruthPage.Name} is not here; run it from the repository's root.");
    }

    private static List<T> Distinct<T>(string option, List<T> given, Func<T, string> name)
    {
        string? twice = given.GroupBy(name).FirstOrDefault(g => g.Count() > 1)?.Key;
        return twice is null ? given : throw new UsageException($"--{option}: {twice} is named twice; leave one out.");
    }
}
