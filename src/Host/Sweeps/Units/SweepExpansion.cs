using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Host.Sessions;
using Gradpath.Host.Sweeps.Plan;

namespace Gradpath.Host.Sweeps.Units;

/// <summary>
/// Divides a plan into units. Those of one model, task and seed follow each other, so that a process keeps weights and prompts from one to
/// the next.
/// </summary>
internal static class SweepExpansion
{
    /// <summary>The version of results: raised whenever a unit's result changes for the same model, prompts and options.</summary>
    public const int ResultVersion = 1;

    private const int KeyDigits = 32;

    // Most plans are laid out before anybody would look for a bar.
    private static readonly TimeSpan s_silence = TimeSpan.FromSeconds(1);

    /// <summary>For questions whose answer does not depend on it: some settings need a batch size to be read at all.</summary>
    internal static UnitConditions AnyBatch { get; } = new() { BatchSize = 1 };

    /// <summary>
    /// The units of a plan, in its order. Models are opened and hashed, and prompts are made; no pass runs. Prompts that are refused make
    /// units that will fail, beside those of other tasks.
    /// </summary>
    /// <param name="session">The plan with its models and prompts.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <exception cref="GradpathException">A model cannot be used, or none of the prompts; a method does not go with a metric, an ablation
    /// or a model, and the message has the plan's line; two units are one and the same.</exception>
    public static IReadOnlyList<SweepUnit> Units(SweepSession session, CancellationToken cancellation) => ScoringProgress.Run(
        session.Terminal, "prompts and units of the plan", progress => Expand(session, progress, cancellation));

    private static List<SweepUnit> Expand(SweepSession session, IProgress<RunProgress>? progress, CancellationToken cancellation)
    {
        SweepPlan plan = session.Plan;
        TimeProvider time = session.Terminal.Time;
        long start = time.GetTimestamp(), settings = 0, all = plan.Combinations / (plan.Ablations.Count * plan.Methods.Count);
        List<SweepUnit> units = [];
        GradpathException? refused = null;
        bool any = false;
        List<(string Title, bool IsKnown)> circuits = [];
        List<(SweepTask Task, int Shared)> shared = [];
        foreach (string model in plan.Models)
        {
            Gpt2Checkpoint checkpoint = Open(session, model, cancellation);
            RequireEdges(plan, model, new ComputationGraph(checkpoint.Config));
            foreach (SweepTask task in plan.Tasks)
            {
                foreach (int seed in plan.Seeds)
                {
                    foreach (string? metric in plan.Metrics)
                    {
                        SplitPrompts? prompts = Prompts(model, task, seed, metric);
                        any |= prompts is not null;
                        if (prompts is not null && metric == plan.Metrics[0] && plan.Judge > 0) shared.Add((task, prompts.SharedClean()));
                        if (time.GetElapsedTime(start) > s_silence) progress?.Report(new RunProgress(settings, all, ""));
                        settings++;
                        if (prompts is not null && seed == plan.Seeds[0] && metric == plan.Metrics[0])
                            circuits.Add(($"{task.Name} of {model}", IsKnown(model, checkpoint, prompts)));
                        foreach (Ablation ablation in plan.Ablations)
                        {
                            Setting setting = new(model, checkpoint, task, seed, metric, prompts, ablation);
                            foreach (SweepMethod method in plan.Methods) Add(units, session, setting, method, cancellation);
                        }
                    }
                }
            }
        }
        if (!any) throw refused!;
        RequireDistinct(plan, units);
        NoteShared(session, shared);
        if (plan.Evaluate.HasFlag(SweepEvaluation.KnownCircuit)) RequireKnownCircuits(session, circuits);
        return units;

        static bool IsKnown(string model, Gpt2Checkpoint checkpoint, SplitPrompts prompts) =>
            KnownCircuit.Of(checkpoint, ModelLoading.NameOf(model, checkpoint), prompts.Judge.Task) is not null;

        SplitPrompts? Prompts(string model, SweepTask task, int seed, string? metric)
        {
            try
            {
                return session.Prompts(model, task, seed, metric, cancellation);
            }
            catch (GradpathException e)
            {
                refused ??= plan.Source.Fault(task.Line, "tasks", $"{task.Name}: {e.Describe(OptionNames.Of)}", e);
                return null;
            }
        }
    }

