using System.Text;
using System.Text.Json;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Tests.Graph;

public sealed class ScoreFileTests
{
    [Theory]
    [InlineData("scores.json")]
    [InlineData("scores.safetensors")]
    [InlineData("SCORES.JSON")]
    public void What_is_written_is_read_back_bit_for_bit(string name)
    {
        using TempFolder folder = new();
        string path = folder[name];
        EdgeScores full = ScoreSamples.Random(new ComputationGraph(3, 4), 1);
        ScoreFile.Write(path, full);
        ScoreSamples.AssertEqual(full, ScoreFile.Read(path));

        EdgeScores bare = new(full.Graph, full.Values);
        ScoreFile.Write(path, bare);
        EdgeScores readBack = ScoreFile.Read(path);
        Assert.True(readBack.NodeScores.IsEmpty);
        Assert.True(readBack.EdgesInGraph.IsEmpty);
        Assert.Equal(0, readBack.ModelWidth);
    }

    [Theory]
    [InlineData("empty.json")]
    [InlineData("empty.safetensors")]
    public void An_empty_circuit_is_not_the_same_as_none(string name)
    {
        using TempFolder folder = new();
        ComputationGraph graph = new(1, 1);
        EdgeScores scores = new(graph, new float[graph.Writers * graph.Readers])
        {
            EdgesInGraph = new bool[graph.Writers * graph.Readers],
            NodesInGraph = new bool[graph.Writers],
        };
        ScoreFile.Write(folder[name], scores);
        Assert.False(ScoreFile.Read(folder[name]).EdgesInGraph.IsEmpty);
    }

    [Fact]
    public void Json_has_the_form_of_the_library()
    {
        EdgeScores scores = ScoreSamples.Random(new ComputationGraph(2, 2), 3);
        using MemoryStream stream = new();
        EdgeScoresJson.Write(stream, scores);
        string text = Encoding.UTF8.GetString(stream.ToArray());
        Assert.Contains("\"input->a0.h0<q>\":{\"score\":", text, StringComparison.Ordinal);

        using JsonDocument json = JsonDocument.Parse(text);
        JsonElement root = json.RootElement;
        Assert.Equal(["cfg", "gradpath", "nodes", "edges"], root.EnumerateObject().Select(p => p.Name));
        Assert.Equal("{\"n_layers\":2,\"n_heads\":2,\"parallel_attn_mlp\":false,\"d_model\":24}", root.GetProperty("cfg").GetRawText());
        Assert.Equal(["input", "a0.h0", "a0.h1", "m0", "a1.h0", "a1.h1", "m1", "logits"],
            root.GetProperty("nodes").EnumerateObject().Select(p => p.Name));
        Assert.Equal("{\"in_graph\":true}", root.GetProperty("nodes").GetProperty("logits").GetRawText());
        Assert.Equal(scores.Graph.Edges.Select(e => scores.Graph.EdgeName(e.Row, e.Column)),
            root.GetProperty("edges").EnumerateObject().Select(p => p.Name));
        Assert.Equal("eap-gp", root.GetProperty("gradpath").GetProperty("method").GetString());
        Assert.Equal("2025-01-31T12:30:01Z", root.GetProperty("gradpath").GetProperty("created").GetString());
    }

    [Fact]
    public void The_published_circuit_is_read_and_written_unchanged()
    {
        string path = RepositoryFiles.Data("circuits/ioi-eap-ig.json");
        EdgeScores scores = ScoreFile.Read(path);
        Assert.Equal(new ComputationGraph(12, 12), scores.Graph);
        Assert.Equal(768, scores.ModelWidth);
        Assert.Equal(756, scores.EdgesInGraph.Count(true));
        Assert.Null(scores.Provenance);
        Assert.Equal(-0.0002955848758574575f, scores[0, 0]);

        using MemoryStream stream = new();
        EdgeScoresJson.Write(stream, scores);
        using JsonDocument expected = JsonDocument.Parse(File.ReadAllBytes(path));
        using JsonDocument actual = JsonDocument.Parse(stream.ToArray());
        foreach (string key in new[] { "cfg", "nodes", "edges" })
        {
            JsonElement.ObjectEnumerator e = expected.RootElement.GetProperty(key).EnumerateObject();
            JsonElement.ObjectEnumerator a = actual.RootElement.GetProperty(key).EnumerateObject();
            Assert.Equal(e.Select(Flatten), a.Select(Flatten));
        }

        static (string, float, string) Flatten(JsonProperty p) => (p.Name,
            p.Value.ValueKind == JsonValueKind.Object && p.Value.TryGetProperty("score", out JsonElement s) ? s.GetSingle() : 0,
            p.Value.ValueKind == JsonValueKind.Object && p.Value.TryGetProperty("in_graph", out JsonElement i)
                ? i.GetRawText()
                : p.Value.GetRawText());
    }

