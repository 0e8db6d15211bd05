using System.Text;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Tests.Graph;

/// <summary>Graph files as the EAP-IG library leaves them: NaN where a node was not scored, no description of the graph, .pt.</summary>
public sealed class LibraryFileTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("NaN", float.NaN)]
    [InlineData("Infinity", float.NaN)]
    [InlineData("-Infinity", float.NaN)]
    [InlineData("null", float.NaN)]
    [InlineData("-2.5", -2.5f)]
    public void A_node_that_was_not_scored_is_no_hindrance_to_ranking_edges(string score, float expected)
    {
        EdgeScores scores = ReadJson($$"""
            {"cfg":{"n_layers":1,"n_heads":1,"parallel_attn_mlp":false,"d_model":4},
             "nodes":{"input":{"in_graph":false,"score":{{score}} },"a0.h0":{"in_graph":false,"score":0.5},
              "m0":{"in_graph":false,"score":1},"logits":{"in_graph":true} },"edges":{{Edges("0.25")}} }
            """);
        Assert.Equal([expected, 0.5f, 1f], scores.NodeScores.ToArray());
        Assert.Equal(8, scores.Rank(8).Length);
        foreach (string name in (string[])["again.json", "again.safetensors"])
        {
            scores.Save(_folder[name]);
            EdgeScores again = EdgeScores.Load(_folder[name]);
            Assert.Equal(scores.NodeScores.ToArray(), again.NodeScores.ToArray());
            Assert.Equal(scores.Values.ToArray(), again.Values.ToArray());
        }
        if (!float.IsNaN(expected)) return;
        GradpathException e = Assert.Throws<GradpathException>(() => CircuitSelection.Nodes(scores, 1));
        Assert.Contains("the node input was not scored", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Where_no_node_was_scored_there_are_no_node_scores()
    {
        EdgeScores scores = ReadJson($$"""
            {"cfg":{"n_layers":1,"n_heads":1},"nodes":{"input":{"in_graph":true,"score":NaN,"neurons":[true],
             "neurons_scores":[NaN, -Infinity,
             0.5]},"a0.h0":{"in_graph":true,"neurons_scores":[Infinity]},"m0":{"in_graph":true} },"edges":{{Edges("1")}} }
            """);
        Assert.True(scores.NodeScores.IsEmpty);
        Assert.Equal([true, true, true], scores.NodesInGraph.ToArray());
    }

    [Theory]
    [InlineData("NaN")]
    [InlineData("null")]
    public void An_edge_that_was_not_scored_counts_as_0_and_is_counted(string score)
    {
        EdgeScores scores = ReadJson(
            $$"""{"cfg":{"n_layers":1,"n_heads":1},"nodes":{"input":{"in_graph":true} },"edges":{{Edges(score)}} }""");
        Assert.Equal(scores.Graph.EdgeCount, scores.UnscoredEdges);
        Assert.All(scores.Values.ToArray(), v => Assert.Equal(0, v));
    }

    [Fact]
    public void An_edge_that_was_not_scored_is_counted_in_tensors_too()
    {
        using TempFolder folder = new();
        SafetensorsWriter file = new();
        float[] values = new float[15];
        values[0] = float.NaN;
        values[4] = 2;
        file.Add("edges_scores", values, 3, 5);
        file.Add("edges_in_graph", new byte[15], 3, 5);
        file.Add("nodes_in_graph", new byte[3], 3);
        file.Write(folder["x.safetensors"]);
        EdgeScores scores = EdgeScores.Load(folder["x.safetensors"]);
        Assert.Equal((1, 0f, 2f), (scores.UnscoredEdges, scores.Values[0], scores.Values[4]));
    }

    [Theory]
    [InlineData("Infinity")]
    [InlineData("-Infinity")]
    public void An_edge_that_has_no_finite_score_is_named(string score)
    {
        GradpathException e = Assert.Throws<GradpathException>(() => ReadJson(
            $$"""{"cfg":{"n_layers":1,"n_heads":1},"nodes":{"input":{"in_graph":true,"score":NaN} },"edges":{{Edges(score)}} }"""));
        Assert.Contains("the score of input->a0.h0<q> is infinite", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"a\": NaN, \"b\": [Infinity,-Infinity]}", true)]
    [InlineData("{\"NaN\": \"Infinity, \\\" NaN \\\\\", \"b\": -1}", false)]
    [InlineData("NaN", true)]
    [InlineData("Na", false)]
    [InlineData("-", false)]
    public void Only_bare_numbers_are_put_in_quotation_marks(string json, bool changes)
    {
        ReadOnlySpan<byte> bytes = Encoding.UTF8.GetBytes(json);
        string quoted = Encoding.UTF8.GetString(BareNumbers.Quote(bytes));
        Assert.Equal(json.Length, quoted.Length);
        Assert.Equal(changes, json != quoted);
        if (changes) Assert.DoesNotContain("NaN", quoted, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(4, 8)]
    [InlineData(12, 12)]
    [InlineData(3, 1)]
    public void Tensors_alone_tell_which_graph_they_are_of(int layers, int heads)
    {
        ComputationGraph graph = new(layers, heads);
        float[] values = new float[graph.Writers * graph.Readers];
        values[graph.LogitsColumn] = 0.5f;
        Write(graph.Writers, graph.Readers, values);
        EdgeScores scores = EdgeScores.Load(_folder["g.safetensors"]);
        Assert.Equal(graph, scores.Graph);
        Assert.Equal((0.5f, 0), (scores[0, graph.LogitsColumn], scores.ModelWidth));
    }

    [Theory]
    [InlineData(3, 6)]
    [InlineData(1, 1)]
    [InlineData(5, 3)]
    [InlineData(4, 10)]
    public void A_shape_of_no_graph_is_refused(int writers, int readers)
    {
        Write(writers, readers, new float[writers * readers]);
        GradpathException e = Assert.Throws<GradpathException>(() => EdgeScores.Load(_folder["g.safetensors"]));
        Assert.Contains($"has shape [{writers}, {readers}], which is that of no GPT-2 graph", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_of_PyTorch_comes_with_the_way_to_convert_it()
    {
        GradpathException e = Assert.Throws<GradpathException>(() => EdgeScores.Load("some/graph.pt"));
        Assert.EndsWith("Graph.from_pt(\"some/graph.pt\").to_json(\"some/graph.json\").", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_score_file_that_is_cut_off_is_not_to_be_fetched()
    {
        ScoreSamples.Zeros(new ComputationGraph(1, 1)).Save(_folder["s.safetensors"]);
        byte[] whole = File.ReadAllBytes(_folder["s.safetensors"]);
        foreach (int length in (int[])[0, 5, 20, whole.Length - 1])
        {
            File.WriteAllBytes(_folder["s.safetensors"], whole[..length]);
            GradpathException e = Assert.Throws<GradpathException>(() => EdgeScores.Load(_folder["s.safetensors"]));
            Assert.EndsWith("; fetch or make it again", e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Provenance_with_a_key_twice_is_refused_where_it_stands()
    {
        GradpathException e = Assert.Throws<GradpathException>(() => ReadJson(
            $$"""{"cfg":{"n_layers":1,"n_heads":1},"gradpath":{"options":{"a":1,"a":2} },"nodes":{},"edges":{{Edges("1")}} }"""));
        Assert.Contains("x.json: 'gradpath': not valid JSON: ", e.Message, StringComparison.Ordinal);
        Assert.Contains("uplicate", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(4, 8)]
    [InlineData(12, 12)]
    [InlineData(7, 1)]
    public void Edges_are_counted_without_a_graph(int layers, int heads) =>
        Assert.Equal(new ComputationGraph(layers, heads).EdgeCount, GraphNumbering.Edges(layers, heads));

    private static EdgeScores ReadJson(string json) => EdgeScoresJson.Read(Encoding.UTF8.GetBytes(json), "x.json");

    private static string Edges(string score)
    {
        ComputationGraph graph = new(1, 1);
        IEnumerable<string> edges = graph.Edges.Select(
            e => $"\"{graph.EdgeName(e.Row, e.Column)}\":{{\"score\":{score},\"in_graph\":false}}");
        return $"{{{string.Join(',', edges)}}}";
    }

    private void Write(int writers, int readers, float[] values)
    {
        SafetensorsWriter writer = new();
        writer.Add("edges_scores", values, writers, readers);
        writer.Add("edges_in_graph", new byte[values.Length], writers, readers);
        writer.Add("nodes_in_graph", new byte[writers], writers);
        writer.Write(_folder["g.safetensors"]);
    }
}
