using CommandLine;
using CommandLine.Text;
using Gradpath.Gpt2Runtime.Compilation;
using Gradpath.Programs.Files;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath make-model</c>.</summary>
[Verb("make-model", HelpText =
    "Make a model whose circuit is known: compile a program, or bring one of TransformerLens into GPT-2's layout.")]
internal sealed class MakeModelOptions : CommandOptions
{
    private static readonly UnParserSettings s_short = new() { SkipDefault = true };

    [Option("list", HelpText = "The programs; 'make-model list' is short for it.")]
    public bool List { get; set; }

    [Option("program", MetaValue = "PROGRAM", HelpText = "What to compile (see 'make-model list'); 'make-model PROGRAM' is short for it.")]
    public string? Program { get; set; }

    [Input]
    [Option("from", MetaValue = "FILE.safetensors", HelpText = "The state dictionary of a model of TransformerLens, in a program's place.")]
    public string? From { get; set; }

    [Input]
    [Option("config", MetaValue = "FILE.json", HelpText = "With --from: the model's configuration.")]
    public string? Config { get; set; }

    [Input]
    [Option("edges", MetaValue = "FILE.json", HelpText = "With --from: a list of the names of its true edges, such as \"a0.h1->m0\".")]
    public string? Edges { get; set; }

    [Option("count", MetaValue = "N", HelpText = "With a program: how many prompt pairs (default: 100).")]
    [Range(1, 100_000)]
    public int? Count { get; set; }

    [Option("seed", MetaValue = "N", HelpText =
        "With a program: seed of its prompts, of which heads work, and of what the others do (default: 0).")]
    [Range(0, int.MaxValue)]
    public int? Seed { get; set; }

    [Output(IsFolder = true)]
    [Option("out", MetaValue = "DIR", HelpText = "Where the model goes: weights, tokenizer, prompts and circuit.")]
    public string? Out { get; set; }

    /// <inheritdoc />
    public override IEnumerable<NamedPath> FurtherOutputs() =>
        Out is null ? [] : CompiledModelFolder.Files.Select(f => new NamedPath("out", Path.Combine(Out, f)));

    [Usage(ApplicationAlias = "gradpath")]
    public static IEnumerable<Example> Examples =>
    [
        new("The programs", s_short, new MakeModelOptions { List = true }),
        new("A model that reverses strings", s_short, new MakeModelOptions { Program = "reverse", Out = "models/reverse" }),
        new("A model of TransformerLens", s_short, new MakeModelOptions
        {
            From = "ll_model.safetensors", Config = "ll_model_cfg.json", Edges = "edges.json", Out = "models/case-7",
        }),
    ];

    /// <summary>Checks the options without opening a file.</summary>
    /// <exception cref="UsageException">They do not go together.</exception>
    public void Check()
    {
        int given = (List ? 1 : 0) + (Program is null ? 0 : 1) + (From is null ? 0 : 1);
        if (given == 0) throw new UsageException("name a program, such as 'make-model reverse --out DIR', or say 'make-model list'.");
        if (given > 1) throw new UsageException("--list, --program and --from are three things: give one of them.");
        if (Config is not null && From is null) throw new UsageException("--config is of the model that --from names; add it.");
        if (Edges is not null && From is null) throw new UsageException("--edges are of the model that --from names; add it.");
        if (From is not null && Config is null)
            throw new UsageException("--from: the file has the weights alone; name the model's configuration with --config FILE.json.");
        if (Program is null && (Count is not null || Seed is not null))
            throw new UsageException($"--{(Count is null ? "seed" : "count")} is for a program: leave it out.");
        if (List && Out is not null) throw new UsageException("--out: a list makes no model; leave it out.");
        if (!List && Out is null) throw new UsageException("--out DIR is needed: the folder that the model goes to.");
        if (Out is not null && File.Exists(Out)) throw new UsageException($"--out {Out}: it is a file; name a directory.");
    }
}
