using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Sweeps.Store;
using Gradpath.Host.Sweeps.Units;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Host.Tests;

/// <summary>What units say beside curves and sizes: stability, transfer, the known circuit; and what has no number.</summary>
public sealed class JudgedUnitTests : IDisposable
{
    private readonly UnitSweep _sweep = new();

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    public void Stability_is_that_of_the_command(int seed)
    {
        SweepFolder folder = _sweep.Run($$"""
            tasks: ioi
            methods: [eap, {name: eap-ig, steps: 2, normalization: library}, exact]
            seeds: {{seed}}
            batch-size: 1
            sizes: {edges: [10, 50]}
            evaluate: stability
            stability: {resamples: 30}
            """);
        (string find, string _) = _sweep.Prompts("ioi", seed);
        string items = _sweep["items.safetensors"];
        UnitSweep.Verb("score", "--data", find, "--method", "eap", "--metric", "logit-diff", "--per-item", items, "--top", "0");
        Cli run = Cli.Run(
            "stability", "--per-item", items, "--sizes", "10,50", "--resamples", "30", "--seed", $"{seed}", "--json", "--top", "0");
        JsonNode stability = JsonNode.Parse(run.Out)!;
        UnitResult result = folder.Result(folder.Units[0].Key);
        Assert.Equal(stability["facts"]!["spearman"]!.GetValue<double>(), result.Spearman!.Value);
        Assert.Equal(
            stability["tables"]!["sizes"]!.AsArray().Select(s => ((int)s!["edges"]!, s["jaccard"]!.GetValue<double>())),
            result.Rows.Select(r => (r.Edges, r.Jaccard!.Value)));
        Assert.All(result.Rows, r => Assert.Equal(("stability", "ioi"), (r.Kind, r.JudgedOn)));

        // Scores whose pairs have weights, and those of no pair of their own, have no stability, and are computed all the same.
        foreach (SweepUnit other in folder.Units.Skip(1)) Assert.Empty(folder.Result(other.Key).Rows);
    }

    [Fact]
    public void Circuits_are_judged_on_the_pairs_of_other_tasks()
    {
        SweepFolder folder = _sweep.Run("""
            tasks: [ioi, sva]
            methods: [eap, {name: hap, sparsity: 0.95, steps: 4}]
            sizes: {edges: [40, 200]}
            evaluate: transfer
            """);
        SweepUnit unit = folder.Units.Single(u => u.Task.Name == "ioi" && u.Method.Name == "eap");
        (string _, string judge) = _sweep.Prompts("sva", 0);
        UnitResult result = folder.Result(unit.Key);
        string metric = folder.Units.First(u => u.Task.Name == "sva").Metric;
        Assert.NotEqual(unit.Metric, metric);
        Assert.Equal(["transfer", "transfer"], result.Rows.Select(r => r.Kind));
        foreach (UnitRow row in result.Rows)
        {
            Assert.Equal("sva", row.JudgedOn);
            Assert.Null(row.Metric);
            string file = _sweep[$"{row.EdgesAsked}.json"];
            UnitJudge.CircuitOf(UnitSweep.Scores(folder, unit), row.EdgesAsked!.Value).Save(file);
            JsonNode facts = UnitSweep.Verb("evaluate", "--data", judge, "--metric", metric, "--circuit", file)["facts"]!;
            Assert.Equal(facts["faithfulness"]!.GetValue<double>(), row.Faithfulness!.Value, 1e-6);
            Assert.Equal(facts["faithfulness_ci"]![1]!.GetValue<double>(), row.FaithfulnessHigh!.Value, 1e-6);
        }
        SweepUnit search = folder.Units.Single(u => u.Task.Name == "sva" && u.Method.Name == "hap");
        Assert.Equal([("found", "sva", (int?)null), ("transfer", "ioi", null)],
            folder.Result(search.Key).Rows.Select(r => (r.Kind, r.JudgedOn, r.EdgesAsked)));
    }

    [Fact]
    public void Sizes_of_no_edge_have_circuits_without_edges()
    {
        SweepFolder folder = _sweep.Run("""
            tasks: ioi
            methods: eap
            sizes: {fractions: [0.0001, 1]}
            evaluate: [curve, sizes, stability]
            stability: {resamples: 4}
            """);
        UnitResult result = folder.Result(folder.Units[0].Key);
        UnitRow[] sizes = [.. result.Rows.Where(r => r.Kind == "size")];
        Assert.Equal(
            [(0, 1.0, 0.0), (result.GraphEdges, 0.0, 1.0)],
            sizes.Select(r => (r.Edges, r.Sparsity, Math.Round(r.Faithfulness!.Value, 6))));
        Assert.Equal(result.GraphEdges, Assert.Single(result.Rows, r => r.Kind == "stability").Edges);
    }

