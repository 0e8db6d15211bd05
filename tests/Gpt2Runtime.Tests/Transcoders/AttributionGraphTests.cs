using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Tokenization;
using Gradpath.Gpt2Runtime.Transcoders;
using Gradpath.Kernels.Cpu;
using Xunit.Abstractions;

namespace Gradpath.Gpt2Runtime.Tests.Transcoders;

/// <summary>Attribution graphs against the model in float64, frozen and free.</summary>
public sealed class AttributionGraphTests(ITestOutputHelper output) : IDisposable
{
    private static readonly Gpt2Config s_config = new()
    {
        Layers = 3,
        Heads = 2,
        Width = 12,
        InnerWidth = 24,
        Positions = 16,
        Vocabulary = 20,
    };

    private static readonly int[] s_tokens = [3, 17, 5, 5, 11];

    private readonly CpuDevice _device = new(1);
    private readonly TempFolder _folder = new();

    public void Dispose()
    {
        _device.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(false, TranscoderInput.Mlp)]
    [InlineData(true, TranscoderInput.Mlp)]
    [InlineData(true, TranscoderInput.Normalized)]
    [InlineData(true, TranscoderInput.Residual)]
    internal void Features_and_errors_are_all_that_the_MLP_writes(bool skip, TranscoderInput input)
    {
        using Gpt2Weights weights = Model();
        using TranscoderSet set = Set(skip, input);
        AttributionGraph graph = Build(weights, set);
        PlainModel plain = new(weights, s_tokens);
        double worst = 0;
        for (int l = 0; l < s_config.Layers; l++)
        {
            for (int i = 0; i < s_tokens.Length; i++)
            {
                double[] sum = Written(graph, set, l, i, Read(weights, l, plain.MlpInputs[l][i], plain.Streams[l][i], input), _ => 1);
                for (int c = 0; c < s_config.Width; c++) worst = Math.Max(worst, Math.Abs(sum[c] - plain.MlpOutputs[l][i][c]));
            }
        }
        output.WriteLine($"largest difference {worst:0.0e0}");
        Assert.True(worst < 5e-6, $"{worst}");
        Assert.Contains(graph.Sources.Slots, s => s.Feature >= 0);
    }

    /// <summary>Each edge is what its target loses where its source is taken away from the frozen model.</summary>
    [Theory]
    [InlineData(false, TranscoderInput.Mlp)]
    [InlineData(true, TranscoderInput.Mlp)]
    [InlineData(true, TranscoderInput.Normalized)]
    [InlineData(true, TranscoderInput.Residual)]
    internal void Edges_are_differences_of_the_frozen_model(bool skip, TranscoderInput input)
    {
        using Gpt2Weights weights = Model();
        using TranscoderSet set = Set(skip, input);
        AttributionGraph graph = Build(weights, set);
        PlainModel plain = new(weights, s_tokens);
        Dictionary<int, double> full = Values(graph, weights, set, plain, -1);
        double worst = 0, largest = 0;
        int edges = 0;
        for (int source = 0; source < graph.Sources.Count; source++)
        {
            Dictionary<int, double> without = Values(graph, weights, set, plain, source);
            foreach (int target in graph.Targets())
            {
                double expected = full[target] - without[target];
                worst = Math.Max(worst, Math.Abs(expected - graph.Weight(source, target)));
                largest = Math.Max(largest, Math.Abs(expected));
                if (expected != 0) edges++;
            }
        }
        output.WriteLine($"{edges} edges, the largest {largest:0.000}, the largest difference {worst:0.0e0}");
        Assert.True(edges > 200);
        Assert.True(worst < 2e-6 * largest, $"{worst} of {largest}");
    }

    /// <summary>A feature's activation is the sum of its edges and of what no node writes.</summary>
    [Fact]
    public void Edges_and_constants_add_up_to_the_activation()
    {
        using Gpt2Weights weights = Model();
        using TranscoderSet set = Set(skip: true, TranscoderInput.Mlp);
        AttributionGraph graph = Build(weights, set);
        PlainModel plain = new(weights, s_tokens);
        Dictionary<int, double> nothing = Values(graph, weights, set, plain, -2);
        foreach (int target in graph.Targets().Where(graph.IsFeature))
        {
            double sum = nothing[target];
            for (int source = 0; source < graph.Sources.Count; source++) sum += graph.Weight(source, target);
            Assert.Equal(graph.Sources.Slots[target].Activation, sum, 1e-4);
        }
    }

