using System.Globalization;
using System.Text.RegularExpressions;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Host.Commands;

namespace Gradpath.Host.Sweeps.Plan;

/// <summary>
/// Reads a plan, YAML or JSON. Every message names the file, the line and the key. <c>docs/sweep-plan.schema.json</c> describes the format.
/// </summary>
internal static partial class PlanReader
{
    // What --seed takes; a range of more is a mistake.
    private const int MostSeeds = 10_000;

    /// <summary>Reads a plan and checks all that needs no model and no prompts.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The plan, with defaults in place and lists expanded.</returns>
    /// <exception cref="GradpathException">The file cannot be read, or says what cannot be.</exception>
    public static SweepPlan Read(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        PlanNode root = PlanText.Read(path);
        PlanMap map = new PlanValue(path, "", root).Map(PlanKeys.Plan);
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        PlanValue models = map.Required("models", "one model or several, such as demo or gpt2");
        PlanValue tasks = map.Required("tasks", $"one task or several, such as {Gpt2Runtime.Tasks.TaskCatalog.All[0]}");
        PlanValue methods = map.Required("methods", "one method or several, such as eap-ig");
        SweepPlan plan = new()
        {
            Name = map["name"]?.Text("a name") ?? Path.GetFileNameWithoutExtension(path),
            Models = models.Distinct(m => Model(m.Text("a model"), folder)),
            Tasks = PlanTasks.Read(tasks, folder),
            Methods = PlanMethods.Read(methods),
        };
        plan = plan with
        {
            Source = Source(path, map, models, plan.Models),
            ModelNames = plan.Models.Zip(models.List()).ToDictionary(m => m.First, m => m.Second.Node.Text!),
        };
        if (map["seeds"] is { } seeds) plan = plan with { Seeds = Seeds(seeds) };
        if (map["metrics"] is { } metrics) plan = plan with { Metrics = metrics.Distinct(m => Metric(m, plan)) };
        if (map["ablations"] is { } ablations) plan = plan with { Ablations = ablations.Distinct(a => Ablated(a, plan)) };
        if (map["prompts"] is { } prompts) plan = Prompts(plan, prompts.Map(PlanKeys.Prompts));
        if (map["batch-size"] is { } batch) plan = plan with { BatchSize = BatchSize(batch) };
        if (map["stability"] is { } stability) plan = Stability(plan, stability.Map(PlanKeys.Stability));
        if (map["device"] is { } device) plan = plan with { Device = Device(device) };
        plan = plan with { Evaluate = map["evaluate"] is { } evaluate ? Evaluations(evaluate, plan) : DefaultEvaluation(plan) };
        if (map["sizes"] is { } sizes) plan = CircuitSizes(plan, sizes.Map(PlanKeys.Sizes));
        if (plan.Evaluate.HasFlag(SweepEvaluation.Curve) && plan.Fractions.Count == 0)
            plan = plan with { Fractions = SparsityOptions.DefaultFractions };
        PlanChecks.Check(plan, map);
        return plan;
    }

    // A directory is looked for beside the plan first; anything else is found as --model finds it.
    private static string Model(string given, string folder)
    {
        string path = Path.GetFullPath(given, folder);
        bool isPath = given.StartsWith('.') || (given.Contains('/') && Directory.Exists(path)) || ModelLocator.IsComplete(path);
        return isPath ? path : given;
    }

    private static PlanSource Source(string path, PlanMap map, PlanValue models, IReadOnlyList<string> names)
    {
        Dictionary<string, int> lines = map.Entries.ToDictionary(e => e.Key, e => e.Line);
        if (map["sizes"] is { Node.Entries: { } sizes })
        {
            foreach (PlanEntry entry in sizes) lines[$"sizes: {entry.Key}"] = entry.Line;
        }
        foreach ((PlanValue model, string name) in models.List().Zip(names)) lines[PlanSource.KeyOf(name)] = model.Line;
        return new PlanSource(path, lines);
    }

    private static List<int> Seeds(PlanValue value)
    {
        List<int> seeds = [];
        HashSet<int> seen = [];
        foreach (PlanValue item in value.List())
        {
            (int first, int last) = SeedRange(item);
            if ((long)last - first >= MostSeeds - seeds.Count) throw item.Fault($"more than {Sizes.Count(MostSeeds)} seeds");
            for (int seed = first; seed <= last; seed++)
            {
                if (!seen.Add(seed)) throw item.Fault($"{seed} is there twice");
                seeds.Add(seed);
                if (seed == int.MaxValue) break;
            }
        }
        return seeds;
    }

    private static (int First, int Last) SeedRange(PlanValue value)
    {
        if (value.Node.Text is null || FromTo().Match(value.Node.Text) is not { Success: true } match)
        {
            int seed = value.Integer(PlanKeys.Seed, SeedAdvice(value.Node.Text));
            return (seed, seed);
        }
        bool read = int.TryParse(match.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out int first);
        bool readLast = int.TryParse(match.Groups[2].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out int last);
        if (!read || !readLast) throw value.Fault($"{value.What()}: seeds must be {PlanKeys.Seed}");
        return first <= last ? (first, last) : throw value.Fault($"{value.What()}: the first seed is above the last");
    }

