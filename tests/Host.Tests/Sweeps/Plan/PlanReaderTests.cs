using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Host.Sweeps.Plan;

namespace Gradpath.Host.Tests;

public sealed class PlanReaderTests
{
    [Fact]
    public void What_is_left_out_has_its_default()
    {
        SweepPlan plan = PlanSamples.Read(PlanSamples.Needed, "small.yaml");
        Assert.Equal("small", plan.Name);
        Assert.Equal(["demo"], plan.Models);
        Assert.Equal([new SweepTask("ioi", "ioi", null, 2)], plan.Tasks);
        SweepMethod method = Assert.Single(plan.Methods);
        Assert.Equal(("eap", "score", 3, ""), (method.Name, method.Verb, method.Line, method.Setting));
        Assert.Equal([0], plan.Seeds);
        Assert.Equal([null], plan.Metrics);
        Assert.Equal([Ablation.Patching], plan.Ablations);
        Assert.Equal((100, 100, 1), (plan.Train, plan.Judge, plan.PromptParts));
        Assert.Equal(SparsityOptions.DefaultFractions, plan.Fractions);
        Assert.Empty(plan.Edges);
        Assert.Equal(SweepEvaluation.Curve, plan.Evaluate);
        Assert.Null(plan.BatchSize);
        Assert.Empty(plan.Device);
        Assert.Equal(1, plan.Combinations);
    }

    [Fact]
    public void Every_key_is_read()
    {
        SweepPlan plan = PlanSamples.Read("""
            name: all of it
            models: [demo, gpt2]
            tasks: [IOI, {name: second, task: greater_than}]
            methods: [eap-ig, {name: hap, sparsity: 0.9}]
            seeds: [7, 0..2]
            metrics: [logit-diff, prob_diff]
            ablations: [patching]
            prompts: {train: 20, judge: 10}
            sizes: {fractions: [0.1, 1e-2], edges: [100, 50]}
            evaluate: [sizes, known-circuit, overlap, transfer]
            batch-size: 8
            device: {device: CPU, threads: 2, memory: 4g, precision: fp32}
            """);
        Assert.Equal("all of it", plan.Name);
        Assert.Equal(["demo", "gpt2"], plan.Models);
        Assert.Equal([("ioi", "ioi"), ("second", "greater-than")], plan.Tasks.Select(t => (t.Name, t.Task!)));
        Assert.Equal(["eap-ig", "hap sparsity=0.9"], plan.Methods.Select(m => m.Label));
        Assert.Equal([7, 0, 1, 2], plan.Seeds);
        Assert.Equal(["logit-diff", "prob-diff"], plan.Metrics);
        Assert.Equal((20, 10), (plan.Train, plan.Judge));
        Assert.Equal([0.01, 0.1], plan.Fractions);
        Assert.Equal([50, 100], plan.Edges);
        Assert.Equal(
            SweepEvaluation.Sizes | SweepEvaluation.KnownCircuit | SweepEvaluation.Overlap | SweepEvaluation.Transfer, plan.Evaluate);
        Assert.Equal(8, plan.BatchSize);
        Assert.Equal(("2", "4g", "fp32"), (plan.Device["threads"], plan.Device["memory"], plan.Device["precision"]));
        Assert.Equal(2 * 2 * 2 * 4 * 2, plan.Combinations);
    }

    [Fact]
    public void Lists_of_options_expand_to_their_product_in_the_plan_s_order()
    {
        SweepPlan plan = PlanSamples.Read("""
            models: demo
            tasks: ioi
            methods:
              - {name: EAP_GP, steps: [5, 10], path-start: [auto, clean]}
              - name: hap
                sparsity: [0.90, 9.5e-1]
                node-masks: [true, false]
              - {name: ensemble, of: [[eap-ig, relp], [eap, relp]], by: min}
              - path-patch
            """);
        Assert.Equal(
            [
                "eap-gp steps=5 path-start=auto", "eap-gp steps=5 path-start=clean", "eap-gp steps=10 path-start=auto",
                "eap-gp steps=10 path-start=clean", "hap sparsity=0.9 node-masks=true", "hap sparsity=0.9 node-masks=false",
                "hap sparsity=0.95 node-masks=true", "hap sparsity=0.95 node-masks=false", "ensemble of=eap-ig,relp by=min",
                "ensemble of=eap,relp by=min", "path-patch",
            ],
            plan.Methods.Select(m => m.Label));
        Assert.Equal(["score", "hap", "path-patch"], plan.Methods.Select(m => m.Verb).Distinct());
        Assert.Equal([4, 5, 8, 9], plan.Methods.Select(m => m.Line).Distinct());
    }

