using System.Text.Json.Nodes;
using Gradpath.Host.Sweeps.Plan;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Tests;

/// <summary>Keys of units: equal where the results are, else not. No device is opened for them.</summary>
public sealed class UnitKeyTests(TinyModel model) : IClassFixture<TinyModel>
{
    private const string Plan = """
        methods: [eap, {name: eap-ig, steps: 2}, {name: hap, sparsity: 0.7, steps: 4}]
        seeds: [3]
        prompts: {train: 3, judge: 2}
        sizes: {fractions: [0.1, 0.5], edges: [5]}
        evaluate: [curve, sizes]
        """;

    [Theory]
    [InlineData("steps: 2", "steps: 3", 1)]
    [InlineData("sparsity: 0.7", "sparsity: 0.6", 1)]
    [InlineData("sparsity: 0.7", "sparsity: 0.7, draws: 2", 1)]
    [InlineData("sparsity: 0.7", "sparsity: 0.7, scorer: eap-ig", 1)]
    [InlineData("seeds: [3]", "seeds: [4]", 3)]
    [InlineData("train: 3", "train: 4", 3)]
    [InlineData("judge: 2", "judge: 3", 3)]
    [InlineData("[0.1, 0.5]", "[0.1, 0.6]", 3)]
    [InlineData("edges: [5]", "edges: [6]", 3)]
    [InlineData("[curve, sizes]", "[curve, sizes, stability]", 3)]
    [InlineData("seeds: [3]", "seeds: [3]\nmetrics: prob-diff", 3)]
    [InlineData("seeds: [3]", "seeds: [3]\nbatch-size: 2", 3)]
    [InlineData("seeds: [3]", "seeds: [3]\nname: another", 0)]
    [InlineData("seeds: [3]", "# a comment\nseeds: 3", 0)]
    [InlineData("seeds: [3]", "seeds: [3]\nmetrics: task", 0)]
    [InlineData("seeds: [3]", "seeds: [3]\nmetrics: logit-diff", 0)]
    [InlineData("seeds: [3]", "seeds: [3]\nablations: patching", 0)]
    [InlineData("seeds: [3]", "seeds: [3]\ndevice: cpu", 0)]
    [InlineData("seeds: [3]", "seeds: [3]\ndevice: {device: cpu, threads: 2, memory: 1GB}", 0)]
    [InlineData("sparsity: 0.7", "sparsity: 0.70", 0)]
    public void A_key_follows_what_decides_the_result(string old, string now, int changed)
    {
        string[] before = Keys(Plan), after = Keys(Plan.Replace(old, now, StringComparison.Ordinal));
        Assert.Equal(before.Length, after.Length);
        int different = before.Zip(after).Count(k => k.First != k.Second);
        Assert.True(different == changed, $"{different} keys changed instead of {changed}");
    }

    [Theory]
    [InlineData("ablations: zero", 1)]
    [InlineData("ablations: mean-positional", 1)]
    [InlineData("ablations: patching", 0)]
    public void The_ablation_decides(string line, int changed)
    {
        const string Eap = "methods: eap\nprompts: {train: 4, judge: 2}\nevaluate: none\n";
        Assert.Equal(changed, Keys(Eap).Zip(Keys(Eap + line)).Count(k => k.First != k.Second));
    }

