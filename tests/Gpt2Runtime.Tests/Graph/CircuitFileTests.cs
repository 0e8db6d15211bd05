using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Tests.Graph;

public sealed class CircuitFileTests
{
    [Theory]
    [InlineData("circuit.json")]
    [InlineData("circuit.safetensors")]
    public void What_is_written_is_read_back(string name)
    {
        using TempFolder folder = new();
        EdgeScores scores = ScoreSamples.Random(new ComputationGraph(3, 2), 6);
        Circuit circuit = CircuitPruning.Prune(CircuitSelection.TopEdges(scores, 30));
        CircuitFile.Write(folder[name], circuit);
        Circuit read = CircuitFile.Read(folder[name]);
        Assert.Equal(circuit.Membership.ToArray(), read.Membership.ToArray());
        Assert.Equal(
            (30, circuit.EdgeCount, circuit.NodeCount, 24), (read.EdgesBeforePrune, read.EdgeCount, read.NodeCount, read.ModelWidth));
        Assert.Equal(scores.Values, read.Scores!.Values);
        Assert.Equal(scores.NodeScores, read.Scores.NodeScores);
        Assert.Equal(scores.Provenance!.Method, read.Provenance!.Method);
        Assert.Equal((30, circuit.EdgeCount), (read.Provenance.EdgesBeforePrune!.Value, read.Provenance.EdgesInCircuit!.Value));

        // It is a score file still, so another circuit can be selected from it.
        Assert.Equal(scores.Values, ScoreFile.Read(folder[name]).Values);
    }

    [Theory]
    [InlineData("bare.json")]
    [InlineData("bare.safetensors")]
    public void A_circuit_without_scores_is_ranked_by_membership(string name)
    {
        using TempFolder folder = new();
        ComputationGraph graph = new(2, 1);
        Circuit circuit = new(graph, Circuit.Of(graph, [(0, 3), (2, graph.LogitsColumn)]).Membership)
        {
            ModelWidth = 12,
            Provenance = new Provenance { Method = "by hand", Selection = new JsonObject { ["select"] = "list", ["n"] = 2 } },
        };
        CircuitFile.Write(folder[name], circuit);
        Circuit read = CircuitFile.Read(folder[name]);
        Assert.Equal(circuit.Edges, read.Edges);
        Assert.Equal(2, read.Scores!.Values.ToArray().Sum());
        Assert.Equal(("by hand", 12), (read.Provenance!.Method, read.ModelWidth));
        Assert.Equal("""{"select":"list","n":2}""", read.Provenance.Selection!.ToJsonString());
    }

    [Theory]
    [InlineData("empty.json")]
    [InlineData("empty.safetensors")]
    public void An_empty_circuit_is_one(string name)
    {
        using TempFolder folder = new();
        CircuitFile.Write(folder[name], Circuit.Of(new ComputationGraph(1, 1), []));
        Assert.Equal(0, CircuitFile.Read(folder[name]).EdgeCount);
    }

    [Theory]
    [InlineData("scores.json")]
    [InlineData("scores.safetensors")]
    public void Scores_without_a_circuit_are_refused(string name)
    {
        using TempFolder folder = new();
        ScoreFile.Write(folder[name], ScoreSamples.Zeros(new ComputationGraph(1, 1)));
        string message = Assert.Throws<GradpathException>(() => CircuitFile.Read(folder[name])).Message;
        Assert.Contains(folder[name], message, StringComparison.Ordinal);
        Assert.Contains("no circuit", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Counts_that_contradict_the_circuit_are_refused()
    {
        using TempFolder folder = new();
        EdgeScores scores = ScoreSamples.Random(new ComputationGraph(2, 2), 6);
        ScoreFile.Write(folder["c.json"], new EdgeScores(scores.Graph, scores.Values)
        {
            EdgesInGraph = scores.EdgesInGraph,
            Provenance = new Provenance { EdgesBeforePrune = 1 },
        });
        Assert.Contains("edges_before_prune", Assert.Throws<GradpathException>(() => CircuitFile.Read(folder["c.json"])).Message,
            StringComparison.Ordinal);
        Assert.Contains("no such file", Assert.Throws<GradpathException>(() => CircuitFile.Read(folder["none.json"])).Message,
            StringComparison.Ordinal);
    }
}