    [Fact]
    public void Features_beyond_the_candidates_are_part_of_the_error_and_the_most_influential_are_kept()
    {
        using Gpt2Weights weights = Model();
        using TranscoderSet set = Set(skip: false, TranscoderInput.Mlp);
        AttributionGraph all = Build(weights, set);
        TranscoderGraphOptions twenty = new() { MaxCandidates = 20, MaxFeatures = 20, MaxLogits = 2, KeepsVectors = true };
        AttributionGraph few = AttributionGraphBuilder.Build(weights, set, s_tokens, twenty);
        Assert.Equal(20, few.FeatureCount);
        for (int block = 0; block < s_config.Layers * s_tokens.Length; block++)
        {
            double[] one = Sum(all, block), other = Sum(few, block);
            for (int c = 0; c < one.Length; c++) Assert.Equal(one[c], other[c], 1e-4);
        }
        AttributionGraph selected = AttributionGraphBuilder.Build(
            weights, set, s_tokens, new TranscoderGraphOptions { MaxFeatures = 15, MaxLogits = 2 });
        Assert.Equal(15, selected.FeatureCount);
        PrunedGraph pruned = new(selected, 1, 1);
        Assert.True(pruned.Nodes.Count(selected.IsFeature) <= 15);

        static double[] Sum(AttributionGraph graph, int block)
        {
            (int first, int count) = graph.Sources.Block(block / s_tokens.Length, block % s_tokens.Length);
            return [.. Enumerable.Range(0, s_config.Width).Select(c =>
                Enumerable.Range(first, count).Sum(s => (double)graph.Vectors![(s * s_config.Width) + c]))];
        }
    }

    /// <summary>The demo model's own transcoders: what ablating a feature does to the free model, and what the graph says.</summary>
    [Fact]
    public void Ablating_features_of_the_demo_model_does_what_the_graph_predicts()
    {
        using Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(RepositoryFiles.DemoModel);
        using Gpt2Weights weights = checkpoint.LoadWeights(_device);
        TranscoderSpec[] specs = [.. Enumerable.Range(0, 4).Select(l => new TranscoderSpec(
            l, Path.Combine(RepositoryFiles.DemoModel, "transcoders", $"layer_{l}.safetensors"), TranscoderActivation.TopK, 16))];
        using TranscoderSet set = new("demo", specs, checkpoint.Config);
        BpeTokenizer tokenizer = BpeTokenizer.Load(RepositoryFiles.DemoModel);
        int[] tokens = [tokenizer.BeginToken!.Id, .. tokenizer.Encode("When John and Mary went to the store, John gave a drink to")];
        AttributionGraph graph = AttributionGraphBuilder.Build(
            weights, set, tokens, new TranscoderGraphOptions { MaxLogits = 1, KeepsVectors = true });
        PlainModel plain = new(weights, tokens);
        double[] totals = Totals(graph);
        int first = graph.Sources.Count, token = graph.Logits[0].Token, d = checkpoint.Config.Width;
        int[] strongest = [.. Enumerable.Range(0, graph.Sources.Slots.Length).Where(graph.IsFeature)
            .OrderByDescending(s => Math.Abs(totals[s])).Take(40)];
        double before = plain.Logits[token] - plain.Logits.Average();
        List<(double Predicted, double Measured)> pairs = [];
        foreach (int s in strongest)
        {
            ActiveFeature f = graph.Sources.Slots[s];
            double[] removed = [.. Enumerable.Range(0, d).Select(c => -(double)graph.Vectors![(s * d) + c])];
            double[] logits = plain.With(f.Layer, f.Position, removed);
            pairs.Add((totals[s], before - (logits[token] - logits.Average())));
        }
        double correlation = Correlation(pairs);
        double error = Math.Sqrt(pairs.Sum(p => Square(p.Predicted - p.Measured)) / pairs.Sum(p => Square(p.Measured)));
        int signs = pairs.Count(p => p.Predicted * p.Measured > 0);
        output.WriteLine($"40 features: correlation {correlation:0.000}, relative error {error:0.000}, {signs} of one sign");
        Assert.True(first == graph.Count - 1);
        Assert.True(correlation > 0.9, $"{correlation}");
        Assert.True(error < 0.4, $"{error}");
        Assert.True(signs >= 37, $"{signs}");
    }

