using System.Runtime.InteropServices;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Gpt2Runtime.Tests.Checkpoints;

/// <summary>Weights that a program has in memory are the model that their file is.</summary>
public sealed class GivenWeightsTests : IDisposable
{
    private readonly CpuDevice _device = new(2);
    private readonly Gpt2Weights _model;
    private readonly Dictionary<string, ReadOnlyMemory<float>> _tensors = new(StringComparer.Ordinal);

    public GivenWeightsTests()
    {
        Gpt2Config config = new() { Layers = 2, Heads = 2, Width = 8, InnerWidth = 16, Positions = 6, Vocabulary = 11 };
        _model = RandomGpt2Weights.Create(config, 3, _device, scale: 0.5f, gainJitter: 0.1f, biasJitter: 0.1f);
        foreach ((string name, Tensor tensor) in Gpt2Layout.TensorsOf(_model))
        {
            float[] values = new float[tensor.Length];
            _device.Download(tensor, values.AsSpan());
            _tensors.Add(name, values);
        }
    }

    [Fact]
    public void They_give_the_same_scores_and_their_hash_is_of_their_values()
    {
        PromptSet prompts = PromptSet.Of([new PromptPair([1, 2, 3], [1, 4, 3], [5], [6])]);
        var options = new AttributionOptions { Method = AttributionMethods.EapGp };
        using Gpt2Weights given = Gpt2Weights.FromMemory(_device, _model.Config, _tensors, "mine");
        EdgeScores scores = EdgeAttribution.Score(given, prompts, options);
        Assert.Equal(EdgeAttribution.Score(_model, prompts, options).Values, scores.Values);
        Assert.Equal("mine", scores.Provenance!.Model);
        using Gpt2Weights again = Gpt2Weights.FromMemory(
            _device, _model.Config, _tensors.ToDictionary(t => $"transformer.{t.Key}", t => t.Value), "other");
        Assert.Equal(given.Hash, again.Hash);
        float[] changed = _tensors["ln_f.bias"].ToArray();
        changed[0]++;
        _tensors["ln_f.bias"] = changed;
        using Gpt2Weights others = Gpt2Weights.FromMemory(_device, _model.Config, _tensors);
        Assert.NotEqual(given.Hash, others.Hash);
    }

    [Fact]
    public void They_are_copied()
    {
        float[] values = _tensors["wte.weight"].ToArray();
        _tensors["wte.weight"] = values;
        using Gpt2Weights given = Gpt2Weights.FromMemory(_device, _model.Config, _tensors);
        string hash = given.Hash;
        Array.Clear(values);
        using Gpt2Weights cleared = Gpt2Weights.FromMemory(_device, _model.Config, _tensors);
        Assert.NotEqual(hash, cleared.Hash);
        Assert.NotEqual(0, MemoryMarshal.Cast<float, int>(Values(given.TokenEmbedding))[0]);
    }

    [Fact]
    public void What_does_not_fit_is_refused_by_name()
    {
        Assert.Contains("h.1.ln_2.bias: no such tensor is given", Fault(t => t.Remove("h.1.ln_2.bias")), StringComparison.Ordinal);
        Assert.Contains("given are none", Fault(t => t.Clear()), StringComparison.Ordinal);
        Assert.Contains(
            "wpe.weight: 3 values are given; the model's shape implies 48, [6, 8] = [n_positions, n_embd]",
            Fault(t => t["wpe.weight"] = new float[3]), StringComparison.Ordinal);
        Assert.Contains(
            "ln_f.weight: value 2 is NaN: not a finite number",
            Fault(t => t["ln_f.weight"] = new float[] { 1, 1, float.NaN, 1, 1, 1, 1, 1 }), StringComparison.Ordinal);
        Assert.Contains(
            "h.2.ln_1.bias: a GPT-2 model with n_layer = 2 has no such tensor", Fault(t => t["h.2.ln_1.bias"] = new float[8]),
            StringComparison.Ordinal);
        Assert.Contains(
            "lm_head.weight: the head is tied to the token embedding", Fault(t => t["lm_head.weight"] = new float[88]),
            StringComparison.Ordinal);
        Assert.Contains("the same tensor as", Fault(t => t["model.ln_f.bias"] = new float[8]), StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _model.Dispose();
        _device.Dispose();
    }

    private float[] Values(Tensor tensor)
    {
        float[] values = new float[tensor.Length];
        _device.Download(tensor, values.AsSpan());
        return values;
    }

    private string Fault(Action<Dictionary<string, ReadOnlyMemory<float>>> change)
    {
        Dictionary<string, ReadOnlyMemory<float>> changed = new(_tensors, StringComparer.Ordinal);
        change(changed);
        long before = _device.AllocatedBytes;
        string message = Assert.Throws<GradpathException>(() => Gpt2Weights.FromMemory(_device, _model.Config, changed)).Message;
        Assert.Equal(before, _device.AllocatedBytes);
        return message;
    }
}
