using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Host.Tests;

/// <summary>Commands that make their own prompts, on a random model with GPT-2's vocabulary.</summary>
public sealed class DemoTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_shipped_model_is_scored_from_prompts_to_files()
    {
        string[] score = ["score", "--model", "demo", "--task", "ioi", "--limit", "8", "--steps", "2"];
        Cli.Run([.. score, "--out", _folder["s.json"], "--record-path", _folder["p.csv"]]).Succeeds(
            "->logits", "hurts", "8 prompt pairs of ioi");
        // Recording looks at all logits, which rounds differently: so it is on in both runs.
        Cli.Run([.. score, "--out", _folder["s.safetensors"], "--record-path", _folder["p.csv"]]).Succeeds();
        EdgeScores scores = ScoreFile.Read(_folder["s.json"]);
        Assert.Equal(new ComputationGraph(4, 8), scores.Graph);
        Assert.Equal("demo", scores.Provenance!.Model);
        Assert.Equal(scores.Values, ScoreFile.Read(_folder["s.safetensors"]).Values);
        Assert.Equal(1 + (8 * 3), File.ReadAllLines(_folder["p.csv"]).Length);
        Assert.Equal("[", Cli.RunWith("\"The cat\"\n", default, "tokenize", "--model", "demo").Succeeds().Out[..1]);
    }

    [Fact]
    public void The_demo_compares_three_methods_and_writes_their_files()
    {
        string model = MakeModel();
        string directory = _folder["out/demo"];
        Cli run = Cli.Run("demo", "--model", model, "--out", directory, "--threads", "2").Succeeds(
            "50 prompt pairs", "  clean      ", "eap-gp", "Spearman", "top 10 shared", "eap-ig point 5", "Faithfulness of the circuit",
            "random", "report.html", "Next:", "gradpath tasks");
        Assert.Contains("\u2588", run.Out, StringComparison.Ordinal);
        Assert.Equal(
            ["eap-gp-path.csv", "eap-gp.json", "eap-ig-path.csv", "eap-ig.json", "eap-path.csv", "eap.json", "report.html"],
            Directory.GetFiles(directory).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal("eap-gp", ScoreFile.Read(Path.Combine(directory, "eap-gp.json")).Provenance!.Method);
        Assert.Equal(1 + (50 * 6), File.ReadAllLines(Path.Combine(directory, "eap-gp-path.csv")).Length);
    }

    [Fact]
    public void Generated_prompts_are_the_same_for_a_seed_and_state_it()
    {
        string model = MakeModel();
        string[] score = ["score", "--model", model, "--task", "sva", "--limit", "4", "--method", "eap"];
        Cli.Run([.. score, "--seed", "3", "--out", _folder["a.json"]]).Succeeds("metric prob-diff", "seed 3)");
        Cli.Run([.. score, "--seed", "3", "--out", _folder["b.json"]]).Succeeds();
        Cli.Run([.. score, "--out", _folder["c.json"]]).Succeeds("seed 0)");
        EdgeScores a = ScoreFile.Read(_folder["a.json"]), b = ScoreFile.Read(_folder["b.json"]), c = ScoreFile.Read(_folder["c.json"]);
        Assert.Equal(a.Values, b.Values);
        Assert.NotEqual(a.Values.ToArray(), c.Values.ToArray());
        Assert.Equal((3, "sva", "prob-diff", 4), (a.Provenance!.Seed, a.Provenance.Task, a.Provenance.Metric, a.Provenance.Items));
        Assert.Equal(a.Provenance.DataHash, b.Provenance!.DataHash);
        Assert.NotEqual(a.Provenance.DataHash, c.Provenance!.DataHash);
    }

    [Fact]
    public void The_begin_token_can_be_left_out()
    {
        string model = MakeModel();
        string[] score = ["score", "--model", model, "--task", "sva", "--limit", "4", "--method", "eap"];
        Cli.Run([.. score, "--out", _folder["with.json"]]).Succeeds();
        Cli.Run([.. score, "--no-bos", "--out", _folder["without.json"]]).Succeeds();
        Assert.NotEqual(ScoreFile.Read(_folder["with.json"]).Values.ToArray(), ScoreFile.Read(_folder["without.json"]).Values.ToArray());
    }

    private string MakeModel()
    {
        string vocabulary = RepositoryFiles.Data("tokenizer-gpt2");
        string directory = _folder["model"];
        Directory.CreateDirectory(directory);
        Gpt2Config config = new() { Layers = 3, Heads = 3, Width = 12, InnerWidth = 24, Positions = 40, Vocabulary = 50257 };
        using CpuDevice device = new(1);
        using (Gpt2Weights weights = RandomGpt2Weights.Create(config, 5, device, scale: 0.4f, biasJitter: 0.1f))
            CheckpointWriter.Write(directory, weights);
        foreach (string name in new[] { "vocab.json", "merges.txt" })
            File.Copy(Path.Combine(vocabulary, name), Path.Combine(directory, name));
        return directory;
    }
}