    [Theory]
    [InlineData("""{"cfg":{"n_layers":1,"n_heads":1,"parallel_attn_mlp":false},"nodes":{"input":true,"a0.h0":false,"m0":true,"logits":true},"edges":EDGES}""")]
    [InlineData("""{"edges":EDGES,"nodes":{"input":true,"a0.h0":false,"m0":true},"neurons":{"input":[true]},"neuron_scores":{"input":[0.5]},"cfg":{"n_heads":1,"n_layers":1,"d_model":4}}""")]
    [InlineData("""{"cfg":{"n_layers":1,"n_heads":1,"parallel_attn_mlp":false,"d_model":4},"nodes":{"input":{"in_graph":true,"neurons":[1,2],"neurons_scores":[0.1]},"a0.h0":{"in_graph":false},"m0":{"in_graph":true},"logits":{"in_graph":true}},"edges":EDGES}""")]
    public void All_shapes_that_the_library_has_written_are_read(string json)
    {
        EdgeScores scores = EdgeScoresJson.Read(
            Encoding.UTF8.GetBytes(json.Replace("EDGES", EightEdges, StringComparison.Ordinal)), "x.json");
        Assert.Equal([true, false, true], scores.NodesInGraph);
        Assert.Equal(0.5f, scores[0, 0]);
        Assert.Equal(0f, scores[0, 1]);
        Assert.Equal(-1e-7f, scores[2, 4]);
        Assert.Equal(1, scores.EdgesInGraph.Count(true));
    }

