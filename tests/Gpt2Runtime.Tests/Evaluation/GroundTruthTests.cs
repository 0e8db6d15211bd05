using System.Text.Json;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Tests.Evaluation;

public sealed class GroundTruthTests
{
    [Theory]
    [InlineData("ioi", "ioi_edges", 963, 26, 7)]
    [InlineData("greater-than", "greater_than_edges", 235, 17, 5)]
    public void The_rules_give_the_listed_edges(string task, string file, int count, int classMembers, int classes)
    {
        JsonElement json = JsonElement.Parse(File.ReadAllBytes(RepositoryFiles.Data($"ground-truth/{file}.json")));
        ComputationGraph graph = new(12, 12);
        string[] expected = [.. json.GetProperty("edges").EnumerateArray().Select(e => $"{e[0].GetString()}->{Reader(e[1].GetString()!)}")
            .Order(StringComparer.Ordinal)];
        GroundTruth truth = GroundTruth.Find(task)!;
        Assert.Equal(expected, truth.Circuit.Edges.Select(e => graph.EdgeName(e.Row, e.Column)).Order(StringComparer.Ordinal));
        Assert.Equal((count, count), (expected.Length, truth.Circuit.EdgeCount));
        Assert.Equal((classMembers, classes), (truth.Classes.Sum(c => c.Rows.Count), truth.Classes.Count));
        Assert.All(truth.Classes.SelectMany(c => c.Rows), row => Assert.True(truth.Circuit.ContainsNode(row)));
    }

    [Fact]
    public void Counts_by_kind_of_edge_are_the_published_ones()
    {
        Assert.Equal([124, 123, 13, 45, 12, 1, 567, 66, 12], Counts(GroundTruth.Ioi));
        Assert.Equal([54, 27, 6, 9, 4, 0, 89, 42, 4], Counts(GroundTruth.GreaterThan));

        static int[] Counts(GroundTruth truth)
        {
            ComputationGraph graph = truth.Circuit.Graph;
            string Kind(int node) =>
                node == graph.LogitsNode ? "output" : graph.WriterName(node)[0] switch { 'i' => "input", 'a' => "head", _ => "mlp" };
            return [.. new[] { "head head", "head mlp", "head output", "input head", "input mlp", "input output", "mlp head", "mlp mlp",
                "mlp output" }
                .Select(kind => truth.Circuit.Edges.Count(e => $"{Kind(e.Row)} {Kind(graph.NodeOfColumn(e.Column))}" == kind))];
        }
    }

    [Fact]
    public void They_are_found_by_name()
    {
        Assert.Same(GroundTruth.Ioi, GroundTruth.Find("ioi"));
        Assert.Null(GroundTruth.Find("sva"));
        Assert.Equal(["ioi", "greater-than"], GroundTruth.All.Select(t => t.Name));
    }

    // "a7.h3.k" is a7.h3<k>, "output" is logits.
    private static string Reader(string name) => name == "output" ? "logits" : name[0] == 'a' ? $"{name[..^2]}<{name[^1]}>" : name;
}
