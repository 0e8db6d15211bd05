using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Graph.Exchange;

namespace Gradpath.Gpt2Runtime.Tests.Graph.Exchange;

/// <summary>Every kind of file of the table: what it holds comes back to the bit, and what it does not hold is said.</summary>
public sealed class GraphKindsTests
{
    private static readonly ComputationGraph Shape = new(3, 2);

    public static TheoryData<string> Kinds => [.. GraphKinds.All.Where(k => !k.IsFolder).Select(k => k.Name)];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_circuit_with_scores_comes_back(string name) => RoundTrip(name, Sample());

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_circuit_alone_comes_back(string name)
    {
        Circuit circuit = new(Shape, Sample().EdgesInGraph);
        RoundTrip(name, CircuitFile.Marked(circuit));
        EdgeScores read = RoundTrip(name, CircuitFile.Marked(Circuit.Of(Shape, [])));
        Assert.Equal(0, GraphContent.EdgeCount(read));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Scores_come_back(string name)
    {
        if (name == "circuit-tracer") return;
        EdgeScores random = Sample();
        RoundTrip(name, new EdgeScores(Shape, random.Values) { NodeScores = random.NodeScores, Provenance = ScoreSamples.Provenance });
    }

    /// <summary>Where a list of all edges means scores, a circuit of all edges loses that it is one, and that is said.</summary>
    [Theory]
    [InlineData("acdc")]
    [InlineData("auto-circuit")]
    public void A_circuit_of_all_edges_is_said_to_be_lost(string name)
    {
        bool[] all = new bool[Shape.Writers * Shape.Readers];
        foreach ((int row, int column) in Shape.Edges) all[(row * Shape.Readers) + column] = true;
        EdgeScores scores = new(Shape, Sample().Values) { EdgesInGraph = all };
        Assert.Equal(GraphParts.Circuit, GraphKinds.Find(name)!.Losses(scores));
        RoundTrip(name, scores);
    }

    [Fact]
    public void Only_scores_with_a_circuit_make_a_graph_of_circuit_tracer()
    {
        using TempFolder folder = new();
        GraphKind kind = GraphKinds.Find("circuit-tracer")!;
        EdgeScores scores = new(Shape, Sample().Values);
        Assert.Contains("Select a circuit", Assert.Throws<GradpathException>(() => kind.Write(folder["x"], [scores])).Message,
            StringComparison.Ordinal);
        Assert.False(File.Exists(folder["x"]));
    }

    [Theory]
    [InlineData("a/x.json", "eap-ig")]
    [InlineData("x.ACDC.json", "acdc")]
    [InlineData("x.auto-circuit.json", "auto-circuit")]
    [InlineData("x.circuit-tracer.json", "circuit-tracer")]
    [InlineData("x.eap-ig-0.1.json", "eap-ig-0.1")]
    [InlineData("x.safetensors", "safetensors")]
    [InlineData("acdc.csv", "csv")]
    [InlineData("x.txt", null)]
    [InlineData("json", null)]
    public void The_longest_ending_says_the_kind(string file, string? kind) => Assert.Equal(kind, GraphKinds.OfFile(file)?.Name);

    [Fact]
    public void Every_edge_has_a_name_of_its_own_in_ACDC_and_auto_circuit()
    {
        HashSet<string> seen = [];
        foreach ((int row, int column) in Shape.Edges)
        {
            string name = Shape.EdgeName(row, column), other = AutoCircuitNames.Of(Shape, row, column);
            Assert.True(seen.Add(other));
            Assert.Equal(name, AutoCircuitNames.Parse(other));
            (string readerHook, int? readerHead, string writerHook, int? writerHead) = AcdcNames.Of(Shape, row, column);
            Assert.True(seen.Add($"{readerHook} {readerHead} {writerHook} {writerHead}"));
            Assert.Equal(name, AcdcNames.Parse(readerHook, readerHead, writerHook, writerHead, out string? lack));
            Assert.Null(lack);
        }
        Assert.Equal(2 * Shape.EdgeCount, seen.Count);
    }

    [Theory]
    [InlineData("input->a2.h1<q>", "Resid Start->A2.1.Q", "blocks.2.hook_q_input 1 blocks.0.hook_resid_pre ")]
    [InlineData("a0.h1->m2", "A0.1->MLP 2", "blocks.2.hook_mlp_in  blocks.0.attn.hook_result 1")]
    [InlineData("m1->logits", "MLP 1->Resid End", "blocks.2.hook_resid_post  blocks.1.hook_mlp_out ")]
    public void Names_are_those_of_the_programs(string name, string autoCircuit, string acdc)
    {
        Assert.True(Shape.TryParseEdge(name, out int row, out int column));
        Assert.Equal(autoCircuit, AutoCircuitNames.Of(Shape, row, column));
        (string readerHook, int? readerHead, string writerHook, int? writerHead) = AcdcNames.Of(Shape, row, column);
        Assert.Equal(acdc, $"{readerHook} {readerHead} {writerHook} {writerHead}");
    }

    // Random scores and a circuit of which no edge is scored 1 or 0 by chance alone.
    private static EdgeScores Sample()
    {
        EdgeScores random = ScoreSamples.Random(Shape, 4);
        Circuit circuit = new(Shape, random.EdgesInGraph);
        return CircuitFile.Marked(new Circuit(Shape, circuit.Membership)
        {
            Scores = new EdgeScores(Shape, random.Values) { NodeScores = random.NodeScores, ModelWidth = 24 },
            Provenance = ScoreSamples.Provenance,
        });
    }

    private static EdgeScores RoundTrip(string name, EdgeScores scores)
    {
        using TempFolder folder = new();
        GraphKind kind = GraphKinds.Find(name)!;
        string path = folder["graph" + kind.Ending];
        kind.Write(path, [scores]);
        EdgeScores read = Assert.Single(kind.Read(path, new GraphShape(Shape.Layers, Shape.Heads)));
        GraphParts lost = kind.Losses(scores), kept = GraphContent.Of(scores) & ~lost;
        Assert.Equal(Shape, read.Graph);
        if (kept.HasFlag(GraphParts.Circuit))
        {
            Assert.Equal(scores.EdgesInGraph, read.EdgesInGraph);
            Assert.Equal(scores.NodesInGraph, read.NodesInGraph);
        }
        else Assert.True(read.EdgesInGraph.IsEmpty);
        foreach ((int row, int column) in Shape.Edges)
        {
            bool isIn = scores.EdgesInGraph.IsEmpty || scores.EdgesInGraph[scores.IndexOf(row, column)];
            float expected = isIn || !lost.HasFlag(GraphParts.OtherScores) ? scores[row, column] : 0;
            Assert.Equal(expected, read[row, column]);
        }
        Assert.Equal(lost.HasFlag(GraphParts.NodeScores) ? [] : scores.NodeScores.ToArray(), read.NodeScores.ToArray());
        Assert.Equal(lost.HasFlag(GraphParts.Width) ? 0 : scores.ModelWidth, read.ModelWidth);
        if (kept.HasFlag(GraphParts.Provenance))
            Assert.Equal(scores.Provenance!.ToJson().ToJsonString(), read.Provenance!.ToJson().ToJsonString());
        Assert.Equal(0, read.UnscoredEdges);
        return read;
    }
}
