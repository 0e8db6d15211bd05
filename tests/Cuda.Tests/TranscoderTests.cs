using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Transcoders;
using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;
using Xunit.Abstractions;

namespace Gradpath.Cuda.Tests;

/// <summary>An attribution graph of the emulated GPU against the CPU's.</summary>
public sealed class TranscoderTests(ITestOutputHelper output)
{
    private const int Width = 12, Features = 14;

    [Fact]
    public void A_graph_is_the_same_on_both_devices()
    {
        using TempFolder folder = new();
        TranscoderSpec[] specs = [Write(folder, 0), Write(folder, 1)];
        using CpuDevice cpu = new(1);
        using EmulatedGpu gpu = new();
        AttributionGraph one = Build(cpu, specs), other = Build(gpu.Device, specs);
        Assert.Equal(one.Targets(), other.Targets());
        Assert.Equal(one.Sources.Slots.Select(s => (s.Layer, s.Position, s.Feature)),
            other.Sources.Slots.Select(s => (s.Layer, s.Position, s.Feature)));
        double worst = 0, largest = 0;
        foreach (int target in one.Targets())
        {
            for (int source = 0; source < one.Sources.Count; source++)
            {
                float weight = one.Weight(source, target);
                largest = Math.Max(largest, Math.Abs(weight));
                worst = Math.Max(worst, Math.Abs(weight - other.Weight(source, target)));
            }
        }
        output.WriteLine($"{one.FeatureCount} features, largest edge {largest:0.000}, largest difference {worst:0.0e0}");
        Assert.True(one.FeatureCount > 10 && largest > 0);
        Assert.True(worst < 1e-4 * largest, $"{worst} of {largest}");
    }

    private static AttributionGraph Build(Device device, TranscoderSpec[] specs)
    {
        using Gpt2Weights weights = TinyRuns.Model(device);
        using TranscoderSet set = new("random", specs, weights.Config);
        return AttributionGraphBuilder.Build(weights, set, [3, 11, 5, 5], new TranscoderGraphOptions { MaxLogits = 2 });
    }

    private static TranscoderSpec Write(TempFolder folder, int layer)
    {
        Random random = new(layer);
        SafetensorsWriter writer = new();
        float[] Draw(int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];
        writer.Add("W_enc", Draw(Features * Width), Features, Width);
        writer.Add("W_dec", Draw(Features * Width), Features, Width);
        writer.Add("W_skip", Draw(Width * Width), Width, Width);
        writer.Add("b_enc", Draw(Features), Features);
        writer.Add("b_dec", Draw(Width), Width);
        string path = folder[$"layer_{layer}.safetensors"];
        writer.Write(path);
        return new TranscoderSpec(layer, path);
    }
}
