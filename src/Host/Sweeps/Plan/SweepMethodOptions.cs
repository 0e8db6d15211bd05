using System.Collections.Concurrent;
using System.Globalization;
using System.Reflection;
using CommandLine;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Host.Commands;
using Gradpath.Host.Options;
using Gradpath.Programs.Files;

namespace Gradpath.Host.Sweeps.Plan;

/// <summary>
/// The options that a plan gives a method: those of the method's verb that are settings of the method. They are found in the verb's class
/// of options, so that one that a verb gets a plan has too, and read and checked by what reads the verb's command line.
/// </summary>
internal static class SweepMethodOptions
{
    /// <summary>The verb of methods that score.</summary>
    public const string Score = "score";

    private static readonly Dictionary<string, Type> s_verbs = new[]
    {
        typeof(ScoreOptions), typeof(PathPatchOptions), typeof(AcdcCommandOptions), typeof(EdgePruneOptions), typeof(HapOptions),
    }.ToDictionary(t => t.GetCustomAttribute<VerbAttribute>()!.Name, StringComparer.Ordinal);

    // What says where a verb runs and on which prompts, which a plan says for all its methods.
    private static readonly Type[] s_shared =
        [typeof(CommandOptions), typeof(DeviceOptions), typeof(ModelPromptOptions), typeof(PromptedOptions)];

    // Options of single verbs that change no result, or say what a plan says elsewhere. Those for files are known by their attributes.
    private static readonly string[] s_elsewhere =
    [
        "method", "seed", "ablation", "batch-size", "resume",
        "top", "per-item-type", "verify", "verify-found", "verify-share",
        "thresholds", "candidates", "no-prune",
        "compare",
        "receivers", "iterate",
    ];

    // Beside them, which a circuit needs that is judged from the input to the logits.
    private const string Input = "input";

    // Reading a command line takes longer than a small unit may wait, and the units of a plan have few settings. Options are immutable.
    private static readonly ConcurrentDictionary<(string Method, UnitConditions Unit), object> s_read = [];
    private static readonly ConcurrentDictionary<string, AttributionMethod?> s_scorers = [];
    private static readonly ConcurrentDictionary<string, PathPatchOptions> s_paths = [];

    /// <summary>The verbs whose options methods take.</summary>
    public static IEnumerable<string> Verbs => s_verbs.Keys;

    /// <summary>The canonical names of all methods: those that score, then searches.</summary>
    public static IEnumerable<string> Names => [.. AttributionMethods.All.Select(m => m.Name), .. CircuitSearches.All.Select(s => s.Name)];

    /// <summary>Finds a method that scores, or a search, by one of its names.</summary>
    /// <param name="name">The name.</param>
    /// <returns>Its canonical name and its verb; null where there is none.</returns>
    public static (string Name, string Verb)? Find(string name)
    {
        if (AttributionMethods.TryFind(name, out AttributionMethod? method)) return (method.Name, Score);
        return CircuitSearches.TryFind(name, out CircuitSearch? search) ? (search.Name, search.Name) : null;
    }

    /// <summary>What to say of a name that no method has.</summary>
    /// <param name="name">The name.</param>
    public static string Unknown(string name) => TableNames.Unknown(
        "method", name, [.. Names],
        [.. AttributionMethods.All.SelectMany(m => m.Aliases), .. CircuitSearches.All.SelectMany(s => s.Aliases)]);

    /// <summary>The options that a verb's methods take in a plan, with the properties that hold them.</summary>
    /// <param name="verb">The verb.</param>
    public static IEnumerable<(PropertyInfo Property, string Name)> Settings(string verb) => OptionWords.All(s_verbs[verb])
        .Where(o => !s_shared.Contains(o.Property.DeclaringType) && !s_elsewhere.Contains(o.Option.LongName))
        .Where(o => o.Property.GetCustomAttribute<InputAttribute>() is null && o.Property.GetCustomAttribute<OutputAttribute>() is null)
        .Select(o => (o.Property, o.Option.LongName));

    /// <summary>Whether a method reads an option of its verb; what it does not read is refused.</summary>
    /// <param name="name">The method's canonical name.</param>
    /// <param name="members">The members that the plan gives an ensemble; none for its own.</param>
    /// <param name="option">One of the verb's <see cref="Settings"/>.</param>
    public static bool Reads(string name, IReadOnlyList<AttributionMethod> members, string option)
    {
        if (!AttributionMethods.TryFind(name, out AttributionMethod? method)) return true;
        bool isEnsemble = method.Members.Count > 0;
        MethodSettings? needed = option switch
        {
            "steps" => MethodSettings.Steps,
            "ig-points" => MethodSettings.IgPoints,
            "preset" => MethodSettings.EmbeddingPath,
            _ when option.StartsWith("path-", StringComparison.Ordinal) => MethodSettings.EmbeddingPath,
            _ => null,
        };
        if (option == "positions") return method.ScoresPositions;
        if (needed is not { } setting) return isEnsemble || option is not ("of" or "by");
        return isEnsemble && members.Count > 0 ? members.Any(m => m.Takes(setting)) : method.Takes(setting);
    }

