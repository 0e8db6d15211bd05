using System.Reflection;
using CommandLine;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Host.Commands;

namespace Gradpath.Host.Sweeps.Plan;

/// <summary>The keys of a plan, at each level, and the numbers that they take. <c>docs/sweep-plan.schema.json</c> has the same.</summary>
internal static class PlanKeys
{
    /// <summary>Most combinations of models, tasks, seeds, metrics, ablations and methods.</summary>
    public const int MostCombinations = 1_000_000;

    /// <summary>Most settings of all methods together.</summary>
    public const int MostMethods = 10_000;

    /// <summary>Keys of a plan.</summary>
    public static IReadOnlyList<string> Plan { get; } =
    [
        "name", "models", "tasks", "methods", "seeds", "metrics", "ablations", "prompts", "sizes", "evaluate", "batch-size", "stability",
        "device",
    ];

    /// <summary>Keys of a task.</summary>
    public static IReadOnlyList<string> Task { get; } = ["name", "task", "data"];

    /// <summary>Keys of <c>prompts</c>.</summary>
    public static IReadOnlyList<string> Prompts { get; } = ["train", "judge", "parts"];

    /// <summary>Keys of <c>sizes</c>.</summary>
    public static IReadOnlyList<string> Sizes { get; } = ["fractions", "edges"];

    /// <summary>Keys of <c>stability</c>.</summary>
    public static IReadOnlyList<string> Stability { get; } = ["resamples"];

    /// <summary>Keys of <c>device</c>: the options of devices that machines share; a file of measured plans is one GPU's.</summary>
    public static IReadOnlyList<string> Device { get; } =
    [
        .. OptionWords.All(typeof(ScoreOptions))
            .Where(o => o.Property.DeclaringType == typeof(DeviceOptions) && o.Property.Name != nameof(DeviceOptions.Plans))
            .Select(o => o.Option.LongName),
    ];

    /// <summary>Numbers of <c>seeds</c>.</summary>
    public static RangeAttribute Seed { get; } = RangeOf(typeof(ScoreOptions), "seed");

    /// <summary>Numbers of <c>prompts: train</c>.</summary>
    public static RangeAttribute Train { get; } = new(1, PromptOptions.MostGenerated);

    /// <summary>Numbers of <c>prompts: judge</c>.</summary>
    public static RangeAttribute Judge { get; } = new(0, PromptOptions.MostGenerated);

    /// <summary>Numbers of <c>prompts: parts</c>.</summary>
    public static RangeAttribute Parts { get; } = new(1, 10_000);

    /// <summary>Numbers of <c>sizes: fractions</c>.</summary>
    public static RangeAttribute Fraction { get; } = new(0, 1) { AboveLeast = true };

    /// <summary>Numbers of <c>sizes: edges</c>.</summary>
    public static RangeAttribute Edges { get; } = RangeOf(typeof(StabilityCommandOptions), "sizes");

    /// <summary>Numbers of <c>batch-size</c>.</summary>
    public static RangeAttribute BatchSize { get; } = new(1, 1_000_000);

    /// <summary>Numbers of <c>stability: resamples</c>.</summary>
    public static RangeAttribute Resamples { get; } = RangeOf(typeof(StabilityCommandOptions), "resamples");

    /// <summary>Names of <c>evaluate</c>.</summary>
    public static IReadOnlyList<string> Evaluations { get; } = [.. EnumNames.All<SweepEvaluation>()];

    private static RangeAttribute RangeOf(Type options, string option) =>
        OptionWords.Find(options, option)!.GetCustomAttribute<RangeAttribute>()!;
}
