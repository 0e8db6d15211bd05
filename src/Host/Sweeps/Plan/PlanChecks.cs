using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Host.Sessions;

namespace Gradpath.Host.Sweeps.Plan;

/// <summary>Refuses plans whose parts do not go together: combinations that could not be computed, and keys that decide nothing.</summary>
internal static class PlanChecks
{
    private const SweepEvaluation AtSizes = SweepEvaluation.Sizes | SweepEvaluation.KnownCircuit | SweepEvaluation.Overlap
        | SweepEvaluation.Stability | SweepEvaluation.Transfer;

    /// <summary>Checks a plan.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="map">Its file, for the lines.</param>
    /// <exception cref="GradpathException">It cannot be done.</exception>
    public static void Check(SweepPlan plan, PlanMap map)
    {
        if ((double)plan.Models.Count * plan.Tasks.Count * plan.Seeds.Count * plan.Metrics.Count * plan.Ablations.Count * plan.Methods.Count
            > PlanKeys.MostCombinations)
        {
            throw map.Value.Fault($"the lists make more than {Sizes.Count(PlanKeys.MostCombinations)} units; make several plans");
        }
        if ((long)plan.Train + plan.Judge > PromptOptions.MostGenerated)
            throw map["prompts"]!.Fault($"train and judge are more than {Sizes.Count(PromptOptions.MostGenerated)} pairs together");
        CheckMetrics(plan, map);
        CheckMethods(plan, map["methods"]!);
        CheckParts(plan, map);
        CheckSizes(plan, map);
        CheckEvaluations(plan, map);
    }

    /// <summary>Whether all methods of a plan go with a metric, whatever else the plan says.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="metric">The metric; null for each task's own.</param>
    public static bool Goes(SweepPlan plan, Metric? metric) => plan.Tasks.All(
        t => Goes(plan, new UnitConditions { Metric = metric ?? MetricOf(null, t), BatchSize = 1 }));

    /// <summary>Whether all methods of a plan go with an ablation, whatever else the plan says.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="ablation">The ablation.</param>
    public static bool Goes(SweepPlan plan, Ablation ablation) =>
        Goes(plan, new UnitConditions { Metric = BuiltInMetrics.LogitDifference, Ablation = ablation, BatchSize = 1 });

    /// <summary>Why an evaluation cannot be done; null where it can.</summary>
    /// <param name="plan">The plan, with its models, tasks, methods and prompts.</param>
    /// <param name="evaluation">The evaluation.</param>
    public static string? Obstacle(SweepPlan plan, SweepEvaluation evaluation) => evaluation switch
    {
        SweepEvaluation.Curve when !plan.Methods.Any(Scores) =>
            "the methods are searches, whose circuits have one size; evaluate sizes",
        SweepEvaluation.KnownCircuit when !plan.Tasks.Any(t => t.Task is null || GroundTruth.Find(t.Task) is not null) =>
            $"no task of the plan has one; {KnownCircuit.Choice}",
        SweepEvaluation.Overlap when plan.Methods.Count < 2 => "circuits of two methods are compared, and there is one",
        SweepEvaluation.Stability when !plan.Methods.Any(HasItems) => "no method has scores per prompt pair; "
            + $"{EnumNames.Choice(AttributionMethods.All.Where(m => m.ScoresItems).Select(m => m.Name))} have",
        SweepEvaluation.Stability when plan.Train < 2 => "data sets are drawn from the pairs to train on, and there is one",
        SweepEvaluation.Transfer when plan.Tasks.Count < 2 => "circuits are judged on the pairs of another task, and there is one task",
        SweepEvaluation.Transfer when plan.Judge == 0 => "pairs are needed that no circuit was found on: prompts: judge above 0",
        _ => null,
    };

    private static bool Goes(SweepPlan plan, UnitConditions unit)
    {
        try
        {
            foreach (SweepMethod method in plan.Methods) CheckUnit(method, unit);
            return true;
        }
        catch (Exception e) when (e is UsageException or OptionException)
        {
            return false;
        }
    }

    private static bool Scores(SweepMethod method) => method.Verb == SweepMethodOptions.Score;

    private static Metric MetricOf(string? name, SweepTask task) => name is not null ? BuiltInMetrics.Find(name)
        : task.Task is null ? BuiltInMetrics.LogitDifference : TaskCatalog.Find(task.Task).Metric;

    // Of two that are one and the same a table would have every row twice.
    private static void CheckMetrics(SweepPlan plan, PlanMap map)
    {
        if (!plan.Metrics.Contains(null)) return;
        foreach (SweepTask task in plan.Tasks)
        {
            string own = MetricOf(null, task).Name;
            if (plan.Metrics.Contains(own))
                throw map["metrics"]!.Fault($"task is {own} for {task.Name}, which is there too; leave task or {own} out");
        }
    }

