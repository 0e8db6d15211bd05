using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;
using Gradpath.Host.Sweeps.Plan;

namespace Gradpath.Host.Tests;

public sealed class PlanJsonTests
{
    private const string Full = """
        name: full
        models: [demo, gpt2]
        tasks: [ioi, {name: other, task: sva}]
        methods: [eap-ig, {name: hap, sparsity: [0.9, 0.95], node-masks: true}]
        seeds: 0..2
        metrics: [logit-diff, prob-diff]
        ablations: patching
        prompts: {train: 10, judge: 20}
        sizes: {fractions: [0.1, 0.2], edges: [5]}
        evaluate: [curve, sizes, transfer, stability]
        batch-size: 4
        stability: {resamples: 50}
        device: {device: cpu, threads: 2}
        """;

    [Theory]
    [InlineData(Full)]
    [InlineData(PlanSamples.Needed)]
    public void The_canonical_form_gives_the_plan_back(string text)
    {
        SweepPlan plan = PlanSamples.Read(text);
        SweepPlan back = SweepPlan.FromJson(JsonNode.Parse(plan.ToJson().ToJsonString()), "plan.json");
        Assert.Equal(plan.ToJson().ToJsonString(), back.ToJson().ToJsonString());
        Assert.Equal(plan.Hash, back.Hash);
        Assert.Equal(plan.Methods.Select(m => (m.Label, m.Verb)), back.Methods.Select(m => (m.Label, m.Verb)));
        Assert.Equal(plan.Tasks.Select(t => t with { Line = 0 }), back.Tasks);
        Assert.Equal((plan.Metrics, plan.Evaluate, plan.BatchSize), (back.Metrics, back.Evaluate, back.BatchSize), Same);
        Assert.Equal(plan.Device, back.Device);

        static bool Same(
            (IReadOnlyList<string?> Metrics, SweepEvaluation, int?) a, (IReadOnlyList<string?> Metrics, SweepEvaluation, int?) b) =>
            a.Metrics.SequenceEqual(b.Metrics) && (a.Item2, a.Item3) == (b.Item2, b.Item3);
    }

    [Fact]
    public void Nothing_of_a_plan_is_missing_in_its_canonical_form() =>
        Assert.Equal(PlanKeys.Plan.Order(), PlanSamples.Read(PlanSamples.Needed).ToJson().Select(k => k.Key).Order());

    [Theory]
    [InlineData("# a comment\n\nmethods: eap\ntasks: [ioi]\nmodels:\n- demo\n", true)]
    [InlineData(PlanSamples.Needed + "seeds: 0\nevaluate: curve\nprompts: {judge: 100}\nbatch-size: auto\nstability:\n", null)]
    [InlineData(PlanSamples.Needed + "seeds: 0\nevaluate: curve\nprompts: {judge: 100}\nbatch-size: auto\n", true)]
    [InlineData(PlanSamples.Needed + "seeds: 1\n", false)]
    [InlineData(PlanSamples.Needed + "prompts: {train: 99}\n", false)]
    [InlineData(PlanSamples.Needed + "device: cpu\n", false)]
    [InlineData("models: demo\ntasks: ioi\nmethods: eap-ig\n", false)]
    public void The_hash_is_that_of_what_the_plan_says(string text, bool? same)
    {
        if (same is null) Assert.Throws<GradpathException>(() => PlanSamples.Read(text));
        else Assert.Equal(same, PlanSamples.Read(PlanSamples.Needed).Hash == PlanSamples.Read(text).Hash);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"name": 3}""")]
    public void What_is_no_plan_is_refused(string json) => Assert.Equal(
        "plan.json: no plan as this program writes it",
        Assert.Throws<GradpathException>(() => SweepPlan.FromJson(JsonNode.Parse(json), "plan.json")).Message);
}
