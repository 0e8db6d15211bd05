using System.Text.Json;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Tests.Graph;

public sealed class ComputationGraphTests
{
    [Theory]
    [InlineData(6, 12, 79, 223, 7588)]
    [InlineData(12, 12, 157, 445, 32491)]
    [InlineData(24, 16, 409, 1177, 231877)]
    [InlineData(36, 20, 757, 2197, 810703)]
    [InlineData(48, 25, 1249, 3649, 2235025)]
    public void Gpt2_sizes_have_the_published_counts(int layers, int heads, int writers, int readers, int edges)
    {
        ComputationGraph graph = new(layers, heads);
        Assert.Equal((writers, readers, edges), (graph.Writers, graph.Readers, graph.EdgeCount));
        int seen = 0;
        foreach ((int row, int column) in graph.Edges)
        {
            seen++;
            if (!graph.IsEdge(row, column)) Assert.Fail($"{row}, {column} is no edge");
        }
        Assert.Equal(edges, seen);
    }

    [Theory]
    [InlineData("tiny-random", 2, 4)]
    [InlineData("nano-sort", 3, 3)]
    public void Numbering_and_edge_order_are_those_of_the_library(string model, int layers, int heads)
    {
        using JsonDocument golden = JsonDocument.Parse(File.ReadAllText(RepositoryFiles.Data($"goldens/{model}/graph.json")));
        JsonElement root = golden.RootElement;
        ComputationGraph graph = new(layers, heads);

        Assert.Equal(Strings(root.GetProperty("writers")), Enumerable.Range(0, graph.Writers).Select(graph.WriterName));
        Assert.Equal(Strings(root.GetProperty("readers")), Enumerable.Range(0, graph.Readers).Select(graph.ReaderName));
        Assert.Equal(root.GetProperty("first_rows_per_reader").EnumerateArray().Select(e => e.GetInt32()),
            Enumerable.Range(0, graph.Readers).Select(graph.WritersBefore));
        Assert.Equal(root.GetProperty("edges").EnumerateArray().Select(e => (e[0].GetString()!, e[1].GetInt32(), e[2].GetInt32())),
            graph.Edges.Select(e => (graph.EdgeName(e.Row, e.Column), e.Row, e.Column)));
    }

    [Fact]
    public void Every_name_is_read_back()
    {
        ComputationGraph graph = new(3, 11);
        for (int row = 0; row < graph.Writers; row++)
        {
            Assert.True(graph.TryParseWriter(graph.WriterName(row), out int readBack));
            Assert.Equal(row, readBack);
        }
        for (int row = 0; row < graph.Writers; row++)
        {
            for (int column = 0; column < graph.Readers; column++)
            {
                bool known = graph.TryParseEdge(graph.EdgeName(row, column), out int r, out int c);
                Assert.Equal(graph.IsEdge(row, column), known);
                if (known) Assert.Equal((row, column), (r, c));
            }
        }
    }

    [Theory]
    [InlineData("input->m0", true)]
    [InlineData("a0.h1->a1.h2<q>", true)]
    [InlineData("m1->logits", true)]
    [InlineData("a0.h1->m0", true)]
    [InlineData("", false)]
    [InlineData("->", false)]
    [InlineData("input", false)]
    [InlineData("input->", false)]
    [InlineData("input->input", false)]
    [InlineData("logits->m0", false)]
    [InlineData("a0.h1->a1.h2", false)]
    [InlineData("a0.h1->a1.h2<w>", false)]
    [InlineData("a0.h1->m1<q>", false)]
    [InlineData("a0.h1->a0.h2<q>", false)]
    [InlineData("m1->m0", false)]
    [InlineData("m1->m1", false)]
    [InlineData("a0.h3->m0", false)]
    [InlineData("m2->logits", false)]
    [InlineData("m00->logits", false)]
    [InlineData("m+1->logits", false)]
    [InlineData("m 1->logits", false)]
    [InlineData("a0h1->m0", false)]
    [InlineData("m99999999999->logits", false)]
    public void Only_names_of_edges_are_edges(string name, bool expected) =>
        Assert.Equal(expected, new ComputationGraph(2, 3).TryParseEdge(name, out _, out _));

