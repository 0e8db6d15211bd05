using System.Globalization;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Host.Tests;

public sealed class ScoreTests(TinyModel model) : IClassFixture<TinyModel>
{
    [Theory]
    [InlineData("eap", "logit-diff")]
    [InlineData("eap-ig", "logit-diff")]
    [InlineData("eap-ig-activations", "prob-diff")]
    [InlineData("clean-corrupted", "kl")]
    [InlineData("eap-gp", "logit-diff")]
    [InlineData("exact", "kl")]
    public void Every_method_writes_scores_with_their_provenance(string method, string metric)
    {
        string file = model.Path($"{method}.json");
        Score("--method", method, "--metric", metric, "--out", file).Succeeds(
            "corrupting it", "hurts the task", file, "batch of", "time: load", "passes", "CPU");
        EdgeScores scores = ScoreFile.Read(file);
        Assert.Equal(new ComputationGraph(2, 2), scores.Graph);
        Assert.Equal(8, scores.ModelWidth);
        Assert.True(scores.Values.ContainsAnyExcept(0f));
        Provenance p = scores.Provenance!;
        Assert.Equal((method, metric, 6, "model"), (p.Method, p.Metric, p.Items!.Value, p.Model));
        Assert.Equal(Provenance.LossSign, p.Sign);
        Assert.StartsWith("sha256:", p.ModelHash, StringComparison.Ordinal);
        Assert.Equal(64, p.DataHash!.Length);
        Assert.Null(p.Seed);
        Assert.True(p.BatchSize > 0);
        Assert.True(DateTime.UtcNow - p.Created < TimeSpan.FromMinutes(5));
    }

    [Fact]
    public void Batches_are_planned_by_the_memory_that_is_allowed()
    {
        string[] command = ["score", "--model", "demo", "--task", "ioi", "--limit", "12", "--device", "cpu"];
        Cli.Run([.. command, "--batch-size", "auto"]).Succeeds("plan: 1 batch of up to 12 pairs", "before the first difference run once");
        Cli.Run([.. command, "--memory", "6MiB"]).Succeeds("plan: ", "of 6.0 MiB", "batches of up to");
        Cli.Run([.. command, "--memory", "200KiB"]).Fails(1, "one pair of up to", "--memory");
        Cli.Run([.. command, "--memory", "6MiB", "--batch-size", "12"]).Fails(1, "12 pairs of up to", " fits, or allow more memory");
        Cli.Run([.. command, "--memory", "much"]).Fails(2, "--memory much", "800MiB");
        Cli.Run([.. command, "--batch-size", "some"]).Fails(2, "--batch-size some", "or auto");
    }

    [Fact]
    public void Information_flow_has_neither_metric_nor_sign()
    {
        string file = model.Path("ifr.json");
        Cli run = Score("--method", "information-flow-routes", "--out", file).Succeeds("no sign");
        Assert.DoesNotContain("corrupting it", run.Out, StringComparison.Ordinal);
        Provenance p = ScoreFile.Read(file).Provenance!;
        Assert.Null(p.Metric);
        Assert.NotEqual(Provenance.LossSign, p.Sign);
    }

    [Fact]
    public void Baselines_have_neither_metric_nor_sign()
    {
        string Run(string name, params string[] options)
        {
            Cli run = Score([.. options, "--out", model.Path(name)]).Succeeds("no sign");
            Assert.DoesNotContain("corrupting it", run.Out, StringComparison.Ordinal);
            return model.Path(name);
        }
        EdgeScores magnitude = ScoreFile.Read(Run("magnitude.json", "--method", "magnitude"));
        Assert.Equal(("magnitude", null, null), (magnitude.Provenance!.Method, magnitude.Provenance.Metric, magnitude.Provenance.Seed));
        Assert.Equal(magnitude[0, 0], magnitude[0, 1]);
        Assert.NotEqual(magnitude[0, 2], magnitude[1, magnitude.Graph.LogitsColumn]);

        EdgeScores first = ScoreFile.Read(Run("random.json", "--method", "random"));
        EdgeScores again = ScoreFile.Read(Run("random-0.json", "--method", "random", "--seed", "0", "--limit", "2"));
        EdgeScores other = ScoreFile.Read(Run("random-1.json", "--method", "random", "--seed", "1"));
        Assert.Equal(first.Values, again.Values);
        Assert.NotEqual(first.Values.ToArray(), other.Values.ToArray());
        Assert.Equal((0L, 1L), (first.Provenance!.Seed!.Value, other.Provenance!.Seed!.Value));
    }

