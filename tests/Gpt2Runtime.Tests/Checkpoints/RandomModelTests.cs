using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Gpt2Runtime.Tests.Checkpoints;

/// <summary>Random models, and the way of a model to disk and back.</summary>
public sealed class RandomModelTests : IDisposable
{
    private static readonly Gpt2Config s_config = new()
    {
        Layers = 2,
        Heads = 4,
        Width = 64,
        InnerWidth = 96,
        Positions = 20,
        Vocabulary = 300,
        TiedHead = false
    };
    private readonly TempFolder _folder = new();
    private readonly CpuDevice _device = new(1);

    public void Dispose()
    {
        _device.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void The_same_seed_gives_the_same_model_and_another_seed_another()
    {
        using Gpt2Weights a = RandomGpt2Weights.Create(s_config, 7, _device, biasJitter: 0.1f);
        using Gpt2Weights b = RandomGpt2Weights.Create(s_config, 7, _device, biasJitter: 0.1f);
        using Gpt2Weights c = RandomGpt2Weights.Create(s_config, 8, _device, biasJitter: 0.1f);
        Same(a, b);
        Assert.NotEqual(a.TokenEmbedding.ToArray(), c.TokenEmbedding.ToArray());
        Assert.NotEqual(a.Layers[0].QkvWeight.ToArray(), a.Layers[1].QkvWeight.ToArray());
    }

    [Fact]
    public void The_defaults_are_the_initialisation_of_GPT_2()
    {
        using Gpt2Weights w = RandomGpt2Weights.Create(s_config, 1, _device);
        Moments(w.TokenEmbedding, 0, 0.02);
        Moments(w.Layers[0].QkvWeight, 0, 0.02);
        Moments(w.Layers[1].DownWeight, 0, 0.01);
        Moments(w.Layers[1].OutputWeight, 0, 0.01);
        Assert.All(w.FinalGain.ToArray(), g => Assert.Equal(1f, g));
        Assert.All(w.Layers[0].QkvBias.ToArray(), b => Assert.Equal(0f, b));
        Assert.Null(w.UnembeddingBias);
    }

    [Fact]
    public void Jitter_moves_gains_and_biases()
    {
        using Gpt2Weights w = RandomGpt2Weights.Create(
            s_config with { TiedHead = true }, 1, _device, scale: 0.3f, gainJitter: 0.2f, biasJitter: 0.1f, headBias: true);
        Moments(w.TokenEmbedding, 0, 0.3);
        Moments(w.UnembeddingBias!, 0, 0.1, loose: 0.3);
        Moments(w.Layers[0].QkvBias, 0, 0.1, loose: 0.3);
        Moments(w.Layers[0].MlpGain, 1, 0.2, loose: 0.5);
        Assert.Same(w.TokenEmbedding, w.Unembedding);
    }

    [Fact]
    public void Memory_is_given_back()
    {
        RandomGpt2Weights.Create(s_config, 1, _device, headBias: true).Dispose();
        Assert.Equal(0, _device.AllocatedBytes);
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void A_model_survives_the_disk(bool tied, bool headBias)
    {
        Gpt2Config config = s_config with
        {
            TiedHead = tied,
            Activation = Gpt2Activation.Relu,
            Epsilon = 3e-6f,
            ScaleAttentionByLayer = true
        };
        using Gpt2Weights written = RandomGpt2Weights.Create(config, 3, _device, gainJitter: 0.1f, biasJitter: 0.1f, headBias: headBias);
        CheckpointWriter.Write(_folder["new/model"], written);
        using Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(_folder["new/model"]);
        Assert.Equal(config, checkpoint.Config);
        using Gpt2Weights read = checkpoint.LoadWeights(_device);
        Same(written, read);
        Assert.Equal(checkpoint.ParameterCount, All(read).Sum(t => (long)t.Values.Length));
        Assert.Equal(headBias, read.UnembeddingBias is not null);

        // Written over while mapped: the old weights stay as they were.
        using Gpt2Weights other = RandomGpt2Weights.Create(config, 4, _device);
        float[] before = read.TokenEmbedding.ToArray();
        CheckpointWriter.Write(_folder["new/model"], other);
        Assert.Equal(before, read.TokenEmbedding.ToArray());
    }

    private static List<(string Name, float[] Values)> All(Gpt2Weights weights) =>
        [.. Gpt2Layout.TensorsOf(weights).Select(t => (t.Name, t.Tensor.ToArray()))];

    private static void Same(Gpt2Weights expected, Gpt2Weights actual)
    {
        Assert.Equal(All(expected).Select(t => t.Name), All(actual).Select(t => t.Name));
        foreach (((string name, float[] e), (_, float[] a)) in All(expected).Zip(All(actual)))
            Assert.True(e.AsSpan().SequenceEqual(a), name);
    }

    private static void Moments(Tensor tensor, double mean, double deviation, double loose = 0.05)
    {
        float[] values = tensor.ToArray();
        double m = values.Average(v => (double)v);
        double s = Math.Sqrt(values.Average(v => (v - m) * (v - m)));
        Assert.InRange(m, mean - (deviation * 4 / Math.Sqrt(values.Length)), mean + (deviation * 4 / Math.Sqrt(values.Length)));
        Assert.InRange(s, deviation * (1 - loose), deviation * (1 + loose));
    }
}
