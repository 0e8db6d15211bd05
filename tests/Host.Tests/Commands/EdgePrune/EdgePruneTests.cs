using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Host.Tests;

public sealed class EdgePruneTests(TinyModel model) : IClassFixture<TinyModel>
{
    [Fact]
    public void A_circuit_is_found_written_evaluated_and_reported()
    {
        string file = model.Path("ep.json"), log = model.Path("ep.csv"), page = model.Path("ep.html");
        Prune(file, "--log", log, "--node-masks", "--node-target", "0.2").Succeeds("circuit", "logit-diff", "faithfulness", file, log);
        Circuit circuit = CircuitFile.Read(file);
        Assert.InRange(1 - (circuit.EdgeCount / (double)circuit.Graph.EdgeCount), 0.49, 0.51);
        Provenance p = circuit.Provenance!;
        Assert.Equal(("edge-prune", "kl", "patching", circuit.EdgeCount), (p.Method, p.Metric, p.Ablation, p.EdgesInCircuit));
        Assert.Equal((0.5, 30, true), ((double)p.Options["sparsity"]!, (int)p.Options["steps"]!, (bool)p.Options["node-masks"]!));
        string[] lines = File.ReadAllLines(log);
        Assert.Equal(31, lines.Length);
        Assert.StartsWith("edge-prune,30,", lines[^1], StringComparison.Ordinal);
        Cli.Run("evaluate", "--circuit", file, "--model", model.ModelDirectory, "--data", model.Pairs).Succeeds(
            $"{circuit.EdgeCount} of 46 edges");
        Cli.Run("report", "--scores", file, "--training", log, "--out", page).Succeeds(page);
        string html = File.ReadAllText(page);
        int start = html.IndexOf("id=\"report-data\">", StringComparison.Ordinal) + "id=\"report-data\">".Length;
        using JsonDocument data = JsonDocument.Parse(html[start..html.IndexOf("</script>", start, StringComparison.Ordinal)]);
        JsonElement training = data.RootElement.GetProperty("methods")[0].GetProperty("training");
        Assert.Equal(30, training.GetArrayLength());
        Assert.Equal(double.Parse(lines[^1].Split(',')[2], System.Globalization.CultureInfo.InvariantCulture),
            training[29].GetProperty("kl").GetDouble());
    }

    [Fact]
    public void Scores_decide_where_masks_start()
    {
        string cold = model.Path("cold.json"), warm = model.Path("warm.json"), scores = model.Scores();
        Prune(cold).Succeeds();
        Prune(warm, "--init", scores).Succeeds(warm);
        Circuit circuit = CircuitFile.Read(warm);
        Provenance p = circuit.Provenance!;
        Assert.Equal(("eap", "eap-scores.json"), ((string)p.Options["init"]!, (string)p.Options["init-file"]!));
        Assert.Equal(64, ((string)p.Options["init-hash"]!).Length);
        Assert.NotEqual(CircuitFile.Read(cold).Scores!.Values.ToArray(), circuit.Scores!.Values.ToArray());

        // Both formats of score files are one.
        string tensors = model.Path("eap-scores.safetensors"), again = model.Path("again.json");
        EdgeScores.Load(scores).Save(tensors);
        Prune(again, "--init", tensors).Succeeds();
        Assert.Equal(circuit.Scores!.Values.ToArray(), CircuitFile.Read(again).Scores!.Values.ToArray());
    }

    [Fact]
    public void Of_several_draws_one_is_kept_and_said_which()
    {
        string one = model.Path("one-draw.json"), best = model.Path("best-draw.json"), log = model.Path("best-draw.csv");
        Cli run = Prune(best, "--draws", "3", "--log", log, "--json").Succeeds();
        JsonElement tables = JsonDocument.Parse(run.Out).RootElement.GetProperty("tables");
        JsonElement[] draws = [.. tables.GetProperty("draws").EnumerateArray()];
        Assert.Equal([1, 2, 3], draws.Select(d => d.GetProperty("draw").GetInt32()));
        double[] kl = [.. draws.Select(d => d.GetProperty("kl").GetDouble())];
        int kept = Array.IndexOf(kl, kl.Min());
        Assert.Equal([0 == kept, 1 == kept, 2 == kept], draws.Select(d => d.GetProperty("kept").GetBoolean()));
        Assert.Equal(kl[kept], tables.GetProperty("circuits")[0].GetProperty("kl").GetDouble(), 1e-5);
        Assert.Equal(31, File.ReadAllLines(log).Length);
        Provenance p = CircuitFile.Read(best).Provenance!;
        Assert.Equal((3, kept + 1, 1), ((int)p.Options["draws"]!, (int)p.Options["kept-draw"]!, p.Seed));
        Prune(best, "--draws", "3").Succeeds("draws of the masks: KL ", $"kept number {kept + 1}");
        Prune(best, "--draws", "0").Fails(2, "--draws 0: must be from 1 to 1000");

        // The first is that of a run without.
        JsonElement first = JsonDocument.Parse(Prune(one, "--json").Succeeds().Out).RootElement.GetProperty("tables");
        Assert.Equal(kl[0], first.GetProperty("circuits")[0].GetProperty("kl").GetDouble(), 1e-5);
    }

