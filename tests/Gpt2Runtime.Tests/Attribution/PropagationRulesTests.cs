using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Gpt2Runtime.Tests.Attribution;

/// <summary>What follows from the rules of RelP and GIM, beside that they are computed as the reference computes them.</summary>
public sealed class PropagationRulesTests
{
    /// <summary>
    /// Relevance is conserved: without biases RelP sees a linear model, so taking the whole input away takes the whole metric away.
    /// </summary>
    [Theory]
    [InlineData(Gpt2Activation.GeluNew)]
    [InlineData(Gpt2Activation.Relu)]
    [InlineData(Gpt2Activation.Tanh)]
    public void Without_biases_the_relevance_of_the_input_is_the_metric(Gpt2Activation activation)
    {
        (double relp, double eap, double metric) = Sums(activation);
        Assert.Equal(metric, relp, Math.Abs(metric) * 1e-4);
        Assert.True(Math.Abs(metric - eap) > Math.Abs(metric) * 0.01);
    }

    [Fact]
    public void Relp_gives_queries_and_keys_nothing_and_gim_does()
    {
        using OddModel model = OddModel.Make("untied, erf");
        var graph = new ComputationGraph(model.Reference.Config);
        float[] relp = Score(model, AttributionMethods.Relp), gim = Score(model, AttributionMethods.Gim);
        (int Row, int Column)[] patterns = [.. from layer in Enumerable.Range(0, graph.Layers)
            from head in Enumerable.Range(0, graph.Heads)
            from input in (HeadInput[])[HeadInput.Query, HeadInput.Key]
            let column = graph.HeadColumn(layer, input, head)
            from row in Enumerable.Range(0, graph.WritersBefore(column))
            select (row, column)];
        Assert.All(patterns, e => Assert.Equal(0, relp[(e.Row * graph.Readers) + e.Column]));
        Assert.Contains(patterns, e => Math.Abs(gim[(e.Row * graph.Readers) + e.Column]) > 1e-3);
        Assert.Contains(relp, s => Math.Abs(s) > 1e-2);
    }

    /// <summary>The last layer's attention: nothing but its own rule and the LayerNorms' lies between its values and the loss.</summary>
    [Fact]
    public void Gim_halves_what_values_get()
    {
        using OddModel model = OddModel.Make("one head");
        var graph = new ComputationGraph(model.Reference.Config);
        int column = graph.HeadColumn(0, HeadInput.Value, 0);

        // Behind the one head stands an MLP that RelP takes otherwise; a model whose MLP writes nothing has no such difference.
        Dictionary<string, float[]> tensors = new(model.Reference.FloatTensors());
        tensors["h.0.mlp.c_proj.weight"] = new float[tensors["h.0.mlp.c_proj.weight"].Length];
        var silent = new ReferenceModel(
            model.Reference.Config, tensors.ToDictionary(t => t.Key, t => Array.ConvertAll(t.Value, v => (double)v)));
        using Gpt2Weights weights = EngineModels.Weights(silent, model.Device);
        float Value(AttributionMethod method) => EdgeAttribution.Score(
            weights, PromptSet.Of(model.Mixed), new AttributionOptions { Method = method }).Values[column];
        float relp = Value(AttributionMethods.Relp);
        Assert.Equal(relp / 2, Value(AttributionMethods.Gim), Math.Abs(relp) * 1e-5);
        Assert.NotEqual(0, relp);
    }

    private static float[] Score(OddModel model, AttributionMethod method) =>
        model.Score(model.Mixed, new AttributionOptions { Method = method }).Edges();

    private static (double Relp, double Eap, double Metric) Sums(Gpt2Activation activation)
    {
        Gpt2Config config = new()
        {
            Layers = 2,
            Heads = 3,
            Width = 12,
            InnerWidth = 20,
            Positions = 8,
            Vocabulary = 11,
            Activation = activation,
        };
        Dictionary<string, double[]> tensors = ReferenceModel.Random(config, 21).FloatTensors()
            .ToDictionary(t => t.Key, t => Array.ConvertAll(t.Value, v => (double)v));
        foreach (string name in tensors.Keys.Where(n => n.EndsWith("bias", StringComparison.Ordinal) || n == "wpe.weight"))
            Array.Clear(tensors[name]);
        using CpuDevice device = new(2);
        using Gpt2Weights weights = EngineModels.Weights(new ReferenceModel(config, tensors), device);
        PromptSet prompts = PromptSet.Of(ReferencePrompts.Random(config.Vocabulary, count: 4, shortest: 3, longest: 6, seed: 22));
        AttributionResult Run(AttributionMethod method) => EdgeAttribution.Run(
            weights, prompts, new AttributionOptions { Method = method, Ablation = Ablation.Zero });
        AttributionResult relp = Run(AttributionMethods.Relp), eap = Run(AttributionMethods.Eap);
        int readers = new ComputationGraph(config).Readers;
        return (
            relp.Edges()[..readers].Sum(s => (double)s), eap.Edges()[..readers].Sum(s => (double)s), relp.CleanMetric.Average());
    }
}
