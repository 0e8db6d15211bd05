using System.Text.Json;
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
        Assert.Equal(("edge-pruning", "kl", "patching", circuit.EdgeCount), (p.Method, p.Metric, p.Ablation, p.EdgesInCircuit));
        Assert.Equal((0.5, 30, true), ((double)p.Options["sparsity"]!, (int)p.Options["steps"]!, (bool)p.Options["node-masks"]!));
        string[] lines = File.ReadAllLines(log);
        Assert.Equal(31, lines.Length);
        Assert.StartsWith("edge-pruning,30,", lines[^1], StringComparison.Ordinal);
        Cli.Run("evaluate", "--circuit", file, "--model", model.ModelDirectory, "--data", model.Pairs).Succeeds($"{circuit.EdgeCount} of 46 edges");
        Cli.Run("report", "--scores", file, "--training", log, "--out", page).Succeeds(page);
        string html = File.ReadAllText(page);
        int start = html.IndexOf("id=\"report-data\">", StringComparison.Ordinal) + "id=\"report-data\">".Length;
        using JsonDocument data = JsonDocument.Parse(html[start..html.IndexOf("</script>", start, StringComparison.Ordinal)]);
        JsonElement training = data.RootElement.GetProperty("methods")[0].GetProperty("training");
        Assert.Equal(30, training.GetArrayLength());
        Assert.Equal(double.Parse(lines[^1].Split(',')[2], System.Globalization.CultureInfo.InvariantCulture), training[29].GetProperty("kl").GetDouble());
    }

    [Fact]
    public void The_hybrid_states_recall_and_compares()
    {
        string plain = model.Path("plain.json"), file = model.Path("hap.json");
        Prune(plain).Succeeds();
        Cli run = Hap(file, "--keep", "0.6", "--compare", "--recall", plain).Succeeds("first stage (eap): kept 28 of 46 edges", $"edges of {plain}", "edges of plain edge pruning", "edge-pruning", "hap");
        Circuit circuit = CircuitFile.Read(file);
        Assert.Equal(23, circuit.EdgeCount);
        Assert.Equal((0.6, "eap", "logit-diff"), ((double)circuit.Provenance!.Options["keep"]!, (string)circuit.Provenance.Options["scorer"]!, (string)circuit.Provenance.Options["scorer-metric"]!));
        Assert.True((int)circuit.Provenance.Options["steps"]! < 30);
        Circuit other = CircuitFile.Read(plain);

        // Both lines are of the same circuit: plain edge pruning with the same options.
        string[] recalls = [.. run.Out.Split('\n').Where(l => l.StartsWith("first stage: kept", StringComparison.Ordinal)).Select(l => l[..l.IndexOf(" of the", StringComparison.Ordinal)])];
        Assert.Equal(2, recalls.Length);
        Assert.Equal(recalls[0], recalls[1]);
        Assert.Equal(23, other.EdgeCount);
    }

    [Fact]
    public void Scores_from_a_file_take_the_place_of_a_scorer()
    {
        string scores = model.Path("for-hap.json");
        Cli.Run("score", "--model", model.ModelDirectory, "--data", model.Pairs, "--method", "magnitude", "--out", scores).Succeeds();
        Hap(model.Path("hap-scores.safetensors"), "--keep", "0.7", "--sparsity", "0.9", "--scores", scores).Succeeds("first stage (magnitude)");
        Hap(model.Path("hap-ig.json"), "--keep", "0.7", "--sparsity", "0.9", "--scorer", "eap-ig").Succeeds("first stage (eap-ig)");
    }

    [Theory]
    [InlineData("edge-prune")]
    [InlineData("hap")]
    public void A_run_that_is_stopped_goes_on_with_the_same_result(string verb)
    {
        string whole = model.Path($"{verb}-whole.json"), parts = model.Path($"{verb}-parts.json");
        string[] Options(string file) => [verb, "--model", model.ModelDirectory, "--data", model.Pairs, "--sparsity", "0.7", "--steps", "400", "--seed", "4", "--out", file];
        Cli.Run(Options(whole)).Succeeds();
        Cli stopped = Cli.StoppedWhen(p => p is { Total: 400, Done: 150 } or { Total: < 400, Done: 30 }, Options(parts));
        Assert.Equal(130, stopped.ExitCode);
        Assert.Contains("--resume goes on from there", stopped.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(parts));
        Cli.Run(Options(parts)).Fails(1, ".progress", "--resume");
        Cli.Run([.. Options(parts), "--resume", "--learning-rate", "0.7"]).Fails(1, "--learning-rate was 0.8 there and is 0.7 now");
        Cli.Run([.. Options(parts), "--resume"]).Succeeds();
        Assert.False(File.Exists(parts + ".progress"));
        Circuit expected = CircuitFile.Read(whole), actual = CircuitFile.Read(parts);
        Assert.Equal(expected.Membership.ToArray(), actual.Membership.ToArray());
        Assert.Equal(expected.Scores!.Values, actual.Scores!.Values);
    }

    [Theory]
    [InlineData("edge-prune --sparsity 1", "--sparsity 1", "below 1")]
    [InlineData("edge-prune --schedule cosine", "--schedule cosine", "logarithmic")]
    [InlineData("edge-prune --schedule logarithmic --target 1.1", "--schedule logarithmic")]
    [InlineData("edge-prune --node-target 0.5", "--node-masks")]
    [InlineData("edge-prune --steps 0", "--steps 0")]
    [InlineData("edge-prune --log steps.txt", ".csv")]
    [InlineData("hap --keep 0", "--keep 0")]
    [InlineData("hap --keep 0.02", "--keep 0.02", "--sparsity 0.95")]
    [InlineData("hap --scorer saliency", "--scorer saliency", "eap-ig")]
    [InlineData("hap --metric kl", "EAP has no scores for kl")]
    [InlineData("hap --scorer eap-ig --ablation zero", "--ablation zero", "eap-ig")]
    public void Options_that_cannot_be_used_are_usage_errors(string options, params string[] mentions) =>
        Cli.Run([.. options.Split(' '), "--model", model.ModelDirectory, "--data", model.Pairs, "--out", model.Path("never.json")]).Fails(2, mentions);

    [Fact]
    public void There_is_nothing_to_go_on_from_before_a_run() =>
        Prune(model.Path("never.json"), "--resume").Fails(1, "nothing to go on from");

    private Cli Prune(string file, params string[] more) =>
        Cli.Run(["edge-prune", "--model", model.ModelDirectory, "--data", model.Pairs, "--sparsity", "0.5", "--steps", "30", "--seed", "1", "--out", file, .. more]);

    private Cli Hap(string file, params string[] more) =>
        Cli.Run(["hap", "--model", model.ModelDirectory, "--data", model.Pairs, "--steps", "30", "--seed", "1", "--out", file, .. more.Contains("--sparsity") ? more : [.. more, "--sparsity", "0.5"]]);
}
