using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;
using Gradpath.Kernels.Cuda;
using Gradpath.Kernels.Tests;
using Gradpath.PtxEmulator;
using Xunit.Abstractions;

namespace Gradpath.Cuda.Tests;

/// <summary>
/// Attention with a warp for a head, on the emulated GPU: against the processor, against the kernels for longer sequences, its bits, and
/// what a head costs.
/// </summary>
public sealed class AttentionShortTests(ITestOutputHelper output)
{
    private const int Cotangents = 2;

    private static readonly string[] s_kernels = ["attentionShort", "attentionShortGradients"];

    /// <summary>Lengths, prefixes, copies, heads, head width, last queries only.</summary>
    public static TheoryData<int[], int[], int, int, int, bool> Shapes => new()
    {
        { [1, 2, 3, 4, 5, 6, 7, 8], [], 1, 2, 64, false },
        { [9, 10, 11, 12, 13, 14, 15, 16], [], 1, 2, 64, false },
        { [17, 18, 19, 20, 21, 22, 23, 24], [], 1, 1, 64, false },
        { [25, 26, 27, 28, 29, 30, 31, 32], [], 1, 1, 64, false },
        { [16, 7], [], 2, 12, 64, false },
        { [32, 1, 17], [], 1, 12, 64, true },
        { [16, 13], [], 1, 25, 64, false },
        { [4, 12, 1, 15, 16], [12, 20, 31, 1, 16], 2, 3, 64, false },
        { [5, 16, 1], [3, 0, 15], 1, 2, 64, true },
        { [3, 17, 30], [0, 15, 2], 1, 2, 64, true },
        { [16, 32, 5], [], 1, 4, 16, false },
        { [9, 31], [4, 0], 2, 3, 48, false },
        { [12, 20], [], 1, 2, 128, false },
        { [7, 16], [9, 16], 1, 2, 128, true },
        { [16, 9], [], 1, 2, 80, false },
        { [16, 9], [], 1, 3, 8, false },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void It_agrees_with_the_processor_and_with_the_kernels_for_long_sequences(
        int[] lengths, int[] prefixes, int copies, int heads, int headWidth, bool lastOnly)
    {
        Shape shape = new(lengths, prefixes, copies, heads, headWidth, lastOnly);
        using CpuDevice processor = new(1);
        float[][] expected = Run(processor, shape);
        using EmulatedDriver driver = new(new EmulatorOptions { Count = true });
        using CudaDevice device = new(driver, 0);
        float[][] actual = Run(device, shape);
        // What is no multiple of 16 wide has the other kernels.
        Assert.Equal(headWidth % 16 != 0, driver.Statistics.ContainsKey("attentionKeyGradient"));
        Assert.Equal(headWidth % 16 == 0, s_kernels.All(driver.Statistics.ContainsKey));
        using CudaDevice plain = new(new EmulatedDriver(), 0, new CudaOptions { TensorCores = false });
        float[][] longer = Run(plain, shape);
        for (int k = 0; k < expected.Length; k++)
        {
            for (int i = 0; i < expected[k].Length; i++)
            {
                double allowed = 2e-6 * Math.Max(1, Math.Abs(expected[k][i]));
                Assert.True(
                    Math.Abs(expected[k][i] - actual[k][i]) <= allowed, $"result {k}, element {i}: {actual[k][i]}, not {expected[k][i]}");
                Assert.True(
                    Math.Abs(longer[k][i] - actual[k][i]) <= allowed, $"result {k}, element {i}: {actual[k][i]} and {longer[k][i]}");
            }
        }
    }

    /// <summary>Single accesses where operands do not lie at multiples of 16 bytes, which is no matter of the shape.</summary>
    [Theory]
    [InlineData(64)]
    [InlineData(48)]
    public void The_bits_depend_neither_on_the_run_nor_on_addresses(int headWidth)
    {
        Shape shape = new([16, 9, 30], [0, 3, 1], 1, 2, headWidth, LastOnly: false);
        using CudaDevice device = new(new EmulatedDriver(), 0);
        float[][] first = Run(device, shape);
        Assert.Equal(first, Run(device, shape));
        Assert.Equal(first, Run(device, shape, offset: 1));
        Assert.Equal(first, Run(device, shape, offset: 3));
    }

    [Fact]
    public void Keys_that_a_query_does_not_see_have_the_probability_zero_and_those_seen_add_up_to_one()
    {
        Shape shape = new([32], [], 1, 1, 16, LastOnly: false);
        using CudaDevice device = new(new EmulatedDriver(), 0);
        float[] p = Run(device, shape)[0];
        for (int query = 0; query < 32; query++)
        {
            Assert.All(p[((query * 32) + query + 1)..((query + 1) * 32)], v => Assert.Equal(0, BitConverter.SingleToInt32Bits(v)));
            Assert.Equal(1, p[(query * 32)..((query + 1) * 32)].Sum(v => (double)v), 1e-6);
        }
    }

    /// <summary>Scores apart by more than exponentials span, and NaN, which spreads within its head and no further.</summary>
    [Fact]
    public void Scores_in_the_thousands_do_not_overflow_and_NaN_is_kept()
    {
        Shape shape = new([16], [], 1, 2, 16, LastOnly: false, Scale: 3000);
        using CpuDevice processor = new(1);
        using CudaDevice device = new(new EmulatedDriver(), 0);
        float[][] expected = Run(processor, shape), actual = Run(device, shape);
        for (int i = 0; i < 16; i++) Assert.Equal(1, actual[0][(16 * i)..((16 * i) + 16)].Sum(v => (double)v), 1e-6);
        for (int i = 0; i < actual[1].Length; i++) Assert.Equal(expected[1][i], actual[1][i], 1e-2);
        float[][] broken = Run(device, shape, broken: true);
        for (int i = 0; i < 256; i++) Assert.Equal(i >= 16 * 5 && (i % 16) <= (i / 16), float.IsNaN(broken[0][i]));
        Assert.DoesNotContain(broken[0][256..], float.IsNaN);
    }

    /// <summary>
    /// Instructions for a head of 64 at 16 tokens, of all warps together; those of the kernels for longer sequences beside it.
    /// </summary>
    [Theory]
    [InlineData(false, "attention4", "attentionQueryGradient4")]
    [InlineData(true, "attention2", "attentionQueryGradient2")]
    public void Attention_of_16_tokens_takes_at_most_a_thousand_instructions_a_head(bool lastOnly, string forward, string queryGradient)
    {
        string[][] longer = [[forward], [queryGradient, "attentionKeyGradient"]];
        Shape shape = new([16, 16], [], 1, 12, 64, lastOnly);
        double[] counts = Counts([.. s_kernels.Select(n => new[] { n })], tensorCores: true), before = Counts(longer, tensorCores: false);
        for (int k = 0; k < counts.Length; k++)
        {
            string which = lastOnly ? ", last query only" : "", instead = string.Join(" and ", longer[k]);
            output.WriteLine($"{s_kernels[k]}{which}: {counts[k]:N0} instructions a head, {instead} {before[k]:N0}");

            // The backward pass has the gradients of queries and those of keys, each of which is a thousand at most.
            Assert.InRange(counts[k], 200, 1000 * longer[k].Length);
            Assert.True(before[k] > 4 * counts[k], $"{instead} takes {before[k]:N0} instructions, {s_kernels[k]} {counts[k]:N0}");
        }

        double[] Counts(string[][] kernels, bool tensorCores)
        {
            using EmulatedDriver driver = new(new EmulatorOptions { Races = false, Count = true });
            using CudaDevice device = new(driver, 0, new CudaOptions { TensorCores = tensorCores });
            Run(device, shape);
            int heads = shape.Lengths.Length * shape.Heads;
            return [.. kernels.Select((names, k) =>
                names.Sum(n => driver.Statistics[n].Instructions) / 32.0 / heads / (k == 0 ? 1 : Cotangents))];
        }
    }

    private static float[][] Run(Device device, Shape shape, int offset = 0, bool broken = false)
    {
        using SequenceLayout layout = new(device, shape.Lengths, shape.Copies, shape.LastOnly, shape.Prefixes);
        HeadGroup heads = new(shape.Heads, shape.HeadWidth, shape.Scale);
        int width = heads.Width;
        List<Tensor> owned = [];
        try
        {
            float[] kvValues = Numbers.Draw(2, layout.KeyRows * 2 * width);
            if (broken) kvValues[5 * 2 * width] = float.NaN;
            Tensor q = Store(Numbers.Draw(1, layout.QueryRows * width)), kv = Store(kvValues);
            Tensor? prefix = layout.PrefixRows == 0 ? null : Store(Numbers.Draw(3, layout.PrefixRows * 2 * width));
            Tensor dz = Store(Numbers.Draw(4, Cotangents * layout.QueryRows * width));
            Tensor p = Out(heads.Heads * layout.ProbabilitiesPerHead), z = Out(layout.QueryRows * width);
            Tensor dq = Out(Cotangents * layout.QueryRows * width), dkv = Out(Cotangents * layout.KeyRows * 2 * width);
            device.Attention(q, kv, layout, heads, p, z, prefix);
            device.AttentionBackward(dz, q, kv, p, layout, heads, Cotangents, dq, dkv, prefix);
            return [Read(p), Read(z), Read(dq), Read(dkv)];
        }
        finally
        {
            foreach (Tensor tensor in owned) tensor.Dispose();
        }

        Tensor Store(float[] values)
        {
            Tensor view = Out(values.Length);
            device.Upload<float>(values, view);
            return view;
        }

        Tensor Out(long count)
        {
            Tensor whole = device.Allocate((int)count + offset);
            owned.Add(whole);
            return offset == 0 ? whole : whole.Slice(offset, (int)count);
        }

        float[] Read(Tensor tensor)
        {
            float[] values = new float[tensor.Length];
            device.Download(tensor, values);
            return values;
        }
    }

    private sealed record Shape(
        int[] Lengths, int[] Prefixes, int Copies, int Heads, int HeadWidth, bool LastOnly, float Scale = 0.4f);
}
