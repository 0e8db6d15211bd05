using Gradpath.Gpt2Runtime;
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

    /// <summary>The first moment of the first step is a tenth of the gradient; parameters would follow its signs.</summary>
    [Fact]
    public void A_step_of_training_has_the_same_gradient_on_both_devices()
    {
        using CpuDevice cpu = new(1);
        using EmulatedGpu gpu = new();
        float[] one = Moment(cpu), other = Moment(gpu.Device);
        double largest = one.Max(Math.Abs), worst = one.Zip(other).Max(p => Math.Abs(p.First - (double)p.Second));
        output.WriteLine($"largest moment {largest:0.0e0}, largest difference {worst:0.0e0}");
        Assert.True(largest > 0 && worst < 1e-5 * largest, $"{worst} of {largest}");
    }

    private static float[] Moment(Device device)
    {
        const int Rows = 9;
        TranscoderTrainingOptions options = new() { Layers = [0], Features = Features, K = 4 };
        using TranscoderTraining.Scratch scratch = new(device, Rows, Features, Width);
        using TranscoderTraining training = new(device, Width, options, scratch);
        training.Draw(new SplitMix64(3));
        using Tensor x = device.StoreTensor(Draw(1), Rows, Width);
        using Tensor y = device.StoreTensor(Draw(2), Rows, Width);
        training.Step(x, y, Rows, 1e-3, 0);
        Assert.DoesNotContain(training.State[0].ToArray(), v => !float.IsFinite(v));
        return training.State[1].ToArray();

        static float[] Draw(int seed)
        {
            Random random = new(seed);
            return [.. Enumerable.Range(0, Rows * Width).Select(_ => random.NextSingle() - 0.5f)];
        }
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