    [Fact]
    public void Scores_that_cannot_be_used_are_refused_by_name()
    {
        string never = model.Path("never.json"), missing = model.Path("missing.json"), broken = model.Path("broken.json");
        Prune(never, "--init", missing).Fails(1, missing);
        File.WriteAllText(broken, "{");
        Prune(never, "--init", broken).Fails(1, broken);
        Prune(broken, "--init", broken).Fails(2, "would replace what --init");
        string foreign = model.Path("foreign.json"), zeros = model.Path("zeros.json");
        var other = new ComputationGraph(1, 2);
        new EdgeScores(other, new float[other.Writers * other.Readers]).Save(foreign);
        Prune(never, "--init", foreign).Fails(1, foreign, "the scores belong to a model of");
        EdgeScores scores = EdgeScores.Load(model.Scores());
        new EdgeScores(scores.Graph, new float[scores.Values.Length]).Save(zeros);
        Prune(model.Path("from-zeros.json"), "--init", zeros).Warns($"--init {zeros}: no two scores but 0 differ");
        Assert.False(File.Exists(never));
    }

    [Fact]
    public void A_run_goes_on_with_the_same_scores_only()
    {
        string file = model.Path("goes-on.json"), scores = model.Scores(), changed = model.Path("changed.json");
        EdgeScores known = EdgeScores.Load(scores);
        float[] values = known.Values.ToArray();
        Array.Reverse(values);
        new EdgeScores(known.Graph, [.. known.Graph.Edges.Aggregate(new float[values.Length], (all, e) =>
        {
            all[(e.Row * known.Graph.Readers) + e.Column] = values[(e.Row * known.Graph.Readers) + e.Column] + 1;
            return all;
        })]).Save(changed);
        string[] command = ["edge-prune", "--model", model.ModelDirectory, "--data", model.Pairs, "--sparsity", "0.5", "--steps", "30",
            "--out", file];
        Cli.StoppedWhen(p => p.Done == 10, [.. command, "--init", scores]).Fails(130, "--resume");
        Cli.Run([.. command, "--resume"]).Fails(1, "--init");
        Cli.Run([.. command, "--resume", "--init", changed]).Fails(1, "--init");
        Cli.Run([.. command, "--resume", "--init", scores]).Succeeds();
    }

    /// <summary>The batch that a refusal names fits. Batches are of even size, so that one a little larger may be cut smaller.</summary>
    [Fact]
    public void A_batch_that_cannot_fit_is_refused_with_the_size_that_does()
    {
        string data = model.Path("many.jsonl");
        File.WriteAllText(data, TinyModel.PairLines(100, 6));
        Cli Train(int batch) => Cli.Run("edge-prune", "--model", model.ModelDirectory, "--data", data, "--threads", "1", "--steps", "2",
            "--sparsity", "0.5", "--memory", "300KiB", "--batch-size", $"{batch}", "--out", model.Path($"batch-{batch}.json"));
        string message = Train(100).Fails(1, "a batch of 100 prompt pairs needs", " fits").Error;
        int most = int.Parse(Regex.Match(message, "--batch-size ([0-9]+) fits").Groups[1].Value, CultureInfo.InvariantCulture);
        Train(most).Succeeds();
        Train(2 * most).Fails(1, $"--batch-size {most} fits");
    }

    /// <summary>Of the table's row: the name that options, files and other tables have, and steps and time that are never blank.</summary>
    [Theory]
    [InlineData("edge-prune", "6")]
    [InlineData("hap", "4")]
    [InlineData("search", "-")]
    public void A_search_states_its_name_its_steps_and_its_time(string verb, string steps)
    {
        string[] command = [.. VerbSamples.Of(verb, model)[0]];
        string name = verb == "search" ? "acdc" : verb;
        string[] row = Cli.Run(command).Succeeds().Out.Split('\n')
            .First(l => l.TrimStart().StartsWith($"{name} ", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal((steps, "s"), (row[^3], row[^1]));
        Assert.True(double.TryParse(row[^2], System.Globalization.CultureInfo.InvariantCulture, out _), row[^2]);
    }

    /// <summary>Training that was written when edge pruning was called otherwise belongs to it still.</summary>
    [Fact]
    public void Earlier_files_are_read_under_the_name_of_now()
    {
        string file = model.Path("named.json"), log = model.Path("named.csv"), page = model.Path("named.html");
        Prune(file, "--log", log).Succeeds();
        File.WriteAllText(log, File.ReadAllText(log).Replace("edge-prune,", "edge-pruning,", StringComparison.Ordinal));
        Cli.Run("report", "--scores", file, "--training", log, "--out", page).Succeeds(page);
        Assert.Contains("\"training\":[{", File.ReadAllText(page), StringComparison.Ordinal);
    }

    [Fact]
    public void There_is_nothing_to_go_on_from_before_a_run() =>
        Prune(model.Path("never.json"), "--resume").Fails(1, "nothing to go on from");

    private Cli Prune(string file, params string[] more) =>
        Cli.Run(["edge-prune", "--model", model.ModelDirectory, "--data", model.Pairs, "--sparsity", "0.5", "--steps", "30", "--seed", "1",
            "--out", file, .. more]);
}