    // The effect of every slot on the first logit along all paths: an active feature changes as what it reads does.
    private static double[] Totals(AttributionGraph graph)
    {
        double[] totals = new double[graph.Count];
        totals[graph.Sources.Count] = 1;
        foreach (int target in graph.Targets())
        {
            double each = target >= graph.Sources.Count ? totals[target] : totals[target] / graph.Sources.Slots[target].Activation;
            for (int s = 0; s < graph.Sources.Count; s++) totals[s] += each * graph.Weight(s, target);
        }
        return totals;
    }

    private static double Correlation(List<(double X, double Y)> pairs)
    {
        double x = pairs.Average(p => p.X), y = pairs.Average(p => p.Y);
        return pairs.Sum(p => (p.X - x) * (p.Y - y)) / Math.Sqrt(pairs.Sum(p => Square(p.X - x)) * pairs.Sum(p => Square(p.Y - y)));
    }

    private static double Square(double x) => x * x;

    private Gpt2Weights Model() => RandomGpt2Weights.Create(s_config, 4, _device, scale: 0.4f, gainJitter: 0.2f, biasJitter: 0.2f);

    private TranscoderSet Set(bool skip, TranscoderInput input) => new(
        "random",
        [.. Enumerable.Range(0, s_config.Layers).Select(l =>
            TranscoderFiles.Write(_folder.Path, l, s_config.Width, 18, skip) with { Input = input })],
        s_config);

    private static AttributionGraph Build(Gpt2Weights weights, TranscoderSet set) => AttributionGraphBuilder.Build(
        weights, set, s_tokens, new TranscoderGraphOptions { MaxLogits = 3, LogitProbability = 1, KeepsVectors = true });

    private static double[] Read(Gpt2Weights weights, int layer, double[] normed, double[] stream, TranscoderInput input)
    {
        if (input != TranscoderInput.Normalized) return input == TranscoderInput.Mlp ? normed : stream;
        float[] gain = weights.Layers[layer].MlpGain.ToArray(), shift = weights.Layers[layer].MlpShift.ToArray();
        return [.. normed.Select((x, i) => (x - shift[i]) / gain[i])];
    }

    // What the sources, b_dec and the skip connection write.
    private static double[] Written(
        AttributionGraph graph, TranscoderSet set, int layer, int position, double[] read, Func<int, double> factor)
    {
        Transcoder transcoder = set.Layers[layer]!;
        int d = s_config.Width;
        double[] sum = [.. transcoder.DecoderBias.Select(b => (double)b)];
        (int start, int count) = graph.Sources.Block(layer, position);
        for (int c = 0; c < d; c++)
        {
            for (int s = start; s < start + count; s++) sum[c] += factor(s) * graph.Vectors![(s * d) + c];
            for (int i = 0; transcoder.Skip is { } skip && i < d; i++) sum[c] += skip[(c * d) + i] * read[i];
        }
        return sum;
    }

    // What every target reads in the frozen model without a source; -1: with all, -2: without any.
    private static Dictionary<int, double> Values(
        AttributionGraph graph, Gpt2Weights weights, TranscoderSet set, PlainModel plain, int without)
    {
        double Factor(int source) => source == without || without == -2 ? 0 : 1;
        double[] tokens = [.. s_tokens.Select((_, i) => Factor(graph.Sources.Slots.Length + i))];
        TranscoderInput InputOf(int layer) => set.Layers[layer]!.Spec.Input;
        (List<double[][]> inputs, List<double[][]> streams, double[] final) = plain.Frozen(
            (layer, position, normed, stream) =>
                Written(graph, set, layer, position, Read(weights, layer, normed, stream, InputOf(layer)), Factor),
            tokens);
        Dictionary<int, double> values = [];
        foreach (int target in graph.Targets())
        {
            if (target >= graph.Sources.Count)
            {
                values[target] = plain.Centred(final, graph.Logits[target - graph.Sources.Count].Token);
                continue;
            }
            ActiveFeature f = graph.Sources.Slots[target];
            Transcoder transcoder = set.Layers[f.Layer]!;
            float[] encoder = transcoder.EncoderRows([f.Feature]);
            double[] read = Read(weights, f.Layer, inputs[f.Layer][f.Position], streams[f.Layer][f.Position], InputOf(f.Layer));
            values[target] = transcoder.EncoderBias[f.Feature] + encoder.Select((w, i) => w * read[i]).Sum();
        }
        return values;
    }
}
