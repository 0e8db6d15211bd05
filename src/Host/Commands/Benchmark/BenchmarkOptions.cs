using CommandLine;
using CommandLine.Text;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Host.Comparison;
using Gradpath.Host.Options;
using Gradpath.Programs.Files;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath benchmark</c>.</summary>
[Verb("benchmark", HelpText =
    "Compare methods: find circuits of the same sizes with each, judge them on other prompts, write a table and a page.")]
internal sealed class BenchmarkOptions : PromptedOptions
{
    private static readonly UnParserSettings s_short = new() { SkipDefault = true };
    private static readonly double[] s_sparsities = [0.9, 0.95, 0.98];

    [Option("methods", Separator = ',', MetaValue = "M,M,...", ResourceType = typeof(ComparisonHelp),
        HelpText = nameof(ComparisonHelp.Methods))]
    public IEnumerable<string> Methods { get; set; } = [];

    [Option("sparsity", Separator = ',', MetaValue = "S,S,...",
        HelpText = "Shares of all edges that the circuits lack (default: 0.9,0.95,0.98).")]
    [Range(0, 1, AboveLeast = true, BelowMost = true)]
    public IEnumerable<double> Sparsities { get; set; } = [];

    [Option("limit", MetaValue = "N", HelpText = "Prompt pairs to judge on (default: 100; of a file, all that are left).")]
    public override int? Limit { get; set; }

    [Option("train-limit", MetaValue = "N", HelpText =
        "Prompt pairs to find circuits on, those before the ones to judge on (default: 100; of a file, the first half).")]
    [Range(1, 1_000_000)]
    public int? TrainLimit { get; set; }

    [Option("greedy", HelpText =
        "Cut scores from the logits back, each time the best edge into a node that is in, instead of taking the edges of largest |score|.")]
    public bool Greedy { get; set; }

    [Option("acdc-runs", MetaValue = "N", ResourceType = typeof(ComparisonHelp),
        HelpText = nameof(ComparisonHelp.ThresholdRuns))]
    [Range(1, 1_000)]
    public int? AcdcRuns { get; set; }

    [Option("steps", MetaValue = "N", HelpText =
        "edge-prune, hap: training steps (default: 3000; 1500 for graphs of fewer than 5000 edges).")]
    [Range(1, 1_000_000)]
    public int? Steps { get; set; }

    [Option("train-batch", MetaValue = "N", HelpText = "edge-prune, hap: prompt pairs per training step (default: 32).")]
    [Range(1, 1_000_000)]
    public int? TrainBatch { get; set; }

    [Option("overshoot", MetaValue = "S",
        HelpText = "edge-prune, hap: aim training this much above each sparsity, as their --target does; for high ones, which masks may "
        + "not reach otherwise (default: 0).")]
    [Range(0, 1)]
    public double? Overshoot { get; set; }

    [Option("keep", MetaValue = "SHARE", HelpText = "hap: share of the edges that EAP keeps (default: 0.5).")]
    [Range(0, 1, AboveLeast = true)]
    public double? Keep { get; set; }

    [Input]
    [Option("ground-truth", MetaValue = "CIRCUIT",
        HelpText = "Judge edges by another circuit: a file, the folder of a model made by make-model, or ioi or greater-than (default: the "
        + "circuit beside the model; for a model called gpt2 and one of these tasks, the task's). Without a value: see ground-truth.")]
    public string? GroundTruth { get; set; }

    [Output(IsFolder = true)]
    [Option("out", Required = true, MetaValue = "DIR",
        HelpText = "Where to write table.csv, report.html, training.csv and circuits/METHOD-SPARSITY.json.")]
    public string Out { get; set; } = "";

    [Option("resume", HelpText = "Keep the rows that an earlier run has left in --out with the same settings.")]
    public bool Resume { get; set; }

    /// <inheritdoc />
    public override IEnumerable<NamedPath> FurtherOutputs() => ComparisonFolder.FilesIn(Out);

    [Usage(ApplicationAlias = "gradpath")]
    public static IEnumerable<Example> Examples =>
    [
        new("All methods on the demo model", s_short, new BenchmarkOptions { Model = "demo", Task = "ioi", Out = "benchmark" }),
        new("Two methods at one size, quickly", s_short,
            new BenchmarkOptions { Model = "demo", Task = "ioi", Methods = ["eap", "acdc"], Sparsities = [0.95], TrainLimit = 20,
            Limit = 20, Out = "benchmark" }),
    ];

    /// <summary>The methods, the defaults in place.</summary>
    /// <exception cref="UsageException">There is none of this name.</exception>
    public IReadOnlyList<ComparedMethod> Compared() =>
        Methods.Any() ? [.. Methods.Select(ComparedMethod.Parse)] : ComparedMethod.Defaults;

    /// <summary>The sparsities, the defaults in place.</summary>
    public double[] SparsityValues => Sparsities.Any() ? [.. Sparsities] : s_sparsities;

    /// <summary>What the comparison needs to know, after <see cref="Check"/>.</summary>
    public ComparisonSettings Settings() => new()
    {
        Methods = Compared(),
        Sparsities = SparsityValues,
        Greedy = Greedy,
        ThresholdRuns = AcdcRuns ?? 12,
        Steps = Steps,
        TrainBatch = TrainBatch,
        Overshoot = Overshoot ?? 0,
        Share = Keep ?? new HybridPruningOptions().Share,
    };

    /// <inheritdoc />
    protected override string? OwnSplit => "circuits are found on the first --train-limit pairs and judged on the --limit behind them";

    /// <summary>Checks the options without opening a file.</summary>
    /// <exception cref="UsageException">An option cannot be used.</exception>
    public void Check()
    {
        CheckShared();
        IReadOnlyList<ComparedMethod> methods = Compared();
        RequireDistinct("methods", [.. methods.Select(m => m.Name)]);
        RequireDistinct("sparsity", SparsityValues);
        foreach (double sparsity in SparsityValues) Settings().Check(sparsity);
        RequireTaker("steps", Steps is not null, s => s?.Defaults is EdgePruningOptions);
        RequireTaker("train-batch", TrainBatch is not null, s => s?.Defaults is EdgePruningOptions);
        RequireTaker("overshoot", Overshoot is not null, s => s?.Defaults is EdgePruningOptions);
        RequireTaker("keep", Keep is not null, s => s?.Defaults is HybridPruningOptions);
        RequireTaker("acdc-runs", AcdcRuns is not null, s => s?.Sizing == SearchSizing.Threshold);
        if (Greedy && methods.All(m => m.Scorer is null)) throw new UsageException("--greedy cuts scores; none of --methods gives any.");
    }

    // An option that none of the methods reads would change nothing.
    private void RequireTaker(string option, bool given, Func<CircuitSearch?, bool> takes)
    {
        if (!given || Compared().Any(m => takes(m.Search))) return;
        string takers = EnumNames.Choice(ComparedMethod.Searches.Where(m => takes(m.Search)).Select(m => m.Name));
        throw new UsageException($"--{option} is for {takers}, and none of --methods is one.");
    }

    private static void RequireDistinct<T>(string option, T[] values)
    {
        if (values.Distinct().Count() < values.Length) throw new UsageException($"--{option}: a value appears twice.");
    }
}
