using System.Globalization;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Gpt2Runtime.Tests.Checkpoints;

/// <summary>The two reference checkpoints, read as they are.</summary>
public sealed class SmallCheckpointTests
{
    [Fact]
    public void Reads_tiny_random()
    {
        string path = RepositoryFiles.Data("models/tiny-random");
        using CpuDevice device = new(1);
        using Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(path);
        Assert.Equal(
            new Gpt2Config { Layers = 2, Heads = 4, Width = 32, InnerWidth = 128, Positions = 32, Vocabulary = 61 },
            checkpoint.Config);
        Assert.Equal(113792 / 4, checkpoint.ParameterCount);
        Assert.Equal("F32", checkpoint.Dtype);
        Assert.False(checkpoint.HasVocabulary);

        using Gpt2Weights weights = checkpoint.LoadWeights(device);
        Assert.Same(weights.TokenEmbedding, weights.Unembedding);
        Assert.Null(weights.UnembeddingBias);
        Assert.Equal(checkpoint.ParameterCount * sizeof(float), device.AllocatedBytes);
        byte[] file = File.ReadAllBytes(Path.Combine(path, "model.safetensors"));
        int data = file.Length - 113792;
        Assert.Equal(BitConverter.ToSingle(file, data), weights.TokenEmbedding.ToArray()[0]);
        Assert.Equal(BitConverter.ToSingle(file, data + 97024), weights.Layers[1].DownWeight.ToArray()[0]);
        Assert.Equal(BitConverter.ToSingle(file, data + 113788), weights.FinalShift.ToArray()[^1]);
        Assert.Equal([128, 32], weights.Layers[1].DownWeight.Shape.ToArray());
    }

    [Fact]
    public void Reads_nano_sort_with_its_untied_head()
    {
        string path = RepositoryFiles.Data("models/nano-sort");
        using CpuDevice device = new(1);
        using Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(path);
        Assert.Equal(
            new Gpt2Config { Layers = 3, Heads = 3, Width = 48, InnerWidth = 192, Positions = 11, Vocabulary = 3, TiedHead = false },
            checkpoint.Config);
        using Gpt2Weights weights = checkpoint.LoadWeights(device);
        Assert.NotSame(weights.TokenEmbedding, weights.Unembedding);
        Assert.NotEqual(weights.TokenEmbedding.ToArray(), weights.Unembedding.ToArray());
        Assert.Equal([3, 48], weights.Unembedding.Shape.ToArray());
        Assert.All(weights.Layers, l => Assert.All(l.QkvWeight.ToArray(), v =>
            Assert.True(float.IsFinite(v), v.ToString(CultureInfo.InvariantCulture))));
    }
}