    [Fact]
    public void What_is_no_number_is_null_in_the_file_and_none_in_the_table()
    {
        // The corrupted prompts are the clean ones: the full model does exactly as well as the empty circuit.
        File.WriteAllLines(_sweep["same.jsonl"], Enumerable.Range(0, 6).Select(i =>
            $$"""{"clean_ids":[{{i}},2,3],"corrupted_ids":[{{i}},2,3],"answer_ids":[3],"wrong_answer_ids":[4]}"""));
        File.WriteAllText(_sweep["same.yaml"], $$"""
            models: demo
            tasks: {data: {{_sweep["same.jsonl"]}}}
            methods: [{name: random}]
            prompts: {train: 3, judge: 3}
            sizes: {fractions: [0.1, 1]}
            evaluate: [curve, sizes]
            """);
        Cli run = SweepPlans.Run(_sweep["same.yaml"], _sweep["same"]);
        Assert.True(run.ExitCode == 0, run.Error + run.Out);
        SweepFolder folder = SweepLayout.Open(_sweep["same"]);
        UnitResult result = folder.Result(folder.Units[0].Key);
        Assert.True(double.IsNaN(result.Cmd!.Value) && double.IsNaN(result.Cpr!.Value));
        Assert.All(result.Rows, r => Assert.True(double.IsNaN(r.Faithfulness!.Value)));
        Assert.Contains("\"cmd\":null", File.ReadAllText(folder.ResultFile(folder.Units[0].Key)), StringComparison.Ordinal);
        Assert.Contains("\tNaN\t", SweepPlans.Table(folder.Path), StringComparison.Ordinal);
    }

    [Fact]
    public void Clean_prompts_that_circuits_are_found_on_too_are_counted()
    {
        string[] lines = [.. TinyModel.PairLines(6, 5).Split('\n', StringSplitOptions.RemoveEmptyEntries)];
        JsonNode first = JsonNode.Parse(lines[0])!;
        for (int i = 1; i < lines.Length; i++)
        {
            JsonNode pair = JsonNode.Parse(lines[i])!;
            pair["clean_ids"] = first["clean_ids"]!.DeepClone();
            lines[i] = pair.ToJsonString();
        }
        File.WriteAllLines(_sweep["same.jsonl"], lines);
        File.WriteAllText(_sweep["few.yaml"], $$"""
            models: demo
            tasks: [{data: same.jsonl}, {name: apart, data: apart.jsonl}]
            methods: eap
            prompts: {train: 3, judge: 3}
            """);
        File.WriteAllText(_sweep["apart.jsonl"], TinyModel.PairLines(6, 5));
        const string Note = "note: same: 3 of the 3 prompt pairs to judge on have a clean prompt that circuits are found on too\n";
        Assert.Equal(Note, Cli.Run(["sweep", _sweep["few.yaml"], "--check", .. SweepPlans.Cpu]).Error);
        SweepPlans.Run(_sweep["few.yaml"], _sweep["few"]).Succeeds();
        SweepFolder folder = SweepLayout.Open(_sweep["few"]);
        Assert.Equal([3, 0], folder.Units.Select(u => (int)folder.Result(u.Key).Provenance["judge_clean_shared"]!));
    }

    // Of the shape of GPT-2 small and of its name, but narrow and random: the known circuit is one of nodes and edges alone.
    [Fact]
    public void The_known_circuit_is_compared_with()
    {
        string model = _sweep["gpt2"];
        Gpt2Config config = new() { Layers = 12, Heads = 12, Width = 24, InnerWidth = 24, Positions = 8, Vocabulary = 20 };
        using (CpuDevice device = new(1))
        using (Gpt2Weights weights = RandomGpt2Weights.Create(config, 5, device, scale: 0.3f, biasJitter: 0.1f))
        {
            Directory.CreateDirectory(model);
            CheckpointWriter.Write(model, weights);
        }
        File.WriteAllText(_sweep["pairs.jsonl"], TinyModel.PairLines(4, 5));
        File.WriteAllText(_sweep["known.yaml"], $$"""
            models: ./gpt2
            tasks: [{task: ioi, data: pairs.jsonl}, {name: no, data: pairs.jsonl}]
            methods: eap
            prompts: {train: 2, judge: 2}
            sizes: {edges: [1000]}
            evaluate: known-circuit
            """);
        Cli run = SweepPlans.Run(_sweep["known.yaml"], _sweep["known"]);
        run.Succeeds();
        Assert.Contains(
            $"note: known-circuit is measured for ioi of {model}; none is known for no of {model}", run.Error, StringComparison.Ordinal);
        SweepFolder folder = SweepLayout.Open(_sweep["known"]);
        UnitRow row = Assert.Single(folder.Result(folder.Units[0].Key).Rows);
        SetOverlap expected = GroundTruthOverlap.Compare(
            UnitJudge.CircuitOf(UnitSweep.Scores(folder, folder.Units[0]), 1000), GroundTruth.Ioi.Circuit).Edges;
        Assert.Equal((expected.Precision, expected.Recall), (row.Precision, row.Recall));
        UnitRow none = Assert.Single(folder.Result(folder.Units[1].Key).Rows);
        Assert.Equal((null, null, "no"), (none.Precision, none.Recall, none.JudgedOn));
    }

    public void Dispose() => _sweep.Dispose();
}