    // The file is the same, and its texts are other tokens.
    [Fact]
    public void The_vocabulary_decides()
    {
        string copy = model.Path("demo-copy");
        Directory.CreateDirectory(copy);
        foreach (string file in Directory.GetFiles(RepositoryFiles.DemoModel))
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)), true);
        File.WriteAllText(model.Path("words.yaml"), """
            models: ./demo-copy
            tasks: ioi
            methods: eap
            prompts: {train: 4, judge: 2}
            evaluate: none
            """);
        SweepPlan plan = PlanReader.Read(model.Path("words.yaml"));
        string[] before = Keys(plan);
        string vocabulary = Path.Combine(copy, "vocab.json");
        JsonObject words = JsonNode.Parse(File.ReadAllText(vocabulary))!.AsObject();
        int and = (int)words["\u0120and"]!, then = (int)words["\u0120to"]!;
        (words["\u0120and"], words["\u0120to"]) = (then, and);
        File.WriteAllText(vocabulary, words.ToJsonString());
        Assert.NotEqual(before, Keys(plan));
    }

    [Fact]
    public void Parts_and_precision_decide()
    {
        const string Scores = "methods: eap\nprompts: {train: 4, judge: 2}\nevaluate: none\n";
        string whole = Assert.Single(Keys(Scores));
        string[] two = Keys(Scores.Replace("judge: 2", "judge: 2, parts: 2", StringComparison.Ordinal));
        string[] three = Keys(Scores.Replace("judge: 2", "judge: 2, parts: 3", StringComparison.Ordinal));
        Assert.Equal(1 + 3 + 4, new HashSet<string>([whole, .. two, .. three]).Count);
        SweepPlan plan = Read(Scores, "pairs.jsonl");
        string[] keys = [.. new[] { ("precision", "tf32"), ("gemm", "cublas"), ("threads", "9"), ("device", "cuda:1") }
            .Select(o => Assert.Single(Keys(plan with { Device = new Dictionary<string, string> { [o.Item1] = o.Item2 } })))];
        Assert.NotEqual(whole, keys[0]);
        Assert.NotEqual(whole, keys[1]);
        Assert.Equal([whole, whole], keys[2..]);
    }

    [Fact]
    public void The_models_bytes_decide_and_not_its_name()
    {
        string[] before = Keys(Plan);
        string copy = model.Path("copy");
        Directory.CreateDirectory(copy);
        foreach (string file in Directory.GetFiles(model.ModelDirectory)) File.Copy(file, Path.Combine(copy, Path.GetFileName(file)), true);
        Assert.Equal(before, Keys(Plan, "copy"));
        string weights = Path.Combine(copy, "model.safetensors");
        byte[] bytes = File.ReadAllBytes(weights);
        bytes[^1] ^= 1;
        File.WriteAllBytes(weights, bytes);
        Assert.Empty(before.Intersect(Keys(Plan, "copy")));
    }

    [Fact]
    public void The_files_bytes_decide_and_not_its_name()
    {
        File.WriteAllText(model.Path("other.jsonl"), TinyModel.PairLines(6, 5));
        string[] before = Keys(Plan, name: "x"), same = Keys(Plan, data: "other.jsonl", name: "x");
        Assert.Equal(before, same);
        File.AppendAllText(model.Path("other.jsonl"), "\n");
        Assert.Empty(before.Intersect(Keys(Plan, data: "other.jsonl", name: "x")));

        // Rows say by its name on what they were judged.
        Assert.Empty(before.Intersect(Keys(Plan, name: "y")));
    }

    [Fact]
    public void Pairs_of_other_tasks_decide_where_circuits_are_judged_on_them()
    {
        File.WriteAllText(model.Path("second.jsonl"), TinyModel.PairLines(6, 5));
        string[] Both(string evaluate)
        {
            File.WriteAllText(model.Path("both.yaml"), $$"""
                models: ./model
                tasks: [{name: a, data: pairs.jsonl}, {name: b, data: second.jsonl}]
                methods: eap
                prompts: {train: 3, judge: 3}
                sizes: {edges: 5}
                evaluate: {{evaluate}}
                """);
            return Keys(PlanReader.Read(model.Path("both.yaml")));
        }
        string[] apart = Both("sizes"), together = Both("transfer");
        string[] lines = File.ReadAllLines(model.Path("second.jsonl"));
        lines[0] = lines[0].Replace("\"answer_ids\":[3]", "\"answer_ids\":[5]", StringComparison.Ordinal);
        File.WriteAllLines(model.Path("second.jsonl"), lines);
        Assert.Equal([true, false], apart.Zip(Both("sizes")).Select(k => k.First == k.Second));
        Assert.Equal([false, false], together.Zip(Both("transfer")).Select(k => k.First == k.Second));
    }

    [Fact]
    public void Keys_are_the_same_in_another_process()
    {
        string plan = SweepPlans.Tiny(model);
        Child child = Child.Run(new Child.Plan
        {
            Arguments = ["sweep", plan, "--out", "swept", "--device", "cpu", "--threads", "2", "--memory", "512MB"],
            Folder = model.Folder,
        });
        Assert.True(child.ExitCode == 0, child.Error);
        Assert.Equal(SweepPlans.Keys(plan, SweepPlans.Cpu), SweepPlans.Units(model.Path("swept")).Select(u => u.Key));
    }

    private static string[] Keys(SweepPlan plan)
    {
        using SweepSession session = new(
            plan, () => throw new InvalidOperationException("a device was opened"), SweepSamples.Terminal());
        return [.. SweepExpansion.Units(session, default).Select(u => u.Key)];
    }

    private string[] Keys(string plan, string weights = "model", string data = "pairs.jsonl", string? name = null) =>
        Keys(Read(plan, data, weights, name));

    private SweepPlan Read(string plan, string data, string weights = "model", string? name = null)
    {
        string task = name is null ? $"{{data: {data}}}" : $"{{name: {name}, data: {data}}}";
        File.WriteAllText(model.Path("keys.yaml"), $"models: ./{weights}\ntasks: {task}\n{plan}\n");
        return PlanReader.Read(model.Path("keys.yaml"));
    }
}