    [Fact]
    public void Both_formats_hold_the_same_scores()
    {
        Score("--out", model.Path("same.json")).Succeeds();
        Score("--out", model.Path("same.safetensors")).Succeeds();
        Assert.Equal(ScoreFile.Read(model.Path("same.json")).Values, ScoreFile.Read(model.Path("same.safetensors")).Values);
    }

    [Theory]
    [InlineData("eap", 1, "clean")]
    [InlineData("eap-ig", 4, "corrupted")]
    [InlineData("eap-gp", 4, "clean")]
    [InlineData("eap-gp", 4, "corrupted")]
    public void The_path_is_recorded_as_csv(string method, int points, string start)
    {
        string file = model.Path($"{method}-path.csv");
        string[] steps = method == "eap" ? [] : ["--steps", "3"];
        string[] from = method == "eap-gp" ? ["--path-start", start] : [];
        Score([.. steps, .. from, "--method", method, "--record-path", file]).Succeeds(file);
        string[] lines = File.ReadAllLines(file);
        Assert.Equal("method,item,step,metric,gradient_norm,output_distance,distance_from_clean,distance_from_corrupted,start", lines[0]);
        Assert.Equal(6 * points, lines.Length - 1);
        foreach (string line in lines.Skip(1))
        {
            string[] cells = line.Split(',');
            Assert.Equal(method, cells[0]);
            Assert.All(cells[1..^1], c => Assert.True(double.IsFinite(double.Parse(c, CultureInfo.InvariantCulture))));
            Assert.Equal(start, cells[^1]);
        }
    }

    [Fact]
    public void The_options_of_the_method_stand_in_the_file()
    {
        string file = model.Path("options.safetensors");
        Score("--method", "eap-gp", "--steps", "2", "--path-eta", "match", "--path-objective", "residual-final", "--batch-size", "2",
            "--normalization", "library", "--limit", "4", "--out", file)
            .Succeeds("steps 2", "path-eta match", "4 prompt pairs", "batch of 2");
        Provenance p = ScoreFile.Read(file).Provenance!;
        Assert.Equal(
            """{"steps":2,"path-objective":"residual-final","path-norm":"item","path-eta":"match","path-start":"clean",""" +
            "\"path-outer\":\"delta\",\"path-direction\":\"gradient\"}",
            p.Options.ToJsonString());
        Assert.Equal((2, 4, "library"), (p.BatchSize!.Value, p.Items!.Value, p.Normalization));
    }

    [Fact]
    public void Top_limits_the_table()
    {
        int Rows(int top) => Score("--top", top.ToString(CultureInfo.InvariantCulture)).Succeeds().Out.Split('\n').Count(
            l => l.Contains("->", StringComparison.Ordinal));
        Assert.Equal(3, Rows(3));
        Assert.Equal(46, Rows(1000));
    }

    [Fact]
    public void A_score_file_is_written_over_an_old_one()
    {
        string file = model.Path("again.json");
        File.WriteAllText(file, "old");
        Score("--out", file).Succeeds();
        Assert.Equal(new ComputationGraph(2, 2), ScoreFile.Read(file).Graph);
        Assert.Single(Directory.GetFiles(model.Folder, "again*"));
    }

    private Cli Score(params string[] options) =>
        Cli.Run(["score", "--model", model.ModelDirectory, "--data", model.Pairs, "--threads", "1", .. options]);
}
