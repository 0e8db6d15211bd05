using System.Globalization;
using System.Text.Json;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Host.Tests;

public sealed class PathPatchTests(TinyModel model) : IClassFixture<TinyModel>
{
    [Fact]
    public void One_round_shows_every_sender_and_writes_a_circuit_that_evaluate_reads()
    {
        string circuit = model.Path("one.json"), csv = model.Path("one.csv"), svg = model.Path("one.svg");
        Run("--threshold", "0.1", "--freeze-mlps", "--out", circuit, "--effects", csv, "--picture", svg)
            .Succeeds("round 1: to the logits at end (%)", "layer     h0     h1    mlp", "input", "followed", "->logits at end",
                "clean metric", "one.json", "one.csv", "one.svg");
        string[] lines = File.ReadAllLines(csv);
        Assert.Equal("round,kind,receivers,positions,sender,effect,percent", lines[0]);
        string[][] effects = [.. lines.Skip(1).Select(l => l.Split(',')).Where(c => c[1] != "edge")];
        Assert.Equal(["input", "a0.h0", "a0.h1", "m0", "a1.h0", "a1.h1", "m1"], effects.Select(c => c[4]));
        Assert.All(effects, c => Assert.Equal("logits", c[2]));
        JsonElement provenance = JsonDocument.Parse(File.ReadAllBytes(circuit)).RootElement.GetProperty("gradpath");
        Assert.Equal(
            ("path-patch", "logit-diff"), (provenance.GetProperty("method").GetString(), provenance.GetProperty("metric").GetString()));
        Assert.Equal(0.1, provenance.GetProperty("options").GetProperty("threshold").GetDouble(), 9);
        Circuit found = CircuitFile.Read(circuit);
        string[] followed = [.. lines.Skip(1).Select(l => l.Split(',')).Where(c => c[1] == "edge").Select(c => c[4])];
        Assert.Equal(effects.Where(c => Math.Abs(double.Parse(c[6], CultureInfo.InvariantCulture)) >= 0.1).Select(c => c[4]).Order(),
            followed.Order());
        Assert.Equal(followed.Order(), found.Edges.Select(e => found.Graph.WriterName(e.Row)).Order());
        // A score is of a loss: the fall of the metric.
        foreach (string[] cells in effects.Where(c => followed.Contains(c[4])))
        {
            Assert.True(found.Graph.TryParseWriter(cells[4], out int row));
            Assert.Equal(-double.Parse(cells[5], CultureInfo.InvariantCulture), found.Scores![row, found.Graph.LogitsColumn], 1e-6);
        }
        Assert.StartsWith("<svg", File.ReadAllText(svg), StringComparison.Ordinal);
        Assert.False(File.Exists(circuit + ".progress"));
        Cli.Run("evaluate", "--circuit", circuit, "--model", model.ModelDirectory, "--data", model.Pairs, "--threads", "1").Succeeds(
            "faithfulness");
    }