    // Of tasks with few prompts the pairs differ, and yet their clean prompts come again.
    private static void NoteShared(SweepSession session, List<(SweepTask Task, int Shared)> shared)
    {
        foreach (IGrouping<SweepTask, int> task in shared.Where(s => s.Shared > 0).GroupBy(s => s.Task, s => s.Shared))
        {
            (int least, int most) = (shared.Where(s => s.Task == task.Key).Min(s => s.Shared), task.Max());
            string count = least == most ? Sizes.Count(most) : $"{Sizes.Count(least)} to {Sizes.Count(most)}";
            session.Terminal.Note($"note: {task.Key.Name}: {count} of the {Sizes.Of(session.Plan.Judge, "prompt pair")} to judge on have a "
                + "clean prompt that circuits are found on too");
        }
    }

    // Precision and recall would be left out of the table without a word.
    private static void RequireKnownCircuits(SweepSession session, List<(string Title, bool IsKnown)> circuits)
    {
        string name = EnumNames.Of(SweepEvaluation.KnownCircuit);
        if (!circuits.Any(c => c.IsKnown))
            throw session.Plan.Source.Fault("evaluate", $"{name}: no task and model of the plan have one; {KnownCircuit.Choice}");
        if (circuits.All(c => c.IsKnown)) return;
        session.Terminal.Note($"note: {name} is measured for {Which(true)}; none is known for {Which(false)}");

        string Which(bool isKnown) => string.Join(", ", circuits.Where(c => c.IsKnown == isKnown).Select(c => c.Title));
    }

    private static Gpt2Checkpoint Open(SweepSession session, string model, CancellationToken cancellation)
    {
        PlanSource source = session.Plan.Source;
        try
        {
            // It was looked for beside the plan first.
            List<string> places = source.Folder is { } folder ? [Path.GetFullPath(model, folder)] : [];
            return ModelLocator.Find(model, places) is not null
                ? session.Checkpoint(model, cancellation)
                : throw new GradpathException(
                    $"{model}: no such model; looked for {string.Join(", ", places.Distinct())}. {ModelLocator.Advice}");
        }
        catch (GradpathException e)
        {
            throw source.ModelFault(model, e.Describe(OptionNames.Of).ReplaceLineEndings(" "), e);
        }
    }

    /// <summary>What the pairs of a plan's other tasks come from, on which a unit's circuits are judged too: their hash by the task's
    /// name.</summary>
    /// <param name="session">The plan with its prompts.</param>
    /// <param name="model">The unit's model.</param>
    /// <param name="task">The unit's task.</param>
    /// <param name="seed">The unit's seed.</param>
    /// <param name="metric">The metric that the plan names; null for each task's own.</param>
    /// <param name="cancellation">Stops the work.</param>
    public static JsonObject Others(
        SweepSession session, string model, SweepTask task, int seed, string? metric, CancellationToken cancellation)
    {
        JsonObject others = [];
        foreach (SweepTask other in session.Plan.Tasks.Where(t => t.Name != task.Name))
        {
            try
            {
                others[other.Name] = session.PairsHash(model, other, seed, metric, cancellation);
            }
            catch (GradpathException)
            {
                others[other.Name] = null;
            }
        }
        return others;
    }