    /// <summary>The canonical names of the methods that take an option in a plan.</summary>
    /// <param name="option">The option.</param>
    public static IEnumerable<string> Takers(string option) =>
        Names.Where(n => Settings(Find(n)!.Value.Verb).Any(s => s.Name == option) && Reads(n, [], option));

    /// <summary>Whether a verb has an option at all, for messages about those that a plan says elsewhere.</summary>
    /// <param name="verb">The verb.</param>
    /// <param name="option">The option.</param>
    public static bool Has(string verb, string option) => OptionWords.Find(s_verbs[verb], option) is not null;

    /// <summary>A value in the one form in which it is kept: 0.90 and 9e-1 are 0.9.</summary>
    /// <param name="property">The option's property.</param>
    /// <param name="text">The value, as the plan has it; what is no number is left as it is, to be refused later.</param>
    public static string Canonical(PropertyInfo property, string text)
    {
        Type type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        CultureInfo invariant = CultureInfo.InvariantCulture;
        if (type == typeof(int) && int.TryParse(text, NumberStyles.AllowLeadingSign, invariant, out int whole))
            return whole.ToString(invariant);
        return type == typeof(double) && double.TryParse(text, NumberStyles.Float, invariant, out double number) && double.IsFinite(number)
            ? number.ToString("R", invariant)
            : text;
    }

    /// <summary>The settings of a method that scores.</summary>
    /// <param name="method">The method.</param>
    /// <param name="unit">What its unit adds; null for the defaults.</param>
    /// <exception cref="UsageException">An option cannot be used.</exception>
    /// <exception cref="OptionException">An option does not apply to the method.</exception>
    public static AttributionOptions Attribution(SweepMethod method, UnitConditions? unit = null)
    {
        unit ??= new();
        AttributionOptions options = Once(method, unit with { Seed = 0 }, ReadAttribution);
        return options.Seed is null ? options : options with { Seed = (ulong)unit.Seed };
    }

    /// <summary>
    /// The settings of a search, but for what gives the scores that it starts from: <see cref="Scorer"/> says which method that is. It is
    /// the <see cref="SearchOptions.Scorer"/> of HAP, and the <see cref="AcdcOptions.Scores"/> of ACDC in the order of scores. ACDC with
    /// <c>objective=metric</c> goes by the unit's metric, which must be named then.
    /// </summary>
    /// <param name="method">The method.</param>
    /// <param name="unit">What its unit adds; null for the defaults.</param>
    /// <exception cref="UsageException">An option cannot be used.</exception>
    /// <exception cref="OptionException">An option cannot be used with the others.</exception>
    public static SearchOptions Search(SweepMethod method, UnitConditions? unit = null)
    {
        unit ??= new();
        SearchOptions options = Once(method, unit with { Seed = 0 }, ReadSearch);
        return options.Seed is null ? options : options with { Seed = (ulong)unit.Seed };
    }

    /// <summary>The same on a model, whose nodes options may name.</summary>
    /// <param name="method">The method.</param>
    /// <param name="unit">What its unit adds; null for the defaults.</param>
    /// <param name="graph">The model's graph.</param>
    /// <inheritdoc cref="Search(SweepMethod, UnitConditions?)"/>
    public static SearchOptions Search(SweepMethod method, UnitConditions? unit, ComputationGraph graph)
    {
        SearchOptions options = Search(method, unit);
        if (options is not PathTracingOptions paths) return options;
        paths = Paths(method).Named(paths, graph);
        PathReceiver own = new(graph.LogitsColumn, TokenPositions.End);

        // What is written down and is the default has its form.
        return paths with
        {
            Senders = paths.Senders!.Count == graph.Writers ? null : paths.Senders,
            Receivers = paths.Receivers is [var only] && only == own ? null : paths.Receivers,
        };
    }

    /// <summary>Refuses positions that a method names and prompts do not have.</summary>
    /// <param name="method">The method.</param>
    /// <param name="prompts">The prompts that it searches on.</param>
    /// <exception cref="UsageException">A prompt lacks one.</exception>
    public static void RequirePositions(SweepMethod method, PromptSet prompts)
    {
        if (method.Verb == CircuitSearches.PathTracing.Name) Paths(method).RequirePositions(prompts);
    }