    [Theory]
    [InlineData("", "not JSON")]
    [InlineData("[]", "must be an object")]
    [InlineData("{", "not JSON")]
    [InlineData("{}", "\"cfg\", \"nodes\", \"edges\"")]
    [InlineData("""{"cfg":{},"nodes":{}}""", "no \"edges\"")]
    [InlineData("""{"cfg":{},"nodes":{},"edges":{}}""", "n_layers")]
    [InlineData("""{"cfg":{"n_layers":0,"n_heads":1},"nodes":{},"edges":{}}""", "n_layers")]
    [InlineData("""{"cfg":{"n_layers":1e9,"n_heads":1},"nodes":{},"edges":{}}""", "n_layers")]
    [InlineData("""{"cfg":{"n_layers":100000,"n_heads":100000},"nodes":{},"edges":{}}""", "at most 2147483591 pairs")]
    [InlineData("""{"cfg":{"n_layers":100,"n_heads":100},"nodes":{},"edges":{}}""", "cannot hold the 150535151 edges")]
    [InlineData("""{"cfg":{"n_layers":1,"n_heads":1,"parallel_attn_mlp":true},"nodes":{},"edges":{}}""", "parallel_attn_mlp")]
    [InlineData("""{"cfg":{"n_layers":1,"n_heads":1},"nodes":{"a3.h0":true},"edges":{}}""", "a3.h0")]
    [InlineData("""{"cfg":{"n_layers":1,"n_heads":1},"nodes":{"input":1},"edges":{}}""", "input must be true or false")]
    [InlineData("""{"cfg":{"n_layers":1,"n_heads":1},"nodes":{},"edges":{}}""", "0 edges of 8")]
    [InlineData("""{"cfg":{"n_layers":1,"n_heads":1},"nodes":{},"edges":{"input->m5":{"score":1,"in_graph":true}}}""", "another model")]
    [InlineData("""{"cfg":{"n_layers":1,"n_heads":1},"nodes":{},"edges":{"input->m0":{"score":-Infinity,"in_graph":true}}}""", "infinite")]
    [InlineData("""{"cfg":{"n_layers":1,"n_heads":1},"nodes":{},"edges":{"input->m0":{"score":1},"input->logits":{"in_graph":true}}}""", "input->logits has no score")]
    [InlineData("""{"cfg":{"n_layers":1,"n_heads":1},"nodes":{},"edges":{"input->m0":{"score":1e99,"in_graph":true}}}""", "beyond float32")]
    [InlineData("""{"cfg":{"n_layers":1,"n_heads":1},"nodes":{},"edges":{"input->m0":{"score":"1","in_graph":true}}}""", "a number")]
    [InlineData("""{"cfg":{"n_layers":1,"n_heads":1},"nodes":{},"edges":{"input->m0":{"score":1},"input->m0":{"score":1}}}""", "twice")]
    [InlineData("""{"gradpath":{"items":"many"},"cfg":{},"nodes":{},"edges":{}}""", "gradpath.items")]
    [InlineData("""{"gradpath":3,"cfg":{},"nodes":{},"edges":{}}""", "gradpath")]
    public void Malformed_json_is_explained(string json, string expected)
    {
        using TempFolder folder = new();
        string path = folder["bad.json"];
        File.WriteAllText(path, json);
        string message = Assert.Throws<GradpathException>(() => ScoreFile.Read(path)).Message;
        Assert.Contains(path, message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("scores.pt", ".pt")]
    [InlineData("scores", "no extension")]
    [InlineData("scores.csv", ".csv")]
    public void Other_extensions_are_refused(string name, string expected)
    {
        EdgeScores scores = ScoreSamples.Zeros(new ComputationGraph(1, 1));
        Assert.Contains(expected, Assert.Throws<GradpathException>(() => ScoreFile.Read(name)).Message, StringComparison.Ordinal);
        Assert.Contains(expected, Assert.Throws<GradpathException>(() => ScoreFile.Write(name, scores)).Message, StringComparison.Ordinal);
        Assert.Contains(
            expected, Assert.Throws<GradpathException>(() => ScoreFile.RequireWritable(name)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Asking_whether_a_file_can_be_written_leaves_nothing_behind()
    {
        using TempFolder folder = new();
        ScoreFile.RequireWritable(folder["later.json"]);
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
        Assert.Contains("create it first", Assert.Throws<GradpathException>(() =>
            ScoreFile.RequireWritable(folder["none/later.json"])).Message, StringComparison.Ordinal);
        Directory.CreateDirectory(folder["folder.json"]);
        Assert.Contains("directory", Assert.Throws<GradpathException>(() => ScoreFile.RequireWritable(folder["folder.json"])).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nan.json")]
    [InlineData("nan.safetensors")]
    public void Nan_is_refused_and_the_old_file_stays(string name)
    {
        using TempFolder folder = new();
        string path = folder[name];
        EdgeScores scores = ScoreSamples.Random(new ComputationGraph(2, 2), 9);
        ScoreFile.Write(path, scores);
        byte[] before = File.ReadAllBytes(path);
        scores = ScoreSamples.Changed(scores, values => values[scores.IndexOf(0, 6)] = float.NaN);
        Assert.Contains(
            "input->m0", Assert.Throws<GradpathException>(() => ScoreFile.Write(path, scores)).Message, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(path));
        Assert.Single(Directory.GetFiles(Path.GetDirectoryName(path)!));
    }

    [Fact]
    public void A_safetensors_file_of_something_else_is_explained()
    {
        using TempFolder folder = new();
        string path = folder["other.safetensors"];
        SafetensorsWriter writer = new();
        writer.Add("edges_scores", new float[6], 2, 3);
        writer.Write(path);
        Assert.Contains("cfg", Assert.Throws<GradpathException>(() => ScoreFile.Read(path)).Message, StringComparison.Ordinal);

        writer = new();
        writer.AddMetadata("cfg", """{"n_layers":1,"n_heads":1,"d_model":4}""");
        writer.Add("edges_scores", new float[6], 2, 3);
        writer.Add("edges_in_graph", new byte[15], 3, 5);
        writer.Add("nodes_in_graph", new byte[3], 3);
        writer.Write(path);
        Assert.Contains("[3, 5]", Assert.Throws<GradpathException>(() => ScoreFile.Read(path)).Message, StringComparison.Ordinal);
    }

    private const string EightEdges =
        """{"input->a0.h0<q>":{"score":0.5,"in_graph":true},"input->a0.h0<k>":{"score":null,"in_graph":false},"input->a0.h0<v>":{"score":1.0,"in_graph":false},"input->m0":{"score":0,"in_graph":false},"a0.h0->m0":{"score":2,"in_graph":false},"input->logits":{"score":3,"in_graph":false},"a0.h0->logits":{"score":4,"in_graph":false},"m0->logits":{"score":-1e-7,"in_graph":false}}""";
}
