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

    /// <summary>The units of a plan, in its order. Models are opened and hashed, and prompts are made; no pass runs.</summary>
    /// <param name="session">The plan with its models and prompts.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <exception cref="GradpathException">A model or prompts cannot be used.</exception>
    /// <exception cref="UsageException">A method does not go with a metric, an ablation or a model; the message has the plan's line.</exception>
    public static IReadOnlyList<SweepUnit> Units(SweepSession session, CancellationToken cancellation)
    {
        SweepPlan plan = session.Plan;
        List<SweepUnit> units = [];
        foreach (string model in plan.Models)
        {
            foreach (SweepTask task in plan.Tasks)
            {
                foreach (int seed in plan.Seeds)
                {
                    foreach (string? metric in plan.Metrics)
                    {
                        SplitPrompts prompts = session.Prompts(model, task, seed, metric, cancellation);
                        Gpt2Checkpoint checkpoint = session.Checkpoint(model, cancellation);
                        foreach (Ablation ablation in plan.Ablations)
                        {
                            Setting setting = new(model, checkpoint, task, seed, prompts, ablation);
                            foreach (SweepMethod method in plan.Methods) Add(units, plan, setting, method);
                        }
                    }
                }
            }
        }
        return units;
    }

    /// <summary>What a unit's result depends on, see <see cref="SweepUnit.Identity"/>.</summary>
    private static JsonObject IdentityOf(SweepPlan plan, Setting s, SweepMethod method, (int Part, int Of)? part)
    {
        var graph = new ComputationGraph(s.Checkpoint.Config);
        JsonObject options = method.Verb == "score"
            ? (SweepMethodOptions.Attribution(method) with { Metric = s.Prompts.Find.Metric }).Describe()
            : SearchDescription(plan, s, method, graph);
        JsonObject identity = new()
        {
            ["results"] = ResultVersion,
            ["model"] = s.Checkpoint.Hash,
            ["prompts"] = s.Prompts.Find.Hash,
            ["task"] = s.Prompts.Find.Task,
            ["train"] = plan.Train,
            ["judge"] = plan.Judge,
            ["seed"] = s.Seed,
            ["method"] = method.Name,
            ["options"] = options,
            ["metric"] = s.Prompts.Find.Metric.Name,
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
            identity["transfer"] = new JsonArray([.. plan.Tasks.Select(t => JsonValue.Create(t.Name))]);
        return identity;
    }

    private static JsonObject SearchDescription(SweepPlan plan, Setting s, SweepMethod method, ComputationGraph graph)
    {
        SearchOptions search = SweepMethodOptions.Search(method, new UnitConditions
        {
            Metric = s.Prompts.Find.Metric,
            Ablation = s.Ablation,
            Seed = s.Seed,
            BatchSize = plan.BatchSize,
        });
        JsonObject json = (search is EdgePruningOptions training ? training.Resolve(graph.EdgeCount) : search).Describe(graph);
        json["scorer"] = SweepMethodOptions.Scorer(method)?.Name;
        return json;
    }

    /// <summary>Whether a method's scores are sums over prompt pairs, which parts can be put together from.</summary>
    /// <param name="method">The method.</param>
    public static bool Divides(SweepMethod method) =>
        method.Verb == "score" && SweepMethodOptions.Attribution(method).Method is { } m && m.ScoresItems;

    /// <summary>The names of evaluations, as a plan has them.</summary>
    /// <param name="evaluate">The evaluations.</param>
    public static IEnumerable<string> Flags(SweepEvaluation evaluate) => Enum.GetValues<SweepEvaluation>()
        .Where(f => f != SweepEvaluation.None && evaluate.HasFlag(f)).Select(f => EnumNames.Of(f));

    private static void Add(List<SweepUnit> units, SweepPlan plan, Setting s, SweepMethod method)
    {
        Check(s, method);
        double cost = UnitCost.Of(plan, s.Checkpoint.Config, s.Prompts, method);
        if (plan.PromptParts == 1 || !Divides(method))
        {
            units.Add(Unit(null, [], cost));
            return;
        }
        double judging = UnitCost.Judging(plan, s.Checkpoint.Config, s.Prompts);
        SweepUnit[] parts = [.. Enumerable.Range(0, plan.PromptParts).Select(
            i => Unit((i, plan.PromptParts), [], (cost - judging) / plan.PromptParts))];
        units.AddRange(parts.Select((p, i) => p with { Index = units.Count + i }));
        units.Add(Unit(null, [.. parts.Select(p => p.Key)], judging));

        SweepUnit Unit((int Part, int Of)? part, IReadOnlyList<string> needs, double work)
        {
            JsonObject identity = IdentityOf(plan, s, method, part);
            string key = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(identity.ToJsonString())))[..KeyDigits];
            return new SweepUnit
            {
                Index = units.Count,
                Key = key,
                Identity = identity,
                Model = s.Model,
                Task = s.Task,
                Method = method,
                Seed = s.Seed,
                Metric = s.Prompts.Find.Metric.Name,
                Ablation = s.Ablation,
                Part = part,
                Needs = needs,
                Cost = work,
            };
        }
    }

    // What the program's verbs would refuse.
    private static void Check(Setting s, SweepMethod method)
    {
        Metric metric = s.Prompts.Find.Metric;
        AttributionMethod? scorer =
            method.Verb == "score" ? SweepMethodOptions.Attribution(method).Method : SweepMethodOptions.Scorer(method);
        try
        {
            if (scorer is not null)
            {
                Scoring.RequireScores(metric, scorer, "leave it out, or name other metrics");
                Scoring.RequireAblation(s.Ablation, scorer, method.Name, "leave it out, or name other ablations");
            }
            if (method.Verb != "score" && SweepMethodOptions.Search(method) is EdgePruningOptions training)
                EdgePruning.CircuitSize(new ComputationGraph(s.Checkpoint.Config), training.Sparsity);
        }
        catch (Exception e) when (e is UsageException or OptionException)
        {
            throw new UsageException($"line {method.Line} of the plan, {method.Label} on {s.Task.Name}: {e.Message}");
        }
    }

    private sealed record Setting(
        string Model, Gpt2Checkpoint Checkpoint, SweepTask Task, int Seed, SplitPrompts Prompts, Ablation Ablation);
}