    private static string SeedAdvice(string? text)
    {
        Match match = Span().Match(text ?? "");
        return match.Success
            ? $"the seeds {match.Groups[1]} to {match.Groups[2]} are {match.Groups[1]}..{match.Groups[2]}"
            : "give one, a range such as 0..3, or a list such as [0, 1, 2, 3]";
    }

    private static string? Metric(PlanValue value, SweepPlan plan)
    {
        string name = value.Text("task, or the name of a metric");
        if (TableNames.Same(name, "task")) return null;
        if (BuiltInMetrics.TryFind(name, out Metric? metric)) return metric.Name;
        string[] names =
        [
            .. PlanChecks.Goes(plan, (Metric?)null) ? (string[])["task"] : [],
            .. BuiltInMetrics.All.Where(m => PlanChecks.Goes(plan, m)).Select(m => m.Name),
        ];
        string[] meant = [.. BuiltInMetrics.All.SelectMany(m => new[] { m.Name, m.Title })];
        string others = Others([.. BuiltInMetrics.All.Select(m => m.Name).Except(names)]);
        throw value.Fault($"{PlanValue.Shown(name)}: {TableNames.Unknown("metric", name, names, meant)}{others}");
    }

    private static Ablation Ablated(PlanValue value, SweepPlan plan) => Value<Ablation>(value, one => PlanChecks.Goes(plan, one));

    // Of the values those are named that go with the rest of the plan.
    private static T Value<T>(PlanValue value, Func<T, bool> goes)
        where T : struct, Enum
    {
        string[] names = [.. Enum.GetValues<T>().Where(goes).Select(v => EnumNames.Of(v))];
        string text = value.Text(EnumNames.Choice(names));
        foreach (T one in Enum.GetValues<T>())
        {
            if (TableNames.Same(text, EnumNames.Of(one))) return one;
        }
        string others = Others([.. EnumNames.All<T>().Except(names)]);
        throw value.Fault($"{PlanValue.Shown(text)}: {TableNames.Unknown("value", text, names, EnumNames.All<T>())}{others}");
    }

    private static string Others(string[] names) => names.Length == 0 ? ""
        : $" ({string.Join(", ", names)}: {(names.Length == 1 ? "does" : "do")} not go with the rest of this plan)";

    private static SweepPlan Prompts(SweepPlan plan, PlanMap map) => plan with
    {
        Train = map["train"]?.Integer(PlanKeys.Train) ?? plan.Train,
        Judge = map["judge"]?.Integer(PlanKeys.Judge) ?? plan.Judge,
        PromptParts = map["parts"]?.Integer(PlanKeys.Parts) ?? plan.PromptParts,
    };

    private static int? BatchSize(PlanValue value) =>
        value.Node.Text is { } text && TableNames.Same(text, "auto") ? null : value.Integer(PlanKeys.BatchSize);

    private static SweepPlan Stability(SweepPlan plan, PlanMap map) => plan with
    {
        Resamples = map["resamples"]?.Integer(PlanKeys.Resamples) ?? plan.Resamples,
    };

    private static SweepPlan CircuitSizes(SweepPlan plan, PlanMap map) => plan with
    {
        Fractions = map["fractions"] is { } fractions ? [.. fractions.Distinct(f => f.Number(PlanKeys.Fraction)).Order()] : plan.Fractions,
        Edges = map["edges"] is { } edges ? [.. edges.Distinct(e => e.Integer(PlanKeys.Edges)).Order()] : plan.Edges,
    };

    private static SweepEvaluation Evaluations(PlanValue value, SweepPlan plan)
    {
        IReadOnlyList<SweepEvaluation> all = value.Distinct(
            e => Value<SweepEvaluation>(e, one => PlanChecks.Obstacle(plan, one) is null));
        return all.Count > 1 && all.Contains(SweepEvaluation.None)
            ? throw value.Fault($"{EnumNames.Of(SweepEvaluation.None)} does not go with others")
            : all.Aggregate(SweepEvaluation.None, (sum, one) => sum | one);
    }

    // Curves are of scores; what a search finds has a size of its own.
    private static SweepEvaluation DefaultEvaluation(SweepPlan plan) =>
        plan.Methods.Any(m => m.Verb == SweepMethodOptions.Score) ? SweepEvaluation.Curve : SweepEvaluation.Sizes;

    // A single value is the device itself.
    private static Dictionary<string, string> Device(PlanValue value)
    {
        Dictionary<string, string> options = [];
        if (value.Node.Entries is null) options["device"] = value.Text("the name of a device").ToLowerInvariant();
        else
        {
            PlanMap map = value.Map(PlanKeys.Device);
            foreach (PlanEntry entry in map.Entries) options[entry.Key] = map[entry.Key]!.Text($"a value of {entry.Key}");
        }
        try
        {
            ComputeDevice.Check(VerbWords.Read<ScoreOptions>(
                ["--model=demo", "--task=ioi", .. options.Select(o => $"--{o.Key}={o.Value}")]));
        }
        catch (UsageException e)
        {
            throw value.Fault(PlanMethods.Plain(e.Message));
        }
        return options;
    }

    // What people write for a range elsewhere.
    [GeneratedRegex(@"^(\d+)\s*(?:-|–|:|to|\.{2,3})\s*(\d+)$")]
    private static partial Regex Span();

    [GeneratedRegex(@"^(\d+)\.\.(\d+)$")]
    private static partial Regex FromTo();
}
