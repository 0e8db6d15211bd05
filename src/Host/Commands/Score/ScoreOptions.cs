using CommandLine;
using CommandLine.Text;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Positions;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Host.Options;
using Gradpath.Programs.Files;

namespace Gradpath.Host.Commands;

/// <summary>
/// The options of <c>gradpath score</c>. What is not given is null, so that options which do not go with the method are noticed.
/// </summary>
[Verb("score", HelpText = "Score every edge of the model's computational graph on a task.")]
internal sealed class ScoreOptions : ModelPromptOptions
{
    private static readonly UnParserSettings s_short = new() { SkipDefault = true };

    [Option("method", MetaValue = "METHOD", Default = "eap-ig", ResourceType = typeof(MethodHelp), HelpText = nameof(MethodHelp.Method))]
    public string Method { get; set; } = "eap-ig";

    [Option("of", Separator = ',', MetaValue = "METHOD,...",
        HelpText = "The members of ensemble, each with the options that it reads (default: eap-ig,eap-gp).")]
    public IEnumerable<string> Members { get; set; } = [];

    [Option("by", MetaValue = "RULE",
        HelpText = "What ensemble makes of the ranks that its members give an edge: mean-rank (default), min, max or product.")]
    public string? Rule { get; set; }

    [Option("steps", MetaValue = "N", ResourceType = typeof(MethodHelp), HelpText = nameof(MethodHelp.Steps))]
    [Range(1, 10_000)]
    public int? Steps { get; set; }

    [Option("ablation", MetaValue = "KIND", ResourceType = typeof(MethodHelp), HelpText = nameof(MethodHelp.Ablation))]
    public string? Ablation { get; set; }

    [Option("ig-points", MetaValue = "RULE", ResourceType = typeof(MethodHelp), HelpText = nameof(MethodHelp.IgPoints))]
    public string? IgPoints { get; set; }

    [Option("preset", MetaValue = "PRESET",
        ResourceType = typeof(MethodHelp), HelpText = nameof(MethodHelp.Preset))]
    public string? Preset { get; set; }

    [Option("path-objective", MetaValue = "OBJECTIVE",
        HelpText = "What eap-gp's path descends, the distance to the other run's: residual-final (default), residual-final-last, "
        + "logits-all, logits-last, probs-last or metric.")]
    public string? PathObjective { get; set; }

    [Option("path-norm", MetaValue = "SCOPE",
        HelpText = "Normalise eap-gp's steps per item (default) or over the whole batch (batch; results then depend on the batch size).")]
    public string? PathNorm { get; set; }

    [Option("path-eta", MetaValue = "LENGTH",
        HelpText = "Length of eap-gp's steps: distance (default; by which the output comes nearer in equal parts), match (the distance "
        + "between the clean and corrupted embeddings over the number of steps) or 1.")]
    public string? PathEta { get; set; }

    [Option("path-start", MetaValue = "END",
        HelpText = "Where eap-gp's path starts: clean or corrupted, an embedding; or auto (default; clean with --path-eta match or 1): "
        + "pair by pair, at the clean one where the metric's gradient is at least 8 times smaller there than halfway, else at the "
        + "corrupted one.")]
    public string? PathStart { get; set; }

    [Option("path-direction", MetaValue = "WAY",
        HelpText = "Where eap-gp's steps lead: gradient, line, mixed (halfway between the two) or auto (default: mixed from the clean "
        + "embedding, line from the corrupted one; gradient with --path-eta match or 1).")]
    public string? PathDirection { get; set; }

    [Option("path-outer", MetaValue = "FACTOR",
        HelpText = "Multiply eap-gp's gradients with the writer's full difference (delta; default) or with its change from step to step "
        + "(path).")]
    public string? PathOuter { get; set; }

    [Option("positions", MetaValue = "KIND", ResourceType = typeof(MethodHelp), HelpText = nameof(MethodHelp.Positions))]
    public string? Positions { get; set; }

    [Option("normalization", MetaValue = "RULE",
        HelpText = "item: mean over prompt pairs (default); library: as the EAP-IG library, which also divides by the batch size (needs "
        + "--batch-size).")]
    public string? Normalization { get; set; }

    [Option("seed", MetaValue = "N", ResourceType = typeof(MethodHelp), HelpText = nameof(MethodHelp.Seed))]
    [Range(0, int.MaxValue)]
    public int? Seed { get; set; }

    [Output(IsGraph = true)]
    [Option("out", MetaValue = "FILE", HelpText = "Write the scores: .json (the EAP-IG library's format) or .safetensors.")]
    public string? Out { get; set; }

    [Option("resume", HelpText =
        "exact, and ensembles of it: go on with a run of the same options that was stopped; its work is in the file --out with .progress "
        + "behind it.")]
    public bool Resume { get; set; }

    [Output(".csv")]
    [Option("record-path", MetaValue = "FILE.csv", ResourceType = typeof(MethodHelp), HelpText = nameof(MethodHelp.RecordPath))]
    public string? RecordPath { get; set; }

