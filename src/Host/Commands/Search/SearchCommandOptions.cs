using CommandLine;
using CommandLine.Text;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Host.Options;
using Gradpath.Programs.Files;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath search</c>: those that searches share.</summary>
[Verb("search", HelpText =
    "Find a circuit with any search and its default settings; searches with more options have commands of their own.")]
internal sealed class SearchCommandOptions : PromptedOptions
{
    private static readonly UnParserSettings s_short = new() { SkipDefault = true };

    [Option("method", Required = true, MetaValue = "SEARCH", ResourceType = typeof(SearchHelp), HelpText = nameof(SearchHelp.Method))]
    public string Method { get; set; } = "";

    [Option("sparsity", MetaValue = "S", ResourceType = typeof(SearchHelp), HelpText = nameof(SearchHelp.Sparsity))]
    [Range(0, 1, AboveLeast = true, BelowMost = true)]
    public double? Sparsity { get; set; }

    [Option("threshold", MetaValue = "T", ResourceType = typeof(SearchHelp), HelpText = nameof(SearchHelp.Threshold))]
    [Range(0, 1e30)]
    public double? Threshold { get; set; }

    [Option("scorer", MetaValue = "METHOD", ResourceType = typeof(SearchHelp), HelpText = nameof(SearchHelp.Scorer))]
    public string? Scorer { get; set; }

    [Output(IsGraph = true, KeepsProgress = true)]
    [Option("out", Required = true, MetaValue = "FILE", HelpText = "Write the circuit: .json or .safetensors.")]
    public string Out { get; set; } = "";

    [Option("resume", HelpText = SharedHelp.Resume)]
    public bool Resume { get; set; }

    /// <inheritdoc />
    protected override bool IsRandom => Search().Takes(SearchSettings.Seed);

    /// <inheritdoc />
    protected override bool ReadsMetric => Search().ReadsMetricByDefault || (Search().NeedsScorer && ScoringMethod().HasMetric);

    [Usage(ApplicationAlias = "gradpath")]
    public static IEnumerable<Example> Examples =>
    [
        new(
            "A circuit of the demo model by ACDC", s_short,
            new SearchCommandOptions { Model = "demo", Task = "ioi", Limit = 20, Method = "acdc", Threshold = 0.02, Out = "circuit.json" }),
    ];

    /// <summary>The search.</summary>
    /// <exception cref="UsageException">There is none of this name.</exception>
    public CircuitSearch Search() => CircuitSearches.TryFind(Method, out CircuitSearch? search)
        ? search
        : throw new UsageException($"--method {Method}: {CircuitSearches.Unknown(Method)}.");

    /// <summary>The method that scores.</summary>
    /// <exception cref="UsageException">There is none of this name.</exception>
    public AttributionMethod ScoringMethod() => MethodNames.Parse("scorer", Scorer ?? AttributionMethods.Eap.Name);

    /// <summary>The search's options, but for the scorer, after all checks that need no model.</summary>
    /// <exception cref="UsageException">An option cannot be used.</exception>
    public SearchOptions Checked()
    {
        SearchOptions options = Settings();
        ProgressFile.Check(Out, Resume);
        return options;
    }

    /// <summary>The same without a look at the result's file.</summary>
    /// <inheritdoc cref="Checked"/>
    public SearchOptions Settings()
    {
        CheckShared();
        CircuitSearch search = Search();
        ScoringMethod();
        Refuse("sparsity", Sparsity is not null, s => s.Sizing == SearchSizing.Sparsity);
        Refuse("threshold", Threshold is not null, s => s.Sizing == SearchSizing.Threshold);
        Refuse("scorer", Scorer is not null, s => s.NeedsScorer);
        SearchOptions options = (Sparsity ?? Threshold) is { } size ? search.Defaults.At(size) : search.Defaults;
        return options with
        {
            Ablation = EnumNames.Parse<Ablation>("ablation", Ablation),
            BatchSize = BatchSize ?? 0,
            Seed = search.Takes(SearchSettings.Seed) ? (ulong)(Seed ?? 0) : null,
        };

        void Refuse(string option, bool given, Func<CircuitSearch, bool> takes)
        {
            if (!given || takes(search)) return;
            string takers = EnumNames.Choice(CircuitSearches.All.Where(takes).Select(s => s.Name));
            throw new UsageException($"--{option} does not apply to --method {Method}; it is for {takers}.");
        }
    }
}
