using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Host.Sweeps.Plan;

/// <summary>
/// A plan as its file says it, with every default in place and every list expanded. All is checked that needs no model and no prompts.
/// Its units are the combinations of models, tasks, seeds, metrics, ablations and methods.
/// </summary>
internal sealed record SweepPlan
{
    /// <summary>What pages and tables call it: <c>name</c>, or the file's name without its extension.</summary>
    public required string Name { get; init; }

    /// <summary>Models as <c>--model</c> takes them.</summary>
    public required IReadOnlyList<string> Models { get; init; }

    /// <summary>What the file calls those of <see cref="Models"/> that are paths. It decides nothing.</summary>
    public IReadOnlyDictionary<string, string> ModelNames { get; init; } = new Dictionary<string, string>();

    /// <summary>The tasks.</summary>
    public required IReadOnlyList<SweepTask> Tasks { get; init; }

    /// <summary>The methods: one per combination of the values that a method's options list.</summary>
    public required IReadOnlyList<SweepMethod> Methods { get; init; }

    /// <summary>Seeds of prompts and of all random draws.</summary>
    public IReadOnlyList<int> Seeds { get; init; } = [0];

    /// <summary>Metrics by name; null for each task's own.</summary>
    public IReadOnlyList<string?> Metrics { get; init; } = [null];

    /// <summary>What edges outside a circuit carry.</summary>
    public IReadOnlyList<Ablation> Ablations { get; init; } = [Ablation.Patching];

    /// <summary>Prompt pairs that circuits are found on.</summary>
    public int Train { get; init; } = 100;

    /// <summary>Further pairs that circuits are judged on; 0 to judge on those that they were found on.</summary>
    public int Judge { get; init; } = 100;

    /// <summary>Shares of all edges that circuits are cut at, ascending.</summary>
    public IReadOnlyList<double> Fractions { get; init; } = [];

    /// <summary>Numbers of edges that circuits are cut at, ascending.</summary>
    public IReadOnlyList<int> Edges { get; init; } = [];

    /// <summary>What is measured of each unit, beside its circuits' faithfulness.</summary>
    public SweepEvaluation Evaluate { get; init; } = SweepEvaluation.Curve;

    /// <summary>Into how many parts the pairs to score are divided, each a unit of its own; 1 for none.</summary>
    public int PromptParts { get; init; } = 1;

    /// <summary>Prompt pairs per pass; null for as many as memory allows.</summary>
    public int? BatchSize { get; init; }

    /// <summary>Data sets that stability draws.</summary>
    public int Resamples { get; init; } = 200;

    /// <summary>Options of the device by name, such as <c>device</c>, <c>precision</c>, <c>threads</c> and <c>memory</c>; what the command
    /// line gives goes first.</summary>
    public IReadOnlyDictionary<string, string> Device { get; init; } = new Dictionary<string, string>();

    /// <summary>Where it is from. It decides nothing.</summary>
    public PlanSource Source { get; init; } = PlanSource.None;

    /// <summary>How many combinations there are: units, where prompts are not divided.</summary>
    public int Combinations => Models.Count * Tasks.Count * Seeds.Count * Metrics.Count * Ablations.Count * Methods.Count;

    /// <summary>SHA-256 of the canonical form: the same for files that differ in comments, order of keys and written defaults.</summary>
    public string Hash => PlanJson.Hash(this);

    /// <summary>The plan that <see cref="ToJson"/> wrote, without lines.</summary>
    /// <param name="json">The canonical form.</param>
    /// <param name="where">Where it is from, for the message.</param>
    /// <exception cref="Gpt2Runtime.GradpathException">It is something else.</exception>
    public static SweepPlan FromJson(JsonNode? json, string where) => PlanJson.Read(json, where);

    /// <summary>The canonical form: every default in place, no lines, files with their full paths.</summary>
    public JsonObject ToJson() => PlanJson.Write(this);
}
