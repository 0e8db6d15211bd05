using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Host.Tests;

public sealed class HapTests(TinyModel model) : IClassFixture<TinyModel>
{
    [Fact]
    public void The_hybrid_states_recall_and_compares()
    {
        string plain = model.Path("plain.json"), file = model.Path("hap.json");
        Cli.Run("edge-prune", "--model", model.ModelDirectory, "--data", model.Pairs, "--sparsity", "0.5", "--steps", "30", "--seed", "1",
            "--out", plain).Succeeds();
        Cli run = Hap(file, "--keep", "0.6", "--compare", "--recall", plain).Succeeds(
            "first stage (eap): kept 28 of 46 edges", $"edges of {plain}", "edges of plain edge pruning", "edge-prune", "hap");
        Circuit circuit = CircuitFile.Read(file);
        Assert.Equal(23, circuit.EdgeCount);
        Assert.Equal((0.6, "eap", "logit-diff"), ((double)circuit.Provenance!.Options["keep"]!,
            (string)circuit.Provenance.Options["scorer"]!, (string)circuit.Provenance.Options["scorer-metric"]!));
        Assert.Equal(30, (int)circuit.Provenance.Options["steps"]!);
        Assert.True((int)circuit.Provenance.Options["skipped-steps"]! > 0);
        Circuit other = CircuitFile.Read(plain);

        // Both lines are of the same circuit: plain edge pruning with the same options.
        string[] recalls = [.. run.Out.Split('\n').Where(l => l.StartsWith("first stage: kept", StringComparison.Ordinal)).Select(l =>
            l[..l.IndexOf(" of the", StringComparison.Ordinal)])];
        Assert.Equal(2, recalls.Length);
        Assert.Equal(recalls[0], recalls[1]);
        Assert.Equal(23, other.EdgeCount);
    }

    [Fact]
    public void Scores_from_a_file_take_the_place_of_a_scorer()
    {
        string scores = model.Path("for-hap.json");
        Cli.Run("score", "--model", model.ModelDirectory, "--data", model.Pairs, "--method", "magnitude", "--out", scores).Succeeds();
        Hap(model.Path("hap-scores.safetensors"), "--keep", "0.7", "--sparsity", "0.9", "--scores", scores).Succeeds(
            "first stage (magnitude)");
        Hap(model.Path("hap-ig.json"), "--keep", "0.7", "--sparsity", "0.9", "--scorer", "eap-ig").Succeeds("first stage (eap-ig)");
    }

    private Cli Hap(string file, params string[] more) =>
        Cli.Run(["hap", "--model", model.ModelDirectory, "--data", model.Pairs, "--steps", "30", "--seed", "1", "--out", file,
            .. more.Contains("--sparsity") ? more : [.. more, "--sparsity", "0.5"]]);
}