    [Fact]
    public void Nodes_and_their_readers_agree()
    {
        ComputationGraph graph = new(4, 5);
        Assert.Empty(graph.ReadersOf(ComputationGraph.InputRow).ToArray());
        Assert.Equal([graph.LogitsColumn], graph.ReadersOf(graph.LogitsNode).ToArray());
        Assert.Equal(
            [graph.HeadColumn(2, HeadInput.Query, 3), graph.HeadColumn(2, HeadInput.Key, 3), graph.HeadColumn(2, HeadInput.Value, 3)],
            graph.ReadersOf(graph.HeadRow(2, 3)).ToArray());
        List<int> all = [];
        for (int node = 0; node <= graph.LogitsNode; node++)
        {
            foreach (int column in graph.ReadersOf(node))
            {
                Assert.Equal(node, graph.NodeOfColumn(column));
                all.Add(column);
            }
        }
        Assert.Equal(Enumerable.Range(0, graph.Readers), all.Order());
    }

    /// <summary>What the index helpers say of every writer and reader is what its name says.</summary>
    [Theory]
    [InlineData(3, 4)]
    [InlineData(1, 1)]
    public void Kind_layer_head_and_input_are_those_of_the_name(int layers, int heads)
    {
        ComputationGraph graph = new(layers, heads);
        for (int node = 0; node <= graph.LogitsNode; node++)
        {
            string name = graph.WriterName(node);
            Assert.Equal(KindOf(name), graph.KindOfWriter(node));
            if (name is "input" or "logits") Assert.Throws<ArgumentOutOfRangeException>(() => graph.LayerOfWriter(node));
            else Assert.Equal(Number(name, 0), graph.LayerOfWriter(node));
            if (name[0] == 'a') Assert.Equal(Number(name, 1), graph.HeadOfWriter(node));
            else Assert.Throws<ArgumentException>(() => graph.HeadOfWriter(node));
        }
        for (int column = 0; column < graph.Readers; column++)
        {
            string name = graph.ReaderName(column);
            Assert.Equal(KindOf(name), graph.KindOfReader(column));
            if (name == "logits") Assert.Throws<ArgumentOutOfRangeException>(() => graph.LayerOfReader(column));
            else Assert.Equal(Number(name, 0), graph.LayerOfReader(column));
            if (name[0] == 'a')
            {
                Assert.Equal(Number(name, 1), graph.HeadOfReader(column));
                Assert.Equal(name[^2], "qkv"[(int)graph.InputOfReader(column)]);
            }
            else
            {
                Assert.Throws<ArgumentException>(() => graph.HeadOfReader(column));
                Assert.Throws<ArgumentException>(() => graph.InputOfReader(column));
            }
        }

        static NodeKind KindOf(string name) =>
            name[0] switch { 'i' => NodeKind.Input, 'a' => NodeKind.Head, 'm' => NodeKind.Mlp, _ => NodeKind.Logits };
        static int Number(string name, int which) =>
            int.Parse(name.Split('a', 'm', '.', 'h', '<').Where(part => part.Length > 0).ElementAt(which));
    }

    [Fact]
    public void Numbers_outside_the_graph_are_refused()
    {
        ComputationGraph graph = new(2, 3);
        foreach (int node in (int[])[-1, graph.LogitsNode + 1])
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => graph.KindOfWriter(node));
            Assert.Throws<ArgumentOutOfRangeException>(() => graph.LayerOfWriter(node));
        }
        foreach (int column in (int[])[-1, graph.Readers])
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => graph.KindOfReader(column));
            Assert.Throws<ArgumentOutOfRangeException>(() => graph.LayerOfReader(column));
        }
    }

    [Fact]
    public void A_layer_has_one_writer_and_three_readers_a_head_and_one_of_each_for_the_mlp()
    {
        ComputationGraph graph = new(5, 3);
        Assert.Equal((4, 10), (graph.WritersPerLayer, graph.ReadersPerLayer));
        Assert.Equal(graph.Writers, 1 + (5 * graph.WritersPerLayer));
        Assert.Equal(graph.Readers, 1 + (5 * graph.ReadersPerLayer));
        Assert.Equal(graph.Readers, Enumerable.Range(0, (2 * 5) + 1).Sum(graph.ReadersOfSublayer));
    }

    private static IEnumerable<string> Strings(JsonElement array) => array.EnumerateArray().Select(e => e.GetString()!);
}