    /// <summary>What a unit's result depends on, see <see cref="SweepUnit.Identity"/>.</summary>
    private static JsonObject IdentityOf(
        SweepSession session, Setting s, SweepMethod method, (int Part, int Of)? part, CancellationToken cancellation)
    {
        SweepPlan plan = session.Plan;
        var graph = new ComputationGraph(s.Checkpoint.Config);
        JsonObject options = method.Verb == "score"
            ? (SweepMethodOptions.Attribution(method, new() { BatchSize = plan.BatchSize }) with { Metric = s.Metric }).Describe()
            : SearchDescription(plan, s, method, graph);
        JsonObject identity = new()
        {
            ["results"] = ResultVersion,
            ["model"] = s.Checkpoint.Hash,
            ["prompts"] = s.Prompts?.Find.Hash,
            ["pairs"] = s.Prompts is null ? null : session.PairsHash(s.Model, s.Task, s.Seed, s.MetricName, cancellation),
            ["task"] = s.Task.Task,
            ["name"] = s.Task.Name,
            ["train"] = plan.Train,
            ["judge"] = plan.Judge,
            ["seed"] = s.Seed,
            ["method"] = method.Name,
            ["options"] = options,
            ["metric"] = s.Metric.Name,
            ["ablation"] = EnumNames.Of(s.Ablation),
            ["batch"] = plan.BatchSize,
            ["precision"] = plan.Device.GetValueOrDefault("precision", "fp32"),
            ["gemm"] = plan.Device.GetValueOrDefault("gemm", "own"),
        };
        if (part is { } p)
        {
            identity["part"] = $"{p.Part}/{p.Of}";
            return identity;
        }
        identity["evaluate"] = new JsonArray([.. Flags(plan.Evaluate).Select(f => JsonValue.Create(f))]);
        identity["fractions"] = new JsonArray([.. plan.Fractions.Select(f => JsonValue.Create(f))]);
        identity["edges"] = new JsonArray([.. plan.Edges.Select(e => JsonValue.Create(e))]);
        if (plan.Evaluate.HasFlag(SweepEvaluation.Stability)) identity["resamples"] = plan.Resamples;
        if (plan.PromptParts > 1 && Divides(method)) identity["parts"] = plan.PromptParts;
        if (plan.Evaluate.HasFlag(SweepEvaluation.Transfer))
            identity["transfer"] = Others(session, s.Model, s.Task, s.Seed, s.MetricName, cancellation);
        return identity;
    }

    private static JsonObject SearchDescription(SweepPlan plan, Setting s, SweepMethod method, ComputationGraph graph)
    {
        SearchOptions search = SweepMethodOptions.Search(method, new UnitConditions
        {
            Metric = s.Metric,
            Ablation = s.Ablation,
            Seed = s.Seed,
            BatchSize = plan.BatchSize,
        }, graph);
        JsonObject json = (search is EdgePruningOptions training ? training.Resolve(graph.EdgeCount) : search).Describe(graph);
        json["scorer"] = SweepMethodOptions.Scorer(method)?.Name;
        if (search is PathTracingOptions paths) json["rounds"] = paths.Rounds;
        return json;
    }

    /// <summary>Whether a method's scores are sums over prompt pairs, which parts can be put together from; those of edges between
    /// spans are not divided.</summary>
    /// <param name="method">The method.</param>
    public static bool Divides(SweepMethod method) =>
        method.Verb == "score" && SweepMethodOptions.Attribution(method, AnyBatch) is { Method.ScoresItems: true, Positions: null };

    /// <summary>The names of evaluations, as a plan has them.</summary>
    /// <param name="evaluate">The evaluations.</param>
    public static IEnumerable<string> Flags(SweepEvaluation evaluate) => Enum.GetValues<SweepEvaluation>()
        .Where(f => f != SweepEvaluation.None && evaluate.HasFlag(f)).Select(f => EnumNames.Of(f));

