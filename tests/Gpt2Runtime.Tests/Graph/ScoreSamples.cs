using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Gpt2Runtime.Tests.Graph;

/// <summary>Scores to write and read.</summary>
internal static class ScoreSamples
{
    public static Provenance Provenance { get; } = new()
    {
        Version = "1.2.3",
        Model = "some model \"é\"",
        ModelHash = "abc",
        Data = "ioi.csv",
        DataHash = "def",
        Task = "ioi",
        BeginToken = new BeginToken(50256, "<|endoftext|>"),
        Method = "eap-gp",
        Metric = "logit-diff",
        Options = new JsonObject { ["steps"] = 5, ["path-eta"] = "match", ["record"] = true },
        Ablation = "patching",
        Normalization = "item",
        Device = "cpu",
        Precision = "fp32",
        BatchSize = 16,
        Seed = 7,
        Items = 100,
        Sign = Provenance.LossSign,
        Created = new DateTime(2025, 1, 31, 12, 30, 1, DateTimeKind.Utc),
    };

    public static EdgeScores Zeros(ComputationGraph graph) => new(graph, new float[graph.Writers * graph.Readers]);

    /// <summary>Scores over many orders of magnitude, of both signs, subnormals and zeros included; a circuit; node scores.</summary>
    public static EdgeScores Random(ComputationGraph graph, int seed)
    {
        Random random = new(seed);
        float Next()
        {
            float value;
            do value = BitConverter.Int32BitsToSingle(random.Next(int.MinValue, int.MaxValue));
            while (!float.IsFinite(value));
            return random.Next(10) == 0 ? 0 : value;
        }
        float[] nodes = [.. Enumerable.Range(0, graph.Writers).Select(_ => Next())];
        bool[] nodesIn = [.. Enumerable.Range(0, graph.Writers).Select(_ => random.Next(2) == 0)];
        var values = new float[graph.Writers * graph.Readers];
        var edgesIn = new bool[values.Length];
        foreach ((int row, int column) in graph.Edges)
        {
            values[(row * graph.Readers) + column] = Next();
            edgesIn[(row * graph.Readers) + column] = random.Next(3) == 0;
        }
        return new EdgeScores(graph, values)
        {
            NodeScores = nodes,
            NodesInGraph = nodesIn,
            EdgesInGraph = edgesIn,
            ModelWidth = 24,
            Provenance = Provenance,
        };
    }

    /// <summary>The same scores with other values.</summary>
    public static EdgeScores Changed(EdgeScores scores, Action<float[]> change)
    {
        float[] values = scores.Values.ToArray();
        change(values);
        return new EdgeScores(scores.Graph, values)
        {
            NodeScores = scores.NodeScores,
            NodesInGraph = scores.NodesInGraph,
            EdgesInGraph = scores.EdgesInGraph,
            ModelWidth = scores.ModelWidth,
            Provenance = scores.Provenance,
        };
    }

    public static void AssertEqual(EdgeScores expected, EdgeScores actual)
    {
        Assert.Equal(expected.Graph, actual.Graph);
        Assert.Equal(expected.ModelWidth, actual.ModelWidth);
        Assert.Equal(Bits(expected.Values), Bits(actual.Values));
        Assert.Equal(Bits(expected.NodeScores), Bits(actual.NodeScores));
        Assert.Equal(expected.EdgesInGraph, actual.EdgesInGraph);
        Assert.Equal(expected.NodesInGraph, actual.NodesInGraph);
        Assert.Equal(expected.Provenance?.ToJson().ToJsonString(), actual.Provenance?.ToJson().ToJsonString());
    }

    private static int[] Bits(ReadOnlySpan<float> values) => MemoryMarshal.Cast<float, int>(values).ToArray();
}
