using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Transcoders;
using Gradpath.Kernels.Cpu;
using Tensor = Gradpath.Kernels.Tensor;

namespace Gradpath.Gpt2Runtime.Tests.Transcoders;

/// <summary>Which features of a transcoder are active, in every layout and with every activation, and files that are none.</summary>
public sealed class TranscoderTests : IDisposable
{
    private const int Width = 6, Features = 11, Rows = 4;

    private readonly CpuDevice _device = new(1);
    private readonly TempFolder _folder = new();

    public void Dispose()
    {
        _device.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(TranscoderActivation.Relu, false)]
    [InlineData(TranscoderActivation.Relu, true)]
    [InlineData(TranscoderActivation.JumpRelu, false)]
    [InlineData(TranscoderActivation.JumpRelu, true)]
    [InlineData(TranscoderActivation.TopK, false)]
    [InlineData(TranscoderActivation.TopK, true)]
    internal void Active_features_are_those_of_the_definition(TranscoderActivation activation, bool byInput)
    {
        float? threshold = activation == TranscoderActivation.JumpRelu ? 0.4f : null;
        TranscoderSpec spec = TranscoderFiles.Write(_folder.Path, 2, Width, Features, threshold: threshold, byInput: byInput) with
        {
            Activation = activation == TranscoderActivation.TopK ? activation : null,
            K = 3,
        };
        using Transcoder transcoder = Transcoder.Open(spec, Width);
        Assert.Equal(activation, transcoder.Activation);
        float[] x = [.. Enumerable.Range(0, Rows * Width).Select(i => MathF.Sin(i * 1.7f))];
        using Tensor input = _device.StoreTensor(x, Rows, Width);
        List<ActiveFeature> active = transcoder.Encode(_device, input, Rows);
        float[] encoder = transcoder.EncoderRows([.. Enumerable.Range(0, Features)]);
        List<(int, int, double)> expected = [];
        for (int r = 0; r < Rows; r++)
        {
            double[] pre = [.. Enumerable.Range(0, Features).Select(f => transcoder.EncoderBias[f]
                + Enumerable.Range(0, Width).Sum(d => (double)x[(r * Width) + d] * encoder[(f * Width) + d]))];
            int[] largest = [.. Enumerable.Range(0, Features).OrderByDescending(f => pre[f]).Take(3)];
            expected.AddRange(Enumerable.Range(0, Features)
                .Where(f => activation switch
                {
                    TranscoderActivation.Relu => pre[f] > 0,
                    TranscoderActivation.JumpRelu => pre[f] > 0.4,
                    _ => largest.Contains(f) && pre[f] > 0,
                })
                .Select(f => (r, f, pre[f])));
        }
        Assert.Equal(expected.Select(e => (e.Item1, e.Item2)), active.Select(a => (a.Position, a.Feature)));
        Assert.All(expected.Zip(active), p => Assert.Equal(p.First.Item3, p.Second.Activation, 1e-5));
        Assert.All(active, a => Assert.Equal(2, a.Layer));
    }

    [Fact]
    public void Both_layouts_of_the_same_weights_are_the_same_transcoder()
    {
        using Transcoder one = Transcoder.Open(TranscoderFiles.Write(_folder.Path, 0, Width, Features, skip: true), Width);
        using Transcoder other = Transcoder.Open(TranscoderFiles.Write(_folder.Path, 0, Width, Features, skip: true, byInput: true), Width);
        int[] some = [0, 4, 10];
        Assert.Equal(one.EncoderRows(some), other.EncoderRows(some));
        Assert.Equal(one.DecoderRows(some), other.DecoderRows(some));
        Assert.Equal(one.Skip, other.Skip);
    }

    [Fact]
    public void Of_equal_values_as_many_are_active_as_were_asked_for()
    {
        string path = _folder["same.safetensors"];
        SafetensorsWriter writer = new();
        writer.Add("W_enc", new float[Features * Width], Features, Width);
        writer.Add("W_dec", new float[Features * Width], Features, Width);
        writer.Add("b_enc", Enumerable.Repeat(2f, Features).ToArray(), Features);
        writer.Add("b_dec", new float[Width], Width);
        writer.Write(path);
        using Transcoder transcoder = Transcoder.Open(new TranscoderSpec(0, path, TranscoderActivation.TopK, 4), Width);
        using Tensor input = _device.StoreTensor(new float[Width], 1, Width);
        Assert.Equal([0, 1, 2, 3], transcoder.Encode(_device, input, 1).Select(a => a.Feature));
    }

    [Fact]
    public void What_is_no_transcoder_of_the_model_is_refused_by_name()
    {
        TranscoderSpec spec = TranscoderFiles.Write(_folder.Path, 0, Width, Features);
        Refused(spec, Width + 1, "W_enc has the shape [11, 6]; [11, 7] is needed: the model has the width 7");
        Refused(spec with { ByInput = true }, Width, "W_enc has the shape [11, 6]; [6, 6] is needed");
        Refused(spec with { Activation = TranscoderActivation.JumpRelu }, Width, "jump-relu needs a tensor of thresholds");
        Refused(spec with { Activation = TranscoderActivation.TopK, K = 12 }, Width, "top-k of 12; a number from 1 to the 11 features");
        Refused(spec with { Path = _folder["none.safetensors"] }, Width, "none.safetensors");
        TranscoderSpec two = TranscoderFiles.Write(_folder.Path, 1, Width, Features);
        Gpt2Config config = new() { Layers = 1, Heads = 1, Width = Width, InnerWidth = 6, Positions = 4, Vocabulary = 5 };
        RefusedSet([two], config, "is of layer 1, but the model has 1 layers");
        RefusedSet([spec, spec], config, "layer 0 has a transcoder already");
    }

    private static void RefusedSet(TranscoderSpec[] specs, Gpt2Config config, string part)
    {
        GradpathException refused = Assert.Throws<GradpathException>(void () => new TranscoderSet("x", specs, config).Dispose());
        Assert.Contains(part, refused.Message, StringComparison.Ordinal);
    }

    private static void Refused(TranscoderSpec spec, int width, string part) => Assert.Contains(
        part, Assert.Throws<GradpathException>(void () => Transcoder.Open(spec, width).Dispose()).Message, StringComparison.Ordinal);
}