    [Fact]
    public void Rounds_go_backwards_and_a_page_shows_them()
    {
        string page = model.Path("rounds.html"), circuit = model.Path("rounds.safetensors");
        Run("--iterate", "--rounds", "3", "--threshold", "0.5", "--picture", page, "--out", circuit)
            .Succeeds("round 1: to the logits", "round 2: to the queries of a", "round 2: to the keys of a", "round 2: to the values of a",
                "round 2: to all inputs together of", "edges were followed");
        string html = File.ReadAllText(page);
        Assert.Contains("round 2: to the values of", html, StringComparison.Ordinal);
        Assert.Contains("Edges that were followed", html, StringComparison.Ordinal);
        Assert.DoesNotContain("http:", html.Replace("http://www.w3.org/2000/svg", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.True(CircuitFile.Read(circuit).EdgeCount > 5);
    }

    [Theory]
    [InlineData("--receivers a1.h0.q", "to the queries of a1.h0 at end")]
    [InlineData("--receivers a1.h0<v>,A1.H1.V --positions all", "to the values of a1.h0, a1.h1 at all")]
    [InlineData("--receivers a1.h1 --positions -2,1", "to all inputs together of a1.h1", "to the keys of a1.h1 at -2,1")]
    [InlineData("--receivers m1 --senders a0.h1,a1.h0", "to the MLPs of m1", "h0     h1")]
    [InlineData("--receivers output --senders input", "to the logits", "input")]
    [InlineData("--senders heads --top-n 2", "to the logits", "->logits at end")]
    [InlineData("--metric kl --top-n 3 --freeze-mlps", "metric kl", "followed", "3 edges")]
    [InlineData("--ablation zero --sender-positions end", "ablation zero", "under ablation zero")]
    [InlineData("--ablation mean-positional --batch-size 2", "ablation mean-positional", "batch of 2")]
    [InlineData("--receivers m0 --senders a1.h0", "no sender feeds these receivers")]
    [InlineData("--threshold 100000", "No sender reaches the threshold")]
    public void Options_are_read_and_stated(string options, params string[] mentions) => Run(options.Split(' ')).Succeeds(mentions);

    [Theory]
    [InlineData("--receivers a9.h0.q", "--receivers a9.h0.q", "2 layers x 2 heads")]
    [InlineData("--receivers input", "--receivers input")]
    [InlineData("--senders heds", "--senders heds", "did you mean heads?", "heads, mlps, input")]
    [InlineData("--positions ,", "--positions")]
    [InlineData("--rounds 2", "--iterate")]
    [InlineData("--iterate --rounds 0", "--rounds 0")]
    [InlineData("--threshold 5 --top-n 3", "--threshold", "--top-n")]
    [InlineData("--threshold 0", "--threshold")]
    [InlineData("--top-n 0", "--top-n 0")]
    [InlineData("--metric kl", "--top-n")]
    [InlineData("--resume", "--out")]
    [InlineData("--out c.txt", "--out", "c.txt")]
    [InlineData("--effects e.txt", "--effects e.txt", ".csv")]
    [InlineData("--picture p.png", "--picture p.png", ".svg", ".html")]
    [InlineData("--picture nowhere/p.svg", "--picture", "does not exist")]
    public void A_wrong_option_is_named(string options, params string[] mentions) => Run(options.Split(' ')).Fails(2, mentions);

    [Theory]
    [InlineData("--positions S2", "'S2'", "name none")]
    [InlineData("--positions 5", "no position 5", "5 tokens")]
    [InlineData("--sender-positions IO", "'IO'")]
    public void A_position_that_the_prompts_lack_is_named(string options, params string[] mentions) =>
        Run(options.Split(' ')).Fails(2, [.. mentions, options.Split(' ')[0]]);

    [Fact]
    public void Where_the_clean_metric_is_0_no_effect_is_a_share_of_it()
    {
        string data = model.Path("opposite.jsonl"), circuit = model.Path("zero.json");
        File.WriteAllText(data, """
            {"clean_ids":[1,2,3],"corrupted_ids":[1,5,3],"answer_ids":[3],"wrong_answer_ids":[4]}
            {"clean_ids":[1,2,3],"corrupted_ids":[1,5,3],"answer_ids":[4],"wrong_answer_ids":[3]}
            """);
        Cli.Run("path-patch", "--model", model.ModelDirectory, "--data", data, "--out", circuit).Fails(1, "clean prompts is 0", "--top-n");
        Assert.False(File.Exists(circuit + ".progress"));
    }

    [Fact]
    public void Named_positions_of_generated_prompts_can_be_used() =>
        Cli.Run("path-patch", "--model", "demo", "--task", "ioi", "--limit", "4", "--threads", "1", "--receivers", "a3.h7.v", "--positions",
            "S2", "--senders", "mlps", "--freeze-mlps")
            .Succeeds("to the values of a3.h7 at S2", "m0->a3.h7<v> at S2");

    [Fact]
    public async Task A_stopped_run_is_gone_on_from_and_gives_what_an_unbroken_one_gives()
    {
        string circuit = model.Path("stopped.json"), progress = circuit + ".progress", pairs = model.Path("many.jsonl");
        string whole = model.Path("whole.csv"), resumed = model.Path("resumed.csv");
        File.WriteAllText(pairs, TinyModel.PairLines(20, 5));
        string[] options = ["path-patch", "--model", model.ModelDirectory, "--data", pairs, "--threads", "1", "--batch-size", "1",
            "--iterate", "--rounds", "3", "--threshold", "0.5", "--out", circuit];
        Cli stopped = Cli.StoppedWhen(p => p.Stage == "round 2", options);
        stopped.Fails(130, "stopped after 1 round, kept in", "stopped.json.progress", "--resume");
        Assert.False(File.Exists(circuit));

        Cli.Run(options).Fails(1, "stopped.json.progress", "--resume");
        Cli.Run([.. options, "--resume", "--freeze-mlps"]).Fails(1, "--freeze-mlps", "another run");
        Cli.Run([.. options, "--resume", "--effects", resumed]).Succeeds("stopped.json");
        Assert.False(File.Exists(progress));
        Cli.Run([.. options, "--effects", whole]).Succeeds();
        Assert.Equal(File.ReadAllText(whole), File.ReadAllText(resumed));
        Cli.Run([.. options, "--resume"]).Fails(1, "nothing to go on from");
    }

    [Fact]
    public void A_damaged_progress_file_is_explained()
    {
        string circuit = model.Path("damaged.json");
        File.WriteAllText(circuit + ".progress", "{}");
        Run("--iterate", "--out", circuit, "--resume").Fails(1, "damaged.json.progress", "delete it");
    }

    private Cli Run(params string[] options) =>
        Cli.Run(["path-patch", "--model", model.ModelDirectory, "--data", model.Pairs, "--threads", "1", .. options]);
}
