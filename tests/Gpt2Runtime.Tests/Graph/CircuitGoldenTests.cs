using Gradpath.Gpt2Runtime.Graph;
using Xunit.Abstractions;

namespace Gradpath.Gpt2Runtime.Tests.Graph;

/// <summary>Selections and prunings against those of the EAP-IG library.</summary>
public sealed class CircuitGoldenTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("tiny-random/equal")]
    [InlineData("tiny-random/padded")]
    [InlineData("nano-sort/sort_k2")]
    public void Circuits_equal_the_goldens(string name)
    {
        GoldenSet set = GoldenSet.Read(name);
        int writers = set.ReadGraph().Writers.Length;
        int layers = set.ReadGraph().Writers.Count(w => w.StartsWith('m'));
        ComputationGraph graph = new(layers, (writers - 1) / layers - 1);
        int compared = 0, skipped = 0;
        foreach (GoldenCircuit golden in set.Circuits.Circuits.Concat(set.Circuits.Interventions))
        {
            string what = $"{name} {golden.Scores} {golden.Select} {golden.N} absolute {golden.Absolute}";
            if (golden.BeforePrune.Length > 0)
                Compare(golden.AfterPrune, CircuitPruning.Prune(Parse(graph, golden.BeforePrune)), what + ", pruning");
            if (golden.Tie)
            {
                skipped++;
                continue;
            }
            EdgeScores scores = new(graph, [.. set.Score(golden.Scores.Text).Matrix.Cast<double>().Select(v => (float)v)]);
            Circuit selected = golden.Select == "greedy"
                ? CircuitSelection.Greedy(scores, golden.N, !golden.Absolute)
                : CircuitSelection.TopEdges(scores, golden.N, !golden.Absolute);
            Assert.Equal(golden.N, selected.EdgeCount);
            if (golden.BeforePrune.Length > 0) Compare(golden.BeforePrune, selected, what);
            Circuit pruned = CircuitPruning.Prune(selected);
            Compare(golden.AfterPrune, pruned, what + ", pruned");
            if (golden.NodesAfterPrune is { } nodes) Assert.Equal(nodes.Order(), pruned.Nodes.Select(graph.WriterName).Order());
            compared++;
        }
        output.WriteLine($"{name}: {compared} selections compared, {skipped} with ties passed over");
        Assert.True(compared > 0);
    }

    [Theory]
    [InlineData(32, 21, 12, 0)]
    [InlineData(64, 45, 17, 25)]
    [InlineData(162, 145, 34, 122)]
    [InlineData(324, 276, 46, 230)]
    [InlineData(649, 608, 72, 524)]
    [InlineData(1624, 1573, 113, 1439)]
    [InlineData(3249, 3212, 145, 3019)]
    [InlineData(6498, 6498, 157, 5963)]
    [InlineData(16245, 16245, 157, 14280)]
    [InlineData(32491, 32491, 157, 32491)]
    public void Top_edges_of_the_published_scores_prune_to_the_librarys_sizes(int n, int edges, int nodes, int edgesBySign)
    {
        EdgeScores scores = ScoreFile.Read(RepositoryFiles.Data("circuits/ioi-eap-ig.json"));
        Circuit pruned = CircuitPruning.Prune(CircuitSelection.TopEdges(scores, n));
        Assert.Equal((n, edges, nodes), (pruned.EdgesBeforePrune, pruned.EdgeCount, pruned.NodeCount));
        Assert.Equal(edgesBySign, CircuitPruning.Prune(CircuitSelection.TopEdges(scores, n, bySign: true)).EdgeCount);
    }

    [Theory]
    [InlineData(100, 80, 22)]
    [InlineData(200, 190, 38)]
    [InlineData(500, 486, 64)]
    [InlineData(1000, 967, 86)]
    public void Greedy_circuits_of_the_published_scores_prune_to_the_librarys_sizes(int n, int edges, int nodes)
    {
        EdgeScores scores = ScoreFile.Read(RepositoryFiles.Data("circuits/ioi-eap-ig.json"));
        Circuit pruned = CircuitPruning.Prune(CircuitSelection.Greedy(scores, n));
        Assert.Equal((n, edges, nodes), (pruned.EdgesBeforePrune, pruned.EdgeCount, pruned.NodeCount));
    }

    [Fact]
    public void The_published_circuit_is_read()
    {
        Circuit circuit = CircuitFile.Read(RepositoryFiles.Data("circuits/ioi-eap-ig.json"));
        Assert.Equal((756, 756, 768), (circuit.EdgeCount, circuit.EdgesBeforePrune, circuit.ModelWidth));
        Assert.Null(circuit.Provenance);
    }

    private static Circuit Parse(ComputationGraph graph, IEnumerable<string> edges) => Circuit.Of(graph, edges.Select(name =>
    {
        Assert.True(graph.TryParseEdge(name, out int row, out int column), name);
        return (row, column);
    }));

    private static void Compare(string[] expected, Circuit actual, string what)
    {
        string[] names = [.. actual.Edges.Select(e => actual.Graph.EdgeName(e.Row, e.Column))];
        string[] missing = [.. expected.Except(names)], extra = [.. names.Except(expected)];
        Assert.True(
            missing.Length == 0 && extra.Length == 0, $"{what}: missing {string.Join(' ', missing)}; extra {string.Join(' ', extra)}");
    }
}
