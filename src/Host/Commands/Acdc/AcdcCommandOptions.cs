using CommandLine;
using CommandLine.Text;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Host.Options;
using Gradpath.Programs.Files;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath acdc</c>.</summary>
[Verb("acdc", HelpText = "Search a circuit with ACDC: from the logits back, remove every edge that is hardly missed.")]
internal sealed class AcdcCommandOptions : PromptedOptions
{
    private const string KlObjective = "kl";
    private const string MetricObjective = "metric";

    private static readonly UnParserSettings s_short = new() { SkipDefault = true };

    [Option("tau", MetaValue = "T", HelpText =
        "Threshold: an edge goes if the objective rises by less than this without it (default: 0.01).")]
    [Range(0, 1e30)]
    public double? Tau { get; set; }

    [Option("thresholds", Separator = ',', MetaValue = "T,T,...",
        HelpText = "Several thresholds in one run, with commas: one circuit each, for --out acdc.json in acdc-T.json.")]
    [Range(0, 1e30)]
    public IEnumerable<double> Thresholds { get; set; } = [];

    [Option("objective", MetaValue = "KIND", Default = "kl",
        HelpText = "What must not rise: kl (KL divergence of the circuit from the full model), or metric (minus --metric).")]
    public string Objective { get; set; } = "kl";

    [Option("absolute", HelpText =
        "Compare the size of the change: an edge also stays where the objective falls by the threshold without it.")]
    public bool Absolute { get; set; }

    [Option("order", MetaValue = "ORDER", Default = "normal",
        HelpText = "Senders of a reader: normal (last writer first), reverse (input first) or score (smallest |score| first).")]
    public string Order { get; set; } = "normal";

    [Input]
    [Option("scores", MetaValue = "FILE", HelpText =
        "Edge scores for --order score (default: EAP scores of --metric on the same prompts).")]
    public string? Scores { get; set; }

    [Option("candidates", MetaValue = "N", HelpText =
        "Candidate edges tried at once; changes the time, not the circuit (default: as many as seem to pay).")]
    [Range(1, 1_000_000)]
    public int? Candidates { get; set; }

    [Option("no-prune", HelpText = "Keep edges that do not lie on a path from the input to the logits.")]
    public bool NoPrune { get; set; }

    [Output(IsGraph = true, KeepsProgress = true)]
    [Option("out", Required = true, MetaValue = "FILE",
        HelpText = "Write the circuit, with each edge's effect as its score: .json or .safetensors. With --thresholds acdc.json stands for "
        + "acdc-T.json, one per threshold T.")]
    public string Out { get; set; } = "";

    [Output(".csv")]
    [Option("log", MetaValue = "FILE.csv", HelpText = "Write every step: edge, objective before and after, decision, edges left.")]
    public string? Log { get; set; }

    [Output(".csv")]
    [Option("table", MetaValue = "FILE.csv", HelpText =
        "Write the table of circuits: size, KL, metric, effort and, with --ground-truth, rates.")]
    public string? Table { get; set; }

    [Input]
    [Option("ground-truth", MetaValue = "CIRCUIT",
        HelpText = "Judge the circuits by another one: a circuit's file, or ioi or greater-than (GPT-2 small).")]
    public string? GroundTruth { get; set; }

    [Option("resume", HelpText = SharedHelp.Resume)]
    public bool Resume { get; set; }

    /// <summary>The file of a threshold's circuit.</summary>
    public string FileOf(double tau) => Thresholds.Any()
        ? $"{Out[..^Path.GetExtension(Out).Length]}-{AcdcReport.Threshold(tau)}{Path.GetExtension(Out)}"
        : Out;

    /// <inheritdoc />
    public override IEnumerable<NamedPath> FurtherOutputs() => Thresholds.Distinct().Select(tau => new NamedPath("out", FileOf(tau)));

    /// <inheritdoc />
    protected override bool IsRandom => false;

    /// <inheritdoc />
    protected override bool ReadsMetric =>
        !TableNames.Same(Objective, KlObjective) || (TableNames.Same(Order, "score") && Scores is null);

    [Usage(ApplicationAlias = "gradpath")]
    public static IEnumerable<Example> Examples =>
    [
        new("A circuit of the demo model", s_short,
            new AcdcCommandOptions { Model = "demo", Task = "ioi", Limit = 20, Tau = 0.02, Out = "acdc.json", Log = "steps.csv" }),
        new("A curve over thresholds, judged by the circuit of Wang et al.", s_short,
            new AcdcCommandOptions { Model = "gpt2", Task = "ioi", Thresholds = [0.001, 0.01, 0.1], GroundTruth = "ioi",
            Out = "acdc.json" }),
    ];

    /// <summary>The order of the senders.</summary>
    /// <exception cref="UsageException">There is none of this name.</exception>
    public SenderOrder SenderOrder => EnumNames.Parse<SenderOrder>("order", Order);

    /// <summary>Checks the options without opening a file.</summary>
    /// <returns>The thresholds.</returns>
    /// <exception cref="UsageException">An option cannot be used.</exception>
    public double[] Checked()
    {
        CheckShared();
        Objective = EnumNames.Pick("objective", Objective, KlObjective, MetricObjective);
        if (SenderOrder != SenderOrder.Score && Scores is not null)
            throw new UsageException($"--scores does not apply to --order {Order}; --order score takes it.");
        double[] thresholds = [.. Thresholds];
        if (thresholds.Length > 0 && Tau is not null)
            throw new UsageException("--tau and --thresholds do not go together: name one threshold or several.");
        return thresholds.Length > 0 ? thresholds : [Tau ?? new AcdcOptions().Threshold];
    }

    /// <summary>The search's options, but for threshold, scores, ablation and batch size.</summary>
    /// <param name="metric">The metric that <c>--objective metric</c> means.</param>
    public AcdcOptions Settings(Metric? metric) => new()
    {
        Metric = TableNames.Same(Objective, KlObjective) ? BuiltInMetrics.KlDivergence : metric,
        Absolute = Absolute,
        Order = SenderOrder,
        Candidates = Candidates ?? 0,
    };
}
