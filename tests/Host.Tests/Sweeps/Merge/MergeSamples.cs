using System.Globalization;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Host.Sweeps.Merge;
using Gradpath.Host.Sweeps.Plan;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Tests;

/// <summary>Results of sweeps that nothing was computed for.</summary>
internal static class MergeSamples
{
    public const int GraphEdges = 1000;

    public static SweepMethod Eap { get; } = new("eap", "score", [], 3);

    public static SweepMethod EapIg { get; } = new("eap-ig", "score", [("steps", "5"), ("path-start", "clean")], 4);

    public static SweepMethod Hap(string sparsity) => new("hap", "search", [("sparsity", sparsity), ("draws", "2")], 5);

    public static SweepTask Task(string name) => new(name, name, null, 2);

    public static SweepUnit Unit(
        SweepMethod method, string task, int seed, int index, string model = "demo", string metric = "logit-diff",
        Ablation ablation = Ablation.Patching) => new()
        {
            Index = index,
            Key = index.ToString("x32", CultureInfo.InvariantCulture),
            Identity = new JsonObject { ["model"] = "m" + model, ["prompts"] = "p" + task, ["options"] = new JsonObject() },
            Model = model,
            Task = Task(task),
            Method = method,
            Seed = seed,
            Metric = metric,
            Ablation = ablation,
            Cost = 1,
        };

    public static UnitRow Row(string kind, double faithfulness, double? fraction = 0.05, string judgedOn = "ioi") => new()
    {
        Kind = kind,
        JudgedOn = judgedOn,
        Fraction = fraction,
        EdgesAsked = fraction is { } f ? (int)(f * GraphEdges) : null,
        Edges = 47,
        Sparsity = 0.953,
        Faithfulness = faithfulness,
    };

    public static UnitResult Result(SweepUnit unit, double? cmd, params UnitRow[] rows) => new()
    {
        Key = unit.Key,
        GraphEdges = GraphEdges,
        TrainPairs = 10,
        JudgePairs = 20,
        Cpr = cmd is { } c ? 1 - c : null,
        Cmd = cmd,
        Passes = unit.Method.Verb == "score" ? 3 : double.NaN,
        Seconds = 0.25,
        JudgeSeconds = 1.0 / 3,
        FullMetric = 2.5,
        EmptyMetric = -0.125,
        Rows = rows,
        Provenance = new JsonObject
        {
            ["version"] = "0.2.0",
            ["device"] = "cpu",
            ["precision"] = "fp32",
            ["gemm"] = "own",
            ["created"] = "2025-01-31T12:00:00Z",
        },
    };

    public static MergeInput Input(params (SweepUnit Unit, UnitResult Result)[] done) => new()
    {
        Plan = new SweepPlan
        {
            Name = "plan",
            Models = [.. done.Select(d => d.Unit.Model).Distinct()],
            Tasks = [.. done.Select(d => d.Unit.Task).DistinctBy(t => t.Name)],
            Methods = [.. done.Select(d => d.Unit.Method).DistinctBy(m => m.Label)],
            Seeds = [.. done.Select(d => d.Unit.Seed).Distinct()],
            Ablations = [.. done.Select(d => d.Unit.Ablation).Distinct()],
            Fractions = [0.05, 0.1],
        },
        Units = done.Length,
        Done = done,
    };

    /// <summary>Methods x tasks x seeds with curves, sizes, transfer and stability. Searches lack the last task.</summary>
    public static MergeInput Whole(int seeds, params string[] tasks)
    {
        double[] fractions = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1];
        Random random = new(1);
        List<(SweepUnit, UnitResult)> done = [];
        SweepMethod[] methods = [Eap, EapIg, Hap("0.9"), Hap("0.95")];
        int index = 0;
        foreach (string task in tasks)
        {
            for (int seed = 0; seed < seeds; seed++)
            {
                for (int m = 0; m < methods.Length; m++)
                {
                    SweepUnit unit = Unit(methods[m], task, seed, index++);
                    double Near(double value) => value + (0.1 * (random.NextDouble() - 0.5));
                    if (methods[m].Verb != "score")
                    {
                        if (task == tasks[^1] && tasks.Length > 1) continue;
                        UnitRow found = Row("found", Near(0.8), null, task) with { Kl = Near(0.2), Metric = 1.5, ExactMatch = 0.75 };
                        done.Add((unit, Result(unit, null, [found, .. tasks.Where(t => t != task).Select(t =>
                            Row("transfer", Near(0.1), null, t))])));
                        continue;
                    }
                    int now = m;
                    UnitRow[] rows =
                    [
                        .. fractions.Select(f => Row("curve", Near(Math.Pow(f, 0.3 / (now + 1))), f, task)),
                        .. fractions.Select(f => Row("curve-signed", Near(Math.Pow(f, 0.3)), f, task)),
                        .. new[] { 0.05, 0.1 }.Select(f => Row("size", Near(0.5), f, task) with { Kl = Near(0.4), ExactMatch = 0.5 }),
                        .. tasks.Where(t => t != task).Select(t => Row("transfer", Near(0.2), 0.05, t)),
                        new UnitRow
                        {
                            Kind = "stability", JudgedOn = task, EdgesAsked = 50, Edges = 50, Sparsity = 0.95, Jaccard = Near(0.6),
                        },
                    ];
                    done.Add((unit, Result(unit, Near(0.3 / (m + 1)), rows) with { Spearman = Near(0.9) }));
                }
            }
        }
        return Input([.. done]) with { Units = index };
    }
}
