using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Graph;
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
        EdgeScores scores = new(graph, new float[graph.Writers * graph.Readers])
        {
            NodeScores = [.. Enumerable.Range(0, graph.Writers).Select(_ => Next())],
            NodesInGraph = [.. Enumerable.Range(0, graph.Writers).Select(_ => random.Next(2) == 0)],
            EdgesInGraph = new bool[graph.Writers * graph.Readers],
            ModelWidth = 24,
            Provenance = Provenance,
        };
        foreach ((int row, int column) in graph.Edges)
        {
            scores.Values[scores.IndexOf(row, column)] = Next();
            scores.EdgesInGraph[scores.IndexOf(row, column)] = random.Next(3) == 0;
        }
        return scores;
    }

    public static void AssertEqual(EdgeScores expected, EdgeScores actual)
    {
        Assert.Equal(expected.Graph, actual.Graph);
        Assert.Equal(expected.ModelWidth, actual.ModelWidth);
        Assert.Equal(Bits(expected.Values), Bits(actual.Values));
        Assert.Equal(expected.NodeScores is null ? null : Bits(expected.NodeScores), actual.NodeScores is null ? null : Bits(actual.NodeScores));
        Assert.Equal(expected.EdgesInGraph, actual.EdgesInGraph);
        Assert.Equal(expected.NodesInGraph, actual.NodesInGraph);
        Assert.Equal(expected.Provenance?.ToJson().ToJsonString(), actual.Provenance?.ToJson().ToJsonString());
    }

    private static int[] Bits(float[] values) => Array.ConvertAll(values, BitConverter.SingleToInt32Bits);
}
