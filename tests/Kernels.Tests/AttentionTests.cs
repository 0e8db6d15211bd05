namespace Gradpath.Kernels.Tests;

public sealed class AttentionTests
{
    public static TheoryData<int[], int, int, int, bool> Shapes => new()
    {
        { [1], 1, 1, 1, false },
        { [3, 1, 4], 2, 2, 3, false },
        { [3, 1, 4], 2, 2, 3, true },
        { [5, 2], 1, 3, 7, false },
        { [5, 2, 6], 3, 5, 2, true },
        { [17, 11, 13], 1, 1, 33, false },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Every_query_mixes_the_values_that_it_may_see(int[] lengths, int copies, int heads, int headWidth, bool lastOnly)
    {
        var plain = new PlainAttention(lengths, copies, heads, headWidth, lastOnly, scale: 0.4f);
        double[][] actual = OpBench.Run(bench =>
        {
            SequenceLayout layout = bench.Layout(lengths, copies, lastOnly);
            Tensor p = bench.Out(heads * (int)layout.ProbabilitiesPerHead), z = bench.Out(layout.QueryRows * heads * headWidth);
            bench.Device.Attention(bench.Store(plain.Q), bench.Store(plain.Kv), layout, heads, headWidth, plain.Scale, p, z);
            return [p, z];
        });
        (double[] probabilities, double[] mixed) = plain.Forward(Numbers.Wide(plain.Q), Numbers.Wide(plain.Kv));
        Numbers.Same(probabilities, actual[0]);
        Numbers.Same(mixed, actual[1]);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Gradients_of_several_cotangents_are_those_of_the_definition(int[] lengths, int copies, int heads, int headWidth, bool lastOnly)
    {
        const int Cotangents = 2;
        var plain = new PlainAttention(lengths, copies, heads, headWidth, lastOnly, scale: 0.4f);
        int width = heads * headWidth;
        float[] dz = Numbers.Draw(3, Cotangents * plain.QueryRows * width);
        double[][] actual = Gradients(plain, dz, Cotangents);
        double[] dq = [], dkv = [];
        for (int c = 0; c < Cotangents; c++)
        {
            (double[] q, double[] kv) = plain.Backward(Numbers.Wide(dz[(c * plain.QueryRows * width)..((c + 1) * plain.QueryRows * width)]));
            dq = [.. dq, .. q];
            dkv = [.. dkv, .. kv];
        }
        Numbers.Same(dq, actual[0]);
        Numbers.Same(dkv, actual[1]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Gradients_are_what_finite_differences_show(bool lastOnly)
    {
        var plain = new PlainAttention([3, 4], 1, 2, 3, lastOnly, scale: 0.7f);
        float[] dz = Numbers.Draw(4, plain.QueryRows * 6);
        double[][] actual = Gradients(plain, dz, 1);
        double[] q = Numbers.Wide(plain.Q), kv = Numbers.Wide(plain.Kv), weights = Numbers.Wide(dz);
        Numbers.Same(Numbers.Differentiate(q, v => Numbers.Dot(weights, plain.Forward(v, kv).Mixed)), actual[0], 1e-5);
        Numbers.Same(Numbers.Differentiate(kv, v => Numbers.Dot(weights, plain.Forward(q, v).Mixed)), actual[1], 1e-5);
    }

    [Fact]
    public void Scores_in_the_thousands_do_not_overflow()
    {
        var plain = new PlainAttention([6], 1, 1, 4, lastOnly: false, scale: 3000);
        double[][] actual = OpBench.Run(bench =>
        {
            SequenceLayout layout = bench.Layout([6]);
            Tensor p = bench.Out(36), z = bench.Out(24);
            bench.Device.Attention(bench.Store(plain.Q), bench.Store(plain.Kv), layout, 1, 4, plain.Scale, p, z);
            return [p, z];
        });
        for (int i = 0; i < 6; i++) Assert.Equal(1, actual[0][(6 * i)..((6 * i) + 6)].Sum(), 1e-6);
        Numbers.Same(plain.Forward(Numbers.Wide(plain.Q), Numbers.Wide(plain.Kv)).Mixed, actual[1], 1e-2);
    }

    private static double[][] Gradients(PlainAttention plain, float[] dz, int cotangents) => OpBench.Run(bench =>
    {
        int width = plain.Heads * plain.HeadWidth;
        SequenceLayout layout = bench.Layout(plain.Lengths, plain.Copies, plain.LastOnly);
        Tensor q = bench.Store(plain.Q), kv = bench.Store(plain.Kv), z = bench.Out(plain.QueryRows * width);
        Tensor p = bench.Out(plain.Heads * (int)layout.ProbabilitiesPerHead);
        Tensor dq = bench.Out(cotangents * plain.QueryRows * width), dkv = bench.Out(cotangents * plain.KeyRows * 2 * width);
        bench.Device.Attention(q, kv, layout, plain.Heads, plain.HeadWidth, plain.Scale, p, z);
        bench.Device.AttentionBackward(bench.Store(dz), q, kv, p, layout, plain.Heads, plain.HeadWidth, plain.Scale, cotangents, dq, dkv);
        return [dq, dkv];
    });
}
