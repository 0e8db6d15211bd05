using System.Text.Json;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Host.Tests;

public sealed class EvaluateTests(TinyModel model) : IClassFixture<TinyModel>
{
    [Fact]
    public void The_whole_graph_is_the_full_model_and_a_part_lies_in_between()
    {
        JsonElement whole = Evaluate("whole", 46).RootElement;
        Near(1, whole.GetProperty("faithfulness").GetDouble());
        Near(whole.GetProperty("full").GetDouble(), whole.GetProperty("circuit").GetDouble());
        Assert.Equal((46, 1.0), (whole.GetProperty("n_edges").GetInt32(), whole.GetProperty("exact_match").GetDouble()));

        JsonElement part = Evaluate("part", 20, "--batch-size", "4").RootElement;
        JsonElement[] items = [.. part.GetProperty("items").EnumerateArray()];
        Assert.Equal(6, items.Length);
        foreach (string name in new[] { "full", "circuit", "empty", "kl" })
            Assert.Equal(part.GetProperty(name).GetDouble(), items.Average(i => i.GetProperty(name).GetDouble()), 9);
        double full = part.GetProperty("full").GetDouble(), circuit = part.GetProperty("circuit").GetDouble(),
            empty = part.GetProperty("empty").GetDouble();
        Assert.Equal((circuit - empty) / (full - empty), part.GetProperty("faithfulness").GetDouble(), 9);
        Assert.True(part.GetProperty("faithfulness_ci")[0].GetDouble() <= part.GetProperty("faithfulness_ci")[1].GetDouble());
        Assert.Equal(
            part.GetProperty("exact_match").GetDouble(), items.Average(i => i.GetProperty("exact_match").GetBoolean() ? 1.0 : 0), 9);
        Assert.Equal(part.GetProperty("accuracy").GetDouble(), items.Average(i => i.GetProperty("accurate").GetBoolean() ? 1.0 : 0), 9);
        Assert.Equal("1", items[0].GetProperty("id").GetString());
        Assert.Equal(20, part.GetProperty("n_edges_before_prune").GetInt32());
        JsonElement p = part.GetProperty("gradpath");
        Assert.Equal(("model", "logit-diff", "patching", 4),
            (p.GetProperty("model").GetString(), p.GetProperty("metric").GetString(), p.GetProperty("ablation").GetString(),
            p.GetProperty("batch_size").GetInt32()));
        Assert.Equal("eap", p.GetProperty("circuit").GetProperty("method").GetString());
    }

    [Theory]
    [InlineData("--ablation zero", "ablation zero")]
    [InlineData("--ablation mean-positional", "ablation mean-positional")]
    [InlineData("--metric kl", "metric kl")]
    [InlineData("--metric prob-diff --limit 3", "metric prob-diff", "3 prompt pairs")]
    public void Options_are_read_and_stated(string options, params string[] mentions) =>
        Run(Circuit("options", 20), options.Split(' '))
            .Succeeds([.. mentions, "full model", "empty circuit", "faithfulness", "exact match", "20 before pruning", "nodes", "batch of",
            "time: load", "passes"]);

    [Fact]
    public void Where_there_is_nothing_to_gain_faithfulness_is_null_and_says_why()
    {
        string data = model.Path("same.jsonl");
        File.WriteAllText(data, """{"id":"a","label":"b","clean_ids":[1,2,3],"corrupted_ids":[1,2,3],"answer_ids":[3],"wrong_answer_ids":[4]}""");
        string file = model.Path("none.json");
        Cli.Run("evaluate", "--circuit", Circuit("c", 20), "--model", model.ModelDirectory, "--data", data, "--out", file, "--metric", "kl")
            .Warns(
                "same.jsonl, line 1: clean and corrupted are the same tokens",
                "faithfulness: none, because the full model does exactly as well",
                "none, because the full model's is 0");
        JsonElement json = JsonDocument.Parse(File.ReadAllBytes(file)).RootElement;
        Assert.Equal(JsonValueKind.Null, json.GetProperty("faithfulness").ValueKind);
        Assert.Equal(JsonValueKind.Null, json.GetProperty("faithfulness_ci")[0].ValueKind);
        Assert.Equal(("a", "b"), (json.GetProperty("items")[0].GetProperty("id").GetString(),
            json.GetProperty("items")[0].GetProperty("label").GetString()));
    }

    [Fact]
    public void Pairs_without_answers_have_no_accuracy()
    {
        string data = model.Path("unanswered.jsonl");
        File.WriteAllText(data, """
            {"clean_ids":[1,2,3],"corrupted_ids":[1,4,3]}
            {"clean_ids":[5,2,3],"corrupted_ids":[6,2,3]}
            """);
        string file = model.Path("unanswered.json");
        Cli.Run("evaluate", "--circuit", Circuit("u", 20), "--model", model.ModelDirectory, "--data", data, "--metric", "kl", "--out", file)
            .Succeeds("accuracy", "none");
        JsonElement json = JsonDocument.Parse(File.ReadAllBytes(file)).RootElement;
        Assert.Equal(JsonValueKind.Null, json.GetProperty("accuracy").ValueKind);
        Assert.Equal(JsonValueKind.Null, json.GetProperty("items")[0].GetProperty("accurate").ValueKind);
    }