    private static void Add(
        List<SweepUnit> units, SweepSession session, Setting s, SweepMethod method, CancellationToken cancellation)
    {
        SweepPlan plan = session.Plan;
        Check(plan, s, method);
        double judging = s.Prompts is null ? 0 : UnitCost.Judging(plan, s.Checkpoint.Config, s.Prompts);
        double cost = s.Prompts is null ? 0 : UnitCost.Of(plan, s.Checkpoint.Config, s.Prompts, method);
        if (plan.PromptParts == 1 || !Divides(method))
        {
            units.Add(Unit(null, [], cost));
            return;
        }
        int first = units.Count;
        for (int i = 0; i < plan.PromptParts; i++) units.Add(Unit((i, plan.PromptParts), [], (cost - judging) / plan.PromptParts));
        units.Add(Unit(null, [.. units.Skip(first).Select(p => p.Key)], judging));

        SweepUnit Unit((int Part, int Of)? part, IReadOnlyList<string> needs, double work)
        {
            JsonObject identity = IdentityOf(session, s, method, part, cancellation);
            string key = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(identity.ToJsonString())))[..KeyDigits];
            return new SweepUnit
            {
                Index = units.Count,
                Key = key,
                Identity = identity,
                Model = s.Model,
                ModelName = plan.ModelNames.GetValueOrDefault(s.Model, s.Model),
                Task = s.Task,
                Method = method,
                Seed = s.Seed,
                Metric = s.Metric.Name,
                Ablation = s.Ablation,
                Part = part,
                Needs = needs,
                Cost = work,
            };
        }
    }

    // What the program's verbs would refuse.
    private static void Check(SweepPlan plan, Setting s, SweepMethod method)
    {
        AttributionMethod? scorer =
            method.Verb == "score" ? SweepMethodOptions.Attribution(method, AnyBatch).Method : SweepMethodOptions.Scorer(method);
        try
        {
            if (scorer is not null)
            {
                Scoring.RequireScores(s.Metric, scorer, "leave it out, or name other metrics");
                Scoring.RequireAblation(s.Ablation, scorer, method.Name, "leave it out, or name other ablations");
            }
            if (method.Verb == "score") return;
            ComputationGraph graph = new(s.Checkpoint.Config);
            SearchOptions search = SweepMethodOptions.Search(method, null, graph);
            if (search is EdgePruningOptions training) EdgePruning.CircuitSize(graph, training.Sparsity);
            if (search is PathTracingOptions paths) paths.RequireShare(s.Metric);
            if (s.Prompts is not null) SweepMethodOptions.RequirePositions(method, s.Prompts.Find);
        }
        catch (Exception e) when (e is UsageException or OptionException)
        {
            string what = PlanMethods.Plain((e as OptionException)?.Describe(OptionNames.Of) ?? e.Message);
            throw plan.Source.Fault(method.Line, "methods", $"{method.Label} on {s.Task.Name}: {what}", e);
        }
    }

    private static void RequireEdges(SweepPlan plan, string model, ComputationGraph graph)
    {
        if (plan.Edges.Where(e => e > graph.EdgeCount).Cast<int?>().FirstOrDefault() is not { } more) return;
        throw plan.Source.Fault(
            "sizes: edges", $"{more} is more than {model} has: {Sizes.Of(graph.EdgeCount, "edge")}; give at most so many, or fractions");
    }

    // One model under two names, or a search with a default that is written down and one without. The second would never be computed.
    private static void RequireDistinct(SweepPlan plan, List<SweepUnit> units)
    {
        Dictionary<string, SweepUnit> seen = new(StringComparer.Ordinal);
        foreach (SweepUnit unit in units)
        {
            if (seen.TryAdd(unit.Key, unit)) continue;
            SweepUnit other = seen[unit.Key];
            throw other.Model != unit.Model
                ? plan.Source.ModelFault(unit.Model, $"{other.Model} and {unit.Model} are the same model; leave one out")
                : plan.Source.Fault(
                    unit.Method.Line, "methods", $"{other.Method.Label} and {unit.Method.Label} are the same; leave one out");
        }
    }

    private sealed record Setting(
        string Model, Gpt2Checkpoint Checkpoint, SweepTask Task, int Seed, string? MetricName, SplitPrompts? Prompts, Ablation Ablation)
    {
        /// <summary>The metric; of prompts that were refused, that which they would have had.</summary>
        public Metric Metric => Prompts is not null ? Prompts.Find.Metric
            : MetricName is not null ? BuiltInMetrics.Find(MetricName)
            : Task.Task is not null ? TaskCatalog.Find(Task.Task).Metric : BuiltInMetrics.LogitDifference;
    }
}