    private static void CheckMethods(SweepPlan plan, PlanValue methods)
    {
        Metric[] metrics = [.. plan.Metrics.SelectMany(m => plan.Tasks.Select(t => MetricOf(m, t))).Distinct()];
        Dictionary<string, SweepMethod> settings = new(StringComparer.Ordinal);
        foreach (SweepMethod method in plan.Methods)
        {
            foreach (Metric metric in metrics)
            {
                foreach (Ablation ablation in plan.Ablations)
                {
                    UnitConditions unit = new() { Metric = metric, Ablation = ablation, BatchSize = plan.BatchSize };
                    PlanMethods.Guard(methods, method, () => CheckUnit(method, unit));
                }
            }
            if (!Scores(method)) continue;
            // The default may be written down or not.
            AttributionOptions options = SweepMethodOptions.Attribution(method, new() { BatchSize = 1 });
            string described = $"{method.Name} {options.Normalization} {options.Describe().ToJsonString()}";
            if (settings.TryGetValue(described, out SweepMethod? same))
            {
                throw methods.Fault(method.Line,
                    $"{PlanValue.Shown(method.Label)} and {PlanValue.Shown(same.Label)} (line {same.Line}) are the same; leave one out");
            }
            settings[described] = method;
        }
    }

    private static void CheckUnit(SweepMethod method, UnitConditions unit)
    {
        const string MetricAdvice = "leave the metric or the method out";
        AttributionMethod? scoring;
        string what;
        if (Scores(method))
        {
            scoring = SweepMethodOptions.Attribution(method, unit).Method;
            what = scoring.Name;
        }
        else
        {
            if (SweepMethodOptions.Search(method, unit) is PathTracingOptions paths) paths.RequireShare(unit.Metric!);
            scoring = SweepMethodOptions.Scorer(method);
            what = $"the scorer {scoring?.Name}";
        }
        if (scoring is null) return;
        Scoring.RequireScores(unit.Metric!, scoring, MetricAdvice);
        Scoring.RequireAblation(unit.Ablation, scoring, what, "leave the ablation or the method out");
    }

    private static void CheckParts(SweepPlan plan, PlanMap map)
    {
        if (plan.PromptParts == 1) return;
        PlanValue parts = map["prompts"]!.Map(PlanKeys.Prompts)["parts"]!;
        if (plan.PromptParts > plan.Train)
            throw parts.Fault($"{plan.PromptParts} parts of {Sizes.Of(plan.Train, "pair")}; give at most so many");
        if (plan.Ablations.Contains(Ablation.MeanPositional))
            throw parts.Fault($"ablation {EnumNames.Of(Ablation.MeanPositional)} takes its means over all pairs, which no part has");
        foreach (SweepMethod method in plan.Methods)
        {
            if (!Scores(method)) throw parts.Fault($"{method.Name} searches, and needs all pairs at once; only scores are sums over parts");
            PlanMethods.Guard(
                parts, method, () => ItemScores.Check(SweepMethodOptions.Attribution(method, new() { BatchSize = 1 })), _ => parts.Line);
        }
    }

    private static void CheckSizes(SweepPlan plan, PlanMap map)
    {
        bool scores = plan.Methods.Any(Scores);
        bool sizes = (plan.Evaluate & AtSizes) != 0;
        if (map["sizes"] is { } given)
        {
            string others = EnumNames.Choice(
                Enum.GetValues<SweepEvaluation>().Where(e => AtSizes.HasFlag(e) && e != SweepEvaluation.None).Select(e => EnumNames.Of(e)));
            if (given.Node.Entries!.Count == 0) throw given.Fault("nothing is given; name fractions or edges, or leave it out");
            if (!scores) throw given.Fault("decides nothing: the methods are searches, whose circuits have sizes of their own");
            if (!sizes && plan.Edges.Count > 0) throw given.Fault($"edges decide nothing: evaluate has none of {others}");
            if (!sizes && !plan.Evaluate.HasFlag(SweepEvaluation.Curve))
                throw given.Fault($"decides nothing: evaluate has neither {EnumNames.Of(SweepEvaluation.Curve)} nor any of {others}");
        }
        if (scores && sizes && plan.Fractions.Count + plan.Edges.Count == 0)
            throw map.Value.Fault(map.LineOf("evaluate"), "sizes is needed: fractions or edges, at which circuits are cut from scores");
        if (plan.Evaluate.HasFlag(SweepEvaluation.Curve) && plan.Fractions.Count < 2)
            throw map["sizes"]!.Fault("fractions: a curve has two at least");
    }

    private static void CheckEvaluations(SweepPlan plan, PlanMap map)
    {
        if (map.Has("stability") && !plan.Evaluate.HasFlag(SweepEvaluation.Stability))
            throw map["stability"]!.Fault("decides nothing: evaluate has no stability");
        if (map["evaluate"] is not { } evaluate) return;
        foreach (SweepEvaluation one in Enum.GetValues<SweepEvaluation>().Where(e => plan.Evaluate.HasFlag(e)))
        {
            if (Obstacle(plan, one) is { } obstacle) throw evaluate.Fault($"{EnumNames.Of(one)}: {obstacle}");
        }
    }

    private static bool HasItems(SweepMethod method)
    {
        if (!Scores(method)) return false;
        try
        {
            ItemScores.Check(SweepMethodOptions.Attribution(method, new() { BatchSize = 1 }));
            return true;
        }
        catch (OptionException)
        {
            return false;
        }
    }
}