    [Output(".safetensors")]
    [Option("per-item", MetaValue = "FILE.safetensors", HelpText =
        "Also write the scores of every prompt pair [N, F, K], for 'gradpath stability'; each pair is a batch of its own then (gradient "
        + "methods).")]
    public string? PerItem { get; set; }

    [Option("per-item-type", MetaValue = "TYPE", HelpText = "How --per-item keeps scores: f32 (default) or f16, half as large.")]
    public string? PerItemType { get; set; }

    [Input]
    [Option("per-item-edges", MetaValue = "CIRCUIT", HelpText =
        "Let --per-item keep the scores of this circuit's edges alone [N, E], such as the strongest of 'gradpath circuit --top-n'.")]
    public string? PerItemEdges { get; set; }

    [Option("verify", MetaValue = "N", HelpText =
        "Ablate N random subsets of the edges that rank below the strongest, and bound how strong an edge may be that the ranking missed "
        + "(methods with a metric).")]
    [Range(4, 1_000_000)]
    public int? Verify { get; set; }

    [Option("verify-found", MetaValue = "N", HelpText =
        "How many of the strongest edges --verify takes for found (default: a twentieth of all).")]
    [Range(1, 100_000_000)]
    public int? VerifyFound { get; set; }

    [Option("verify-share", MetaValue = "SHARE", HelpText = "In which share of --verify's subsets every other edge is (default: 0.1).")]
    [Range(0, 0.5, AboveLeast = true)]
    public double? VerifyShare { get; set; }

    [Option("top", MetaValue = "N", Default = 20, HelpText = "How many of the strongest edges to show.")]
    [Range(0, 100_000_000)]
    public int Top { get; set; } = 20;

    /// <summary>Whether what has been done is kept on the way, beside the result.</summary>
    public bool Saves => Out is not null && !OutputTarget.Of(Out).IsStream && MethodSaves;

    // What is misspelt is refused elsewhere.
    private bool MethodSaves => AttributionMethods.TryFind(Method, out AttributionMethod? m)
        && (m.Saves || (m.Members.Count > 0 && Members.Any(n => AttributionMethods.TryFind(n, out AttributionMethod? own) && own.Saves)));

    /// <summary>Whether scores per prompt pair are kept as float16.</summary>
    public bool HalvesItems => EnumNames.Pick("per-item-type", PerItemType ?? "f32", "f32", "f16") == "f16";

    /// <inheritdoc />
    public override IEnumerable<NamedPath> FurtherOutputs() => Saves ? FileChecks.Beside("out", Out!) : [];

    [Usage(ApplicationAlias = "gradpath")]
    public static IEnumerable<Example> Examples =>
    [
        new("EAP-IG on the model that ships with the program", s_short,
            new ScoreOptions { Model = "demo", Task = "ioi", Out = "scores.json" }),
        new("EAP-GP on GPT-2 small with prompts of your own", s_short,
            new ScoreOptions { Model = "gpt2", Data = "pairs.jsonl", Method = "eap-gp", Out = "scores.safetensors" }),
        new("Edges between the spans that prompts name", s_short,
            new ScoreOptions { Model = "demo", Task = "ioi", Positions = "spans", Out = "spans.json" }),
        new("Edges that two methods rank high", s_short,
            new ScoreOptions { Model = "demo", Task = "ioi", Method = "ensemble", Members = ["eap-ig", "relp"], Rule = "min" }),
    ];

    /// <summary>The method with its options, checked. The metric stays open where the user named none.</summary>
    /// <exception cref="UsageException">A value is unknown.</exception>
    /// <exception cref="OptionException">An option does not apply to the method or cannot be used.</exception>
    public AttributionOptions Attribution()
    {
        AttributionMethod method = ScoringMethod();
        AttributionOptions options = new()
        {
            Method = method,
            Metric = Metric is null ? null : MetricNames.Parse("metric", Metric),
            Steps = Steps,
            Ablation = Value<Ablation>("ablation", Ablation),
            IgPoints = Value<IgPoints>("ig-points", IgPoints),
            EmbeddingPath = EmbeddingPath(method),
            Normalization = Value<ScoreNormalization>("normalization", Normalization) ?? ScoreNormalization.Item,
            BatchSize = BatchSize ?? 0,
            Seed = method.Takes(MethodSettings.Seed) ? (ulong)Math.Max(0, Seed ?? 0) : null,
            RecordPath = RecordPath is not null,
            Positions = Value<PositionMode>("positions", Positions),
        };
        AttributionChecks.CheckOptions(options);
        string? sums = Positions is null ? null : PerItem is not null ? "per-item" : Verify is not null ? "verify" : null;
        if (sums is not null) throw new UsageException($"--positions {Positions} does not go with --{sums}, which knows no spans.");
        if (PerItem is not null) ItemScores.Check(options);
        else if (PerItemType is not null) throw new UsageException("--per-item-type needs --per-item: the file whose type it is.");
        else if (PerItemEdges is not null) throw new UsageException("--per-item-edges needs --per-item: the file that keeps their scores.");
        _ = HalvesItems;
        CheckVerification(method);
        return options;
    }