    /// <summary>The method that gives the scores which a search starts from, with its default settings; null where it needs none.</summary>
    /// <param name="method">The method.</param>
    /// <exception cref="UsageException">There is no such method.</exception>
    public static AttributionMethod? Scorer(SweepMethod method)
    {
        return method.Verb == Score ? null : s_scorers.GetOrAdd(KeyOf(method), _ => Options(method, new()) switch
        {
            AcdcCommandOptions acdc => acdc.SenderOrder == SenderOrder.Score ? AttributionMethods.Eap : null,
            HapOptions hap => hap.ScoringMethod(),
            _ => null,
        });
    }

    private static T Once<T>(SweepMethod method, UnitConditions unit, Func<SweepMethod, UnitConditions, T> read)
        where T : class => (T)s_read.GetOrAdd((KeyOf(method), unit), _ => read(method, unit));

    // No text of a plan has an end of line.
    private static string KeyOf(SweepMethod method) =>
        string.Join('\n', [method.Verb, method.Name, .. method.Options.SelectMany(o => new[] { o.Option, o.Value })]);

    private static AttributionOptions ReadAttribution(SweepMethod method, UnitConditions unit)
    {
        ScoreOptions o = Read<ScoreOptions>(method);
        AttributionMethod scoring = o.ScoringMethod();
        if (scoring.Takes(MethodSettings.Metric)) o.Metric = unit.Metric?.Name;
        if (scoring.Takes(MethodSettings.Ablation)) o.Ablation = EnumNames.Of(unit.Ablation);
        if (scoring.Takes(MethodSettings.Seed)) o.Seed = unit.Seed;
        o.BatchSizeText = Text(unit.BatchSize);
        return o.Attribution();
    }

    private static SearchOptions ReadSearch(SweepMethod method, UnitConditions unit)
    {
        return Options(method, unit) switch
        {
            AcdcCommandOptions acdc => acdc.Settings(unit.Metric) with
            {
                Threshold = acdc.Checked()[0],
                Ablation = unit.Ablation,
                BatchSize = unit.BatchSize ?? 0,
            },
            HapOptions hap => hap.Settings(hap.Defaults),
            EdgePruneOptions pruning => pruning.Settings(new EdgePruningOptions()),
            PathPatchOptions paths => paths.Tracing() with { BatchSize = unit.BatchSize ?? 0 },
            var other => throw new ArgumentException($"{other.GetType().Name} are no options of a search", nameof(method)),
        };
    }

    private static PromptedOptions Options(SweepMethod method, UnitConditions unit)
    {
        PromptedOptions o = method.Verb switch
        {
            "acdc" => Read<AcdcCommandOptions>(method),
            "edge-prune" => Read<EdgePruneOptions>(method),
            "hap" => Read<HapOptions>(method),
            "path-patch" => ReadPaths(method),
            _ => throw new ArgumentException($"{method.Verb} is the verb of no search", nameof(method)),
        };
        o.Ablation = EnumNames.Of(unit.Ablation);
        o.Seed = unit.Seed;
        o.BatchSizeText = Text(unit.BatchSize);
        return o;
    }

    private static PathPatchOptions Paths(SweepMethod method) => s_paths.GetOrAdd(KeyOf(method), _ => ReadPaths(method));

    // A circuit leads from the input to the logits, so that paths are always followed backwards.
    private static PathPatchOptions ReadPaths(SweepMethod method)
    {
        PathPatchOptions o = Read<PathPatchOptions>(method);
        o.Iterate = true;
        o.Check();
        return o.Senders.Any() && !o.Senders.Any(s => TableNames.Same(s, Input))
            ? throw new UsageException($"--senders {string.Join(',', o.Senders)}: a circuit begins at the input; name {Input} too.")
            : o;
    }

    // What a verb asks for beside settings has a value that nothing looks at.
    private static T Read<T>(SweepMethod method)
        where T : CommandOptions
    {
        List<string> words = ["--model=demo", "--task=ioi"];
        if (OptionWords.Find(typeof(T), "method") is not null) words.Add($"--method={method.Name}");
        if (OptionWords.All(typeof(T)).Any(o => o.Option is { LongName: "out", Required: true })) words.Add("--out=circuit.json");
        foreach ((string option, string value) in method.Options)
        {
            bool isSwitch = OptionWords.Find(typeof(T), option)?.PropertyType == typeof(bool);
            if (!isSwitch) words.Add($"--{option}={value}");
            else if (value == "true") words.Add($"--{option}");
        }
        return VerbWords.Read<T>(words);
    }

    private static string? Text(int? number) => number?.ToString(CultureInfo.InvariantCulture);
}
