using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Gpt2Runtime.Tests.Attribution;

/// <summary>What AtP* is for: edges that a gradient at the clean run alone does not see.</summary>
public sealed class DroppedGradientsTests
{
    private static readonly Gpt2Config Config = new()
    {
        Layers = 2,
        Heads = 2,
        Width = 12,
        InnerWidth = 16,
        Positions = 8,
        Vocabulary = 11,
    };

    /// <summary>
    /// With scores so large that every pattern is 0 or 1 the softmax has no gradient, and corrupting a query still changes it.
    /// </summary>
    [Fact]
    public void Saturated_attention_hides_queries_and_keys_from_eap_alone()
    {
        Dictionary<string, double[]> tensors = Tensors();
        for (int l = 0; l < Config.Layers; l++)
        {
            double[] qkv = tensors[$"h.{l}.attn.c_attn.weight"];
            for (int i = 0; i < qkv.Length; i++)
            {
                if (i % (3 * Config.Width) < 2 * Config.Width) qkv[i] *= 100;
            }
        }
        using CpuDevice device = new(2);
        using Gpt2Weights weights = EngineModels.Weights(new ReferenceModel(Config, tensors), device);
        float[] eap = Last(weights, AttributionMethods.Eap), atp = Last(weights, AttributionMethods.AtpStar),
            exact = Last(weights, AttributionMethods.Exact);
        Assert.True(exact.Sum(Math.Abs) > 1, $"{exact.Sum(Math.Abs)}");
        Assert.True(eap.Sum(Math.Abs) < 0.1 * exact.Sum(Math.Abs), $"{eap.Sum(Math.Abs)} of {exact.Sum(Math.Abs)}");
        Assert.InRange(atp.Sum(Math.Abs) / exact.Sum(Math.Abs), 0.5, 2);
    }

    /// <summary>
    /// A layer that takes away part of what reaches the logits past it hides that part from EAP; without its gradient the part shows.
    /// </summary>
    [Fact]
    public void Dropping_a_layer_shows_what_it_cancels_and_changes_nothing_behind_it()
    {
        using OddModel model = OddModel.Make("relu, unscaled attention");
        float[] eap = model.Score(model.Mixed[..1], new AttributionOptions { Method = AttributionMethods.Eap }).Edges();
        float[] atp = model.Score(model.Mixed[..1], new AttributionOptions { Method = AttributionMethods.AtpStar }).Edges();
        var graph = new ComputationGraph(model.Reference.Config);

        // Into the logits nothing lies behind that could be dropped: the sizes are EAP's.
        for (int row = 0; row < graph.Writers; row++)
        {
            int cell = (row * graph.Readers) + graph.LogitsColumn;
            Assert.Equal(Math.Abs(eap[cell]), atp[cell], 1e-5);
        }

        // Two layers lie behind the first one's MLP.
        int[] first = [.. Enumerable.Range(0, graph.WritersBefore(graph.MlpColumn(0))).Select(row => (row * graph.Readers)
            + graph.MlpColumn(0))];
        Assert.Contains(first, cell => atp[cell] > 1.2 * Math.Abs(eap[cell]));
    }

    [Fact]
    public void Scores_are_sizes_without_nodes()
    {
        using OddModel model = OddModel.Make("untied, erf");
        EdgeScores scores = EdgeAttribution.Score(
            model.Weights, PromptSet.Of(model.Mixed), new AttributionOptions { Method = AttributionMethods.AtpStar });
        Assert.All(scores.Values.ToArray(), s => Assert.True(s >= 0));
        Assert.Empty(scores.NodeScores.ToArray());
        Assert.StartsWith("none: the estimated size", scores.Provenance?.Sign, StringComparison.Ordinal);
    }

    // The last layer's queries and keys: what they change goes to the logits through its MLP and nothing else.
    private static float[] Last(Gpt2Weights weights, AttributionMethod method)
    {
        PromptPair[] pairs = ReferencePrompts.Random(Config.Vocabulary, count: 6, shortest: 4, longest: 7, seed: 32);
        float[] scores = EdgeAttribution.Score(
            weights, PromptSet.Of(pairs), new AttributionOptions { Method = method }).Values.ToArray();
        var graph = new ComputationGraph(Config);
        return [.. from input in (HeadInput[])[HeadInput.Query, HeadInput.Key]
            from head in Enumerable.Range(0, graph.Heads)
            let column = graph.HeadColumn(1, input, head)
            from row in Enumerable.Range(0, graph.WritersBefore(column))
            select scores[(row * graph.Readers) + column]];
    }

    private static Dictionary<string, double[]> Tensors() => ReferenceModel.Random(Config, 31).FloatTensors()
        .ToDictionary(t => t.Key, t => Array.ConvertAll(t.Value, v => (double)v));
}