    /// <summary>The method; an ensemble with its members.</summary>
    /// <exception cref="UsageException">A name is unknown, or the method has no members.</exception>
    public AttributionMethod ScoringMethod()
    {
        AttributionMethod method = MethodNames.Parse("method", Method);
        if (method.Members.Count == 0)
        {
            string? unread = Members.Any() ? "of" : Rule is not null ? "by" : null;
            return unread is null ? method
                : throw new UsageException($"--{unread} does not apply to --method {method}; {AttributionMethods.Ensemble} takes it.");
        }
        return Ensemble.Of(
            Members.Any() ? [.. Members.Select(m => MethodNames.Member("of", m))] : method.Members,
            Value<EnsembleRule>("by", Rule) ?? method.Rule);
    }

    /// <summary>The prompts that the options name.</summary>
    /// <param name="options">The method with its options.</param>
    public PromptRequest Prompts(AttributionOptions options) => new()
    {
        Task = Task,
        Data = Data,
        Limit = Limit,
        Skip = Skip,
        Sample = Sample,
        Split = Split,
        Seed = Seed,
        SeedsMethod = options.Method.Takes(MethodSettings.Seed) || Verify is not null,
        Metric = options.Metric,
        ReadsMetric = options.Method.HasMetric,
        Answer = Answer,
        NoBos = NoBos,
        HardCorruption = HardCorruption,
    };

    /// <summary>How missed edges are looked for; null where they are not.</summary>
    /// <param name="options">The method with its options.</param>
    public MissedEdgesOptions? Verification(AttributionOptions options) => Verify is not { } checks ? null : new MissedEdgesOptions
    {
        Evaluation = new()
        {
            Metric = options.Metric,
            Ablation = options.Ablation ?? Gpt2Runtime.Runs.Ablation.Patching,
            BatchSize = options.BatchSize,
        },
        Checks = checks,
        Found = VerifyFound,
        Share = VerifyShare ?? new MissedEdgesOptions().Share,
        Seed = (ulong)(Seed ?? 0),
    };

    private void CheckVerification(AttributionMethod method)
    {
        string? unread = VerifyFound is not null ? "verify-found" : VerifyShare is not null ? "verify-share" : null;
        if (Verify is null && unread is not null)
            throw new UsageException($"--{unread} needs --verify: the number of subsets to measure.");
        if (Verify is null || method.HasMetric) return;
        string others = EnumNames.Choice(AttributionMethods.All.Where(m => m.HasMetric && m.Name != method.Name).Select(m => m.Name));
        throw new UsageException($"--verify does not apply to --method {method}, which has no metric to measure by; {others} take it.");
    }

    // What is given beside a preset takes its place.
    private EmbeddingPathOptions EmbeddingPath(AttributionMethod method)
    {
        EmbeddingPathOptions preset = new();
        if (Preset is not null)
        {
            EmbeddingPathPreset chosen = EmbeddingPathPreset.All.First(p => p.Name == EnumNames.Pick(
                "preset", Preset, [.. EmbeddingPathPreset.All.Select(p => p.Name)]));
            string takers = method.Members.Count > 0
                ? $"of the members {string.Join(", ", method.Members)} none takes it; name {AttributionMethods.EapGp} with --of"
                : $"it is for {AttributionMethods.EapGp}";
            if (!method.Takes(MethodSettings.EmbeddingPath))
                throw new UsageException($"--preset {Preset} does not apply to --method {method}; {takers}.");
            preset = chosen.Options;
        }
        EmbeddingPathOptions path = new EmbeddingPathOptions
        {
            Objective = Value<EmbeddingPathObjective>("path-objective", PathObjective),
            Norm = Value<EmbeddingPathNorm>("path-norm", PathNorm),
            Step = Value<EmbeddingPathStep>("path-eta", PathEta),
            Start = Value<EmbeddingPathStart>("path-start", PathStart),
            Outer = Value<EmbeddingPathOuter>("path-outer", PathOuter),
            Direction = Value<EmbeddingPathDirection>("path-direction", PathDirection),
        }.Or(preset);

        // The library's message would name the objective, which the preset gave.
        if (preset == EmbeddingPathOptions.Published && PathDirection is not null && !EmbeddingPathSettings.Of(path).FollowsObjective)
        {
            throw new UsageException(
                $"--preset {Preset} does not go with --path-direction {EnumNames.Of(path.Direction!.Value)}: its steps follow the logits' "
                + "distance, and such a line the embeddings alone; leave one of the two out.");
        }
        return path;
    }

    private static T? Value<T>(string option, string? text)
        where T : struct, Enum => text is null ? null : EnumNames.Parse<T>(option, text);
}
