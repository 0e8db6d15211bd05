using System.Text;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Host.Sweeps.Plan;
using Gradpath.Host.Sweeps.Store;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Fuzz.Tests;

/// <summary>Files of sweeps: plans, and what a sweep's folder holds.</summary>
internal static class SweepReaders
{
    private const string Key = "0123456789abcdef0123456789abcdef";

    /// <summary>The readers.</summary>
    public static IReadOnlyList<FuzzReader> All { get; } =
    [
        Of("sweep-plan", "plan.yaml", path => PlanReader.Read(path), """
            name: a plan
            models: [demo, gpt2]
            tasks: [ioi, {name: mine, task: sva}]
            methods:
              - eap
              - &search
                name: hap
                sparsity: [0.9, 0.95]
              - <<: *search
                name: edge-prune
              - {name: ensemble, of: [eap, eap-ig], by: max}
            seeds: [0..2, 7]
            prompts: {train: 10, judge: 5}
            sizes: {fractions: [0.1, 0.5], edges: 20}
            evaluate: [curve, sizes]
            device: {threads: 2}
            """, """
            {"models": "demo", "tasks": "ioi", "methods": [{"name": "eap-ig", "steps": 3}],
             "metrics": ["task", "prob-diff"], "batch-size": 4}
            """),
        new("sweep-folder", "plan.json", folder => new FuzzTarget([FolderFile(folder)], path =>
        {
            SweepFolder read = SweepLayout.Open(Path.GetDirectoryName(path)!);
            _ = SweepPlan.FromJson(read.Plan, path);
            _ = read.Units.Select(u => u.Title).ToArray();
        })),
        Of("sweep-result", "result.json", path => UnitResultJson.Read(path),
            Encoding.UTF8.GetString(SealedJson.Write(UnitResultJson.ToJson(Result())))),
        Of("sweep-failure", "failure.json", path => UnitFailure.Read(path),
            UnitFailure.Now(Unit(), "pairs.jsonl: row 3: it is too long", 1).ToJson().ToJsonString()),
    ];

    private static FuzzReader Of(string name, string file, Action<string> read, params string[] samples) =>
        new(name, file, _ => new FuzzTarget([.. samples.Select(s => Encoding.UTF8.GetBytes(s + "\n"))], read));

    private static byte[] FolderFile(string folder)
    {
        string plan = Path.Combine(folder, "given.yaml");
        File.WriteAllText(plan, "models: demo\ntasks: ioi\nmethods: [eap, {name: eap-ig, steps: 3}]\n");
        SweepUnit unit = Unit();
        SweepPlan read = PlanReader.Read(plan);
        SweepLayout.LayOut(folder, read.ToJson(), read.Hash,
        [
            unit,
            unit with { Index = 1, Key = Key[1..] + "0", Part = (1, 2) },
            unit with { Index = 2, Key = Key[2..] + "00", Needs = [Key] },
        ], default);
        return File.ReadAllBytes(Path.Combine(folder, SweepLayout.PlanFile));
    }

    private static SweepUnit Unit() => new()
    {
        Index = 0,
        Key = Key,
        Identity = new JsonObject { ["model"] = "sha256:0" },
        Model = "demo",
        Task = new SweepTask("ioi", "ioi", null, 2),
        Method = new SweepMethod("eap-ig", "score", [("steps", "3")], 3),
        Seed = 1,
        Metric = "logit-diff",
        Ablation = Ablation.Zero,
        Cost = 12.5,
    };

    private static UnitResult Result() => new()
    {
        Key = Key,
        GraphEdges = 40,
        TrainPairs = 6,
        JudgePairs = 4,
        Cpr = 0.3,
        Cmd = double.NaN,
        Passes = double.NaN,
        Seconds = 0.1,
        JudgeSeconds = 0,
        Rows = [new UnitRow { Kind = "size", JudgedOn = "ioi", Fraction = 0.1, EdgesAsked = 4, Edges = 3, Sparsity = 0.9, Kl = 1e-300 }],
        Provenance = new JsonObject { ["method"] = "eap-ig", ["seed"] = 1 },
    };
}