    [Theory]
    [InlineData("--metric f1", "--metric f1")]
    [InlineData("--ablation none", "--ablation none", "mean-positional")]
    [InlineData("--batch-size 0", "--batch-size 0")]
    [InlineData("--out e.txt", "--out e.txt", ".json")]
    [InlineData("--out nowhere/e.json", "--out", "does not exist")]
    [InlineData("--device tpu", "--device tpu")]
    [InlineData("--task chess", "chess")]
    public void A_wrong_option_is_named(string options, params string[] mentions) =>
        Cli.Run(["evaluate", "--circuit", "c.json", "--model", "nothing", "--data", "p.jsonl", .. options.Split(' ')]).Fails(2, mentions);

    [Fact]
    public void What_cannot_be_evaluated_is_explained()
    {
        Cli.Run("evaluate", "--circuit", "c.json", "--model", "demo").Fails(2, "--task");
        Run(model.Path("missing.json"), []).Fails(1, "missing.json", "no such file");
        Score("scores.json");
        Run(model.Path("scores.json"), []).Fails(1, "scores.json", "no circuit");
        ComputationGraph other = new(3, 2);
        bool[] edges = new bool[other.Writers * other.Readers];
        edges[0] = true;
        CircuitFile.Write(model.Path("other.json"), new Circuit(other, edges));
        Run(model.Path("other.json"), []).Fails(1, "other.json", "3 layers x 2 heads", "2 layers x 2 heads");
    }

    [Fact]
    public void Golden_circuits_have_their_golden_values()
    {
        using JsonDocument golden = JsonDocument.Parse(File.ReadAllBytes(RepositoryFiles.Data("goldens/nano-sort/sort_k2/circuits.json")));
        string weights = RepositoryFiles.Data("models/nano-sort");
        ComputationGraph? graph = null;
        int seen = 0;
        foreach (JsonElement entry in golden.RootElement.GetProperty("circuits").EnumerateArray())
        {
            if (!entry.TryGetProperty("edges_before_prune", out JsonElement names) || names.GetArrayLength() == 0 || seen++ % 5 != 0)
                continue;
            graph ??= GraphOf(weights);
            var circuit = Gradpath.Gpt2Runtime.Graph.Circuit.Of(graph, names.EnumerateArray().Select(n =>
            {
                Assert.True(graph.TryParseEdge(n.GetString(), out int row, out int column));
                return (row, column);
            }));
            CircuitFile.Write(model.Path("golden.json"), circuit);
            Cli.Run("evaluate", "--circuit", model.Path("golden.json"), "--model", weights, "--data",
                RepositoryFiles.Data("goldens/nano-sort/sort_k2/prompts.jsonl"), "--out", model.Path("golden-out.json")).Succeeds();
            JsonElement actual = JsonDocument.Parse(File.ReadAllBytes(model.Path("golden-out.json"))).RootElement;
            double Mean(JsonElement of, string name) => of.GetProperty(name).EnumerateArray().Average(e => e.GetDouble());
            double full = Mean(golden.RootElement.GetProperty("full"), "logit_diff"),
                empty = Mean(golden.RootElement.GetProperty("empty"), "logit_diff");
            Near((Mean(entry, "logit_diff") - empty) / (full - empty), actual.GetProperty("faithfulness").GetDouble());
            Near(Mean(entry, "kl"), actual.GetProperty("kl").GetDouble());
        }
        Assert.True(seen > 0);
    }

    private static void Near(double expected, double actual) => Assert.InRange(actual, expected - 1e-5, expected + 1e-5);

    private static ComputationGraph GraphOf(string directory)
    {
        using var checkpoint = Gradpath.Gpt2Runtime.Checkpoints.Gpt2Checkpoint.Open(directory);
        return new ComputationGraph(checkpoint.Config);
    }

    private JsonDocument Evaluate(string name, int edges, params string[] options)
    {
        Run(Circuit(name, edges), [.. options, "--out", model.Path($"{name}-out.json")]).Succeeds($"{name}-out.json");
        return JsonDocument.Parse(File.ReadAllBytes(model.Path($"{name}-out.json")));
    }

    private Cli Run(string circuit, string[] options) =>
        Cli.Run(["evaluate", "--circuit", circuit, "--model", model.ModelDirectory, "--data", model.Pairs, "--threads", "1", .. options]);

    private void Score(string name) =>
        Cli.Run("score", "--model", model.ModelDirectory, "--data", model.Pairs, "--method", "eap", "--threads", "1", "--out",
            model.Path(name)).Succeeds();

    private string Circuit(string name, int edges)
    {
        Score($"{name}-scores.json");
        Cli.Run("circuit", "--scores", model.Path($"{name}-scores.json"), "--top-n", $"{edges}", "--out", model.Path($"{name}.json"))
            .Succeeds();
        return model.Path($"{name}.json");
    }
}
