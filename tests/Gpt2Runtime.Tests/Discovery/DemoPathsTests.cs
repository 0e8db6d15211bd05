using System.Collections.Immutable;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Model;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Gpt2Runtime.Tests.Discovery;

/// <summary>
/// What the demo model's card says about its circuit for indirect object identification: path patching names the heads, and their
/// attention confirms what they do.
/// </summary>
public sealed class DemoPathsTests : IDisposable
{
    private const int Prompts = 100;

    // Strongest first.
    private static readonly string[] s_deciding = ["a3.h5", "a3.h7", "a3.h0", "a3.h4", "a3.h2", "a3.h6"];

    private readonly CpuDevice _device = new(2);
    private readonly Gpt2Checkpoint _checkpoint = Gpt2Checkpoint.Open(RepositoryFiles.DemoModel);
    private readonly Gpt2Weights _weights;
    private readonly ComputationGraph _graph;
    private readonly IReadOnlyList<PromptPair> _pairs = PromptLoader.Load("ioi", null, Tokenizers.Demo,
        new PromptOptions { Limit = Prompts }).Pairs;

    public DemoPathsTests()
    {
        _weights = _checkpoint.LoadWeights(_device);
        _graph = new ComputationGraph(_weights.Config);
    }

    [Fact]
    public void Rounds_lead_from_the_logits_to_six_heads_of_the_last_layer_and_from_their_values_to_the_first_mlp()
    {
        PathTracingResult trace = CircuitSearches.PathTracing.Search(
            _weights, PromptSet.Of(_pairs), new PathTracingOptions { FreezeMlps = true, Rounds = 2 });
        PathEdge[] first = [.. trace.Rounds[0].Edges];
        Assert.Equal(s_deciding, first.Select(e => _graph.WriterName(e.Row)));
        Assert.Equal(-27.5, 100 * first[0].Effect / trace.CleanMetric, 0.1);
        Assert.All(first, e => Assert.True(e.Effect < 0));
        Assert.All(trace.Rounds[1].Edges, e => Assert.Equal("m0", _graph.WriterName(e.Row)));
        Assert.All(trace.Rounds[1].Edges, e => Assert.EndsWith("<v>", _graph.ReaderName(e.Receiver.Column), StringComparison.Ordinal));
        Assert.Equal(s_deciding.Length, trace.Rounds[1].Edges.Count);
    }

    [Fact]
    public void What_they_read_stands_where_the_subject_comes_again()
    {
        PathQuery At(string position) => new(
            [_graph.MlpRow(0)],
            [.. s_deciding.Select(name =>
            {
                Assert.True(_graph.TryParseReader($"{name}<v>", out int column));
                return new PathReceiver(column, TokenPositions.Parse(position));
            })]);
        IReadOnlyList<ImmutableArray<double>> effects = PathPatching.Measure(
            _weights, PromptSet.Of(_pairs), [At("all"), At("S2"), At("IO,S1")], new PathPatchingOptions { FreezeMlps = true }).Effects;
        Assert.Equal(effects[0][0], effects[1][0], Math.Abs(0.01 * effects[0][0]));
        Assert.Equal(0, effects[2][0], 1e-3);
    }

    [Fact]
    public void Following_all_that_counts_for_a_percent_gives_a_faithful_circuit()
    {
        PathTracingResult trace = CircuitSearches.PathTracing.Search(
            _weights, PromptSet.Of(_pairs), new PathTracingOptions { FreezeMlps = true, Threshold = 0.01 });
        Circuit circuit = trace.Circuit;
        EvaluationResult result = CircuitEvaluation.Evaluate(
            _weights, PromptSet.Of(_pairs), [circuit], new EvaluationOptions { Metric = BuiltInMetrics.LogitDifference });
        Assert.Equal(83, circuit.EdgeCount);
        Assert.Equal(0.956, Faithfulness.Of(result.Full, result.Circuits[0], result.Empty), 0.005);
    }

    [Fact]
    public void At_the_end_they_attend_to_the_second_subject_and_heads_of_the_first_layers_to_both_names()
    {
        Dictionary<(string Head, string To), double> attention = AttentionFromEnd("IO", "S1", "S2");
        foreach (string head in s_deciding)
        {
            Assert.True(attention[(head, "S2")] > 0.75, $"{head} to S2: {attention[(head, "S2")]}");
            Assert.True(attention[(head, "IO")] < 0.1, $"{head} to IO: {attention[(head, "IO")]}");
        }
        foreach (string head in new[] { "a0.h0", "a0.h1", "a0.h2", "a1.h0", "a1.h1", "a1.h6" })
        {
            Assert.InRange(attention[(head, "IO")], 0.3, 0.7);
            Assert.InRange(attention[(head, "S1")], 0.3, 0.7);
        }
    }

    public void Dispose()
    {
        _weights.Dispose();
        _checkpoint.Dispose();
        _device.Dispose();
    }

    // Mean attention of every head from the last token to named ones.
    private Dictionary<(string Head, string To), double> AttentionFromEnd(params string[] positions)
    {
        var forward = new ForwardPass(_weights);
        Dictionary<(string Head, string To), double> attention = [];
        foreach (PromptPair pair in _pairs)
        {
            using var shape = new PassShape(_device, [pair.Length], 1, answerOnly: false);
            using var a = new Activations(_weights.Config, _device, PassCapacity.For([pair.Length], 1, false), keepWriters: false);
            using Tensor embeddings = _device.Allocate(pair.Length, _weights.Config.Width);
            using DeviceArray<int> tokens = _device.Store<int>(pair.Clean);
            _device.GatherRows(_weights.TokenEmbedding, tokens, pair.Length, _weights.Config.Width, embeddings);
            forward.Embed(shape, a, embeddings);
            forward.Run(shape, a);
            for (int layer = 0; layer < _graph.Layers; layer++)
            {
                var probabilities = new float[a.Probabilities[layer].Length];
                a.Probabilities[layer].Download(probabilities);
                for (int head = 0; head < _graph.Heads; head++)
                {
                    string name = _graph.WriterName(_graph.HeadRow(layer, head));
                    foreach (string to in positions)
                    {
                        float p = probabilities[(((head * pair.Length) + pair.Length - 1) * pair.Length) + pair.KeyPositions[to]];
                        attention[(name, to)] = attention.GetValueOrDefault((name, to)) + (p / _pairs.Count);
                    }
                }
            }
        }
        return attention;
    }
}
