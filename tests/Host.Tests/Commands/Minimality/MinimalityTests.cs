using System.Text.Json;

namespace Gradpath.Host.Tests;

public sealed class MinimalityTests(TinyModel model) : IClassFixture<TinyModel>
{
    [Fact]
    public void Minimality_is_shown_and_written()
    {
        string file = model.Path("minimality.json");
        Run("--random", "3", "--greedy-runs", "1", "--greedy-iterations", "2", "--out", file).Succeeds(
            "node v", "set K", "over 5 sets", file);
        JsonElement json = JsonDocument.Parse(File.ReadAllBytes(file)).RootElement;
        JsonElement[] nodes = [.. json.GetProperty("nodes").EnumerateArray()];
        Assert.Equal(json.GetProperty("n_nodes").GetInt32() - 1, nodes.Length);
        double[] differences = [.. nodes.Select(n => n.GetProperty("difference").GetDouble())];
        Assert.Equal(differences.OrderDescending(), differences);
        Assert.All(nodes, n =>
        {
            Assert.Equal(Math.Abs(n.GetProperty("without_set_and_node").GetDouble() - n.GetProperty("without_set").GetDouble()),
                n.GetProperty("difference").GetDouble(), 12);
            Assert.DoesNotContain(n.GetProperty("node").GetString(), n.GetProperty("set").EnumerateArray().Select(s => s.GetString()));
        });
        Run().Succeeds("over 11 sets");
    }

    private Cli Run(params string[] options) => Cli.Run(
        ["minimality", "--circuit", model.Circuit("circuit.json", 25), "--model", model.ModelDirectory, "--data", model.Pairs, "--threads",
            "1", .. options]);
}
