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