    [Fact]
    public void Searches_alone_are_evaluated_at_their_size()
    {
        SweepPlan plan = PlanSamples.Read("models: demo\ntasks: ioi\nmethods: [acdc]\n");
        Assert.Equal(SweepEvaluation.Sizes, plan.Evaluate);
        Assert.Empty(plan.Fractions);
    }

    [Fact]
    public void Files_of_prompts_and_models_are_named_from_the_plan_s_folder()
    {
        using TempFolder folder = new();
        string pairs = folder.Write("data/pairs.jsonl", "");
        string csv = folder.Write("sva.csv", "");
        Directory.CreateDirectory(folder["models/mine"]);
        SweepPlan plan = PlanReader.Read(folder.Write("plan.yaml", """
            models: [models/mine, openai-community/gpt2, ./here]
            tasks: [{data: data/pairs.jsonl}, {task: sva, data: sva.csv}, {name: folder, task: ioi, data: data}]
            methods: eap
            """));
        Assert.Equal([folder["models/mine"], "openai-community/gpt2", folder["here"]], plan.Models);
        Assert.Equal(
            [new("pairs", null, pairs, 2), new("sva", "sva", csv, 2), new SweepTask("folder", "ioi", folder["data"], 2)], plan.Tasks);
    }

    [Fact]
    public void Json_is_a_plan_too()
    {
        string json = """
            {
            	"name": "caf\u00e9 \ud83d\ude00 a\/b",
            	"models": ["demo"], "tasks":["ioi"],
            	"methods": [{"name":"eap-ig","steps":[5,10]}, "eap"],
            	"sizes": {"fractions": [1E-2, 0.5]}, "device": "cpu"
            }
            """;
        SweepPlan plan = PlanSamples.Read(json, "plan.json");
        Assert.Equal("café 😀 a/b", plan.Name);
        Assert.Equal(["eap-ig steps=5", "eap-ig steps=10", "eap"], plan.Methods.Select(m => m.Label));
        Assert.Equal([0.01, 0.5], plan.Fractions);
        Assert.Equal("cpu", plan.Device["device"]);
    }

    [Fact]
    public void Anchors_aliases_and_merge_keys_are_followed()
    {
        SweepPlan plan = PlanSamples.Read("""
            models: demo
            tasks: ioi
            methods:
              - &pruning
                name: edge-prune
                sparsity: &levels [0.9, 0.98]
                steps: 100
              - <<: *pruning
                name: hap
                steps: 50
              - {<<: [{name: acdc, tau: 0.1}, {tau: 0.2, absolute: true}]}
              - {name: edge-prune, sparsity: *levels, steps: 9}
            """);
        Assert.Equal(
            [
                "edge-prune sparsity=0.9 steps=100", "edge-prune sparsity=0.98 steps=100", "hap steps=50 sparsity=0.9",
                "hap steps=50 sparsity=0.98", "acdc tau=0.1 absolute=true",
                "edge-prune sparsity=0.9 steps=9", "edge-prune sparsity=0.98 steps=9",
            ],
            plan.Methods.Select(m => m.Label));
    }

    [Fact]
    public void An_alias_is_no_copy()
    {
        // Seven levels of ten would be ten million values.
        string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + string.Concat(Enumerable.Range(1, 8).Select(
            i => $"a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 10))}]\n"));
        long before = GC.GetAllocatedBytesForCurrentThread();
        PlanNode node = Nodes(bomb);
        Assert.Same(node.Entries![1].Value.Items![0], node.Entries[1].Value.Items![9]);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 << 20);
    }

    [Fact]
    public void Utf_16_is_read_as_everywhere()
    {
        using TempFolder folder = new();
        File.WriteAllText(folder["plan.yaml"], "name: é\n" + PlanSamples.Needed, System.Text.Encoding.Unicode);
        Assert.Equal("é", PlanReader.Read(folder["plan.yaml"]).Name);
    }

    private static PlanNode Nodes(string text)
    {
        using TempFolder folder = new();
        return PlanText.Read(folder.Write("plan.yaml", text));
    }
}
