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
        { [17, 1, 32], 1, 2, 16, false },
        { [9, 32], 2, 1, 48, true },
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
            bench.Device.Attention(bench.Store(plain.Q), bench.Store(plain.Kv), layout, new HeadGroup(heads, headWidth, plain.Scale), p, z);
            return [p, z];
        });
        (double[] probabilities, double[] mixed) = plain.Forward(Numbers.Wide(plain.Q), Numbers.Wide(plain.Kv));
        Numbers.Same(probabilities, actual[0]);
        Numbers.Same(mixed, actual[1]);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Gradients_of_several_cotangents_are_those_of_the_definition(
        int[] lengths, int copies, int heads, int headWidth, bool lastOnly)
    {
        const int Cotangents = 2;
        var plain = new PlainAttention(lengths, copies, heads, headWidth, lastOnly, scale: 0.4f);
        int width = heads * headWidth;
        float[] dz = Numbers.Draw(3, Cotangents * plain.QueryRows * width);
        double[][] actual = Gradients(plain, dz, Cotangents);
        double[] dq = [], dkv = [];
        for (int c = 0; c < Cotangents; c++)
        {
            (double[] q, double[] kv) = plain.Backward(
                Numbers.Wide(dz[(c * plain.QueryRows * width)..((c + 1) * plain.QueryRows * width)]));
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
            bench.Device.Attention(bench.Store(plain.Q), bench.Store(plain.Kv), layout, new HeadGroup(1, 4, plain.Scale), p, z);
            return [p, z];
        });
        for (int i = 0; i < 6; i++) Assert.Equal(1, actual[0][(6 * i)..((6 * i) + 6)].Sum(), 1e-6);
        Numbers.Same(plain.Forward(Numbers.Wide(plain.Q), Numbers.Wide(plain.Kv)).Mixed, actual[1], 1e-2);
    }

    /// <summary>A sequence that is cut into a prefix and its own rows gives what the whole one gives for those rows.</summary>
    [Theory]
    [InlineData(new[] { 4 }, new[] { 3 }, 1, 2, 4, false)]
    [InlineData(new[] { 5, 1, 3 }, new[] { 2, 0, 19 }, 1, 2, 3, false)]
    [InlineData(new[] { 5, 1, 3 }, new[] { 2, 7, 0 }, 2, 1, 9, false)]
    [InlineData(new[] { 5, 2, 3 }, new[] { 1, 7, 0 }, 3, 2, 5, true)]
    [InlineData(new[] { 5, 20, 3 }, new[] { 20, 7, 0 }, 2, 2, 16, false)]
    public void A_prefix_with_known_keys_and_values_leaves_only_the_rest_to_do(
        int[] lengths, int[] prefixes, int copies, int heads, int headWidth, bool lastOnly)
    {
        const int Cotangents = 2;
        int width = heads * headWidth;
        int[] whole = [.. lengths.Zip(prefixes, (length, prefix) => length + prefix)];
        var plain = new PlainAttention(whole, copies, heads, headWidth, lastOnly, scale: 0.4f);
        // Copies share the prefix; rows of the whole sequences that are no prefix are their own.
        (int[] prefixRows, int[] ownRows) = Split(lengths, prefixes, copies);
        int firstCopy = whole.Sum();
        for (int c = 1; c < copies; c++)
        {
            foreach (int row in prefixRows)
            {
                plain.Kv.AsSpan(row * 2 * width, 2 * width).CopyTo(plain.Kv.AsSpan(((c * firstCopy) + row) * 2 * width));
            }
        }
        float[] ownQ = lastOnly ? plain.Q : Rows(plain.Q, ownRows, width);
        float[] wholeDz = Numbers.Draw(3, Cotangents * plain.QueryRows * width);
        if (!lastOnly)
        {
            // Queries within a prefix are not run, so nothing may come from them.
            for (int r = 0; r < Cotangents * plain.QueryRows; r++)
            {
                if (!ownRows.Contains(r % plain.QueryRows)) wholeDz.AsSpan(r * width, width).Clear();
            }
        }
        int[] dzRows = lastOnly
            ? [.. Enumerable.Range(0, Cotangents * plain.QueryRows)]
            : [.. Enumerable.Range(0, Cotangents).SelectMany(c => ownRows.Select(r => (c * plain.KeyRows) + r))];
        double[][] actual = OpBench.Run(bench =>
        {
            SequenceLayout layout = bench.Layout(lengths, copies, lastOnly, prefixes);
            Assert.Equal(prefixes.Sum(), layout.PrefixRows);
            Tensor q = bench.Store(ownQ);
            Tensor kv = bench.Store(Rows(plain.Kv, ownRows, 2 * width));
            Tensor known = bench.Store(Rows(plain.Kv, prefixRows, 2 * width));
            Tensor p = bench.Out(heads * (int)layout.ProbabilitiesPerHead), z = bench.Out(layout.QueryRows * width);
            Tensor dq = bench.Out(Cotangents * layout.QueryRows * width), dkv = bench.Out(Cotangents * layout.KeyRows * 2 * width);
            bench.Device.Attention(q, kv, layout, new HeadGroup(heads, headWidth, plain.Scale), p, z, known);
            bench.Device.AttentionBackward(
                bench.Store(Rows(wholeDz, dzRows, width)),
                q,
                kv,
                p,
                layout,
                new HeadGroup(heads, headWidth, plain.Scale),
                Cotangents,
                dq,
                dkv,
                known);
            return [z, dq, dkv];
        });
        double[] mixed = plain.Forward(Numbers.Wide(plain.Q), Numbers.Wide(plain.Kv)).Mixed;
        int[] queryRows = lastOnly ? [.. Enumerable.Range(0, plain.QueryRows)] : ownRows;
        Numbers.Same(Rows(mixed, queryRows, width), actual[0]);
        double[] dq = [], dkv = [];
        for (int c = 0; c < Cotangents; c++)
        {
            (double[] q, double[] kv) = plain.Backward(
                Numbers.Wide(wholeDz[(c * plain.QueryRows * width)..((c + 1) * plain.QueryRows * width)]));
            dq = [.. dq, .. Rows(q, queryRows, width)];
            dkv = [.. dkv, .. Rows(kv, ownRows, 2 * width)];
        }
        Numbers.Same(dq, actual[1]);
        Numbers.Same(dkv, actual[2]);
    }

    [Fact]
    public void A_prefix_without_keys_is_refused() => OpBench.Run(bench =>
    {
        SequenceLayout layout = bench.Layout([2], prefixes: [3]);
        Tensor Room() => bench.Store(new float[64]);
        HeadGroup heads = new(1, 4, 1);
        Assert.Throws<ArgumentNullException>(() => bench.Device.Attention(Room(), Room(), layout, heads, Room(), Room()));
        var e = Assert.Throws<ArgumentException>(() => bench.Device.AttentionBackward(
            Room(), Room(), Room(), Room(), layout, heads, 1, Room(), Room(), bench.Store(new float[23])));
        Assert.StartsWith("AttentionBackward: prefix has 23 elements, 24 are needed", e.Message, StringComparison.Ordinal);
        return [];
    });

    private static (int[] Prefix, int[] Own) Split(int[] lengths, int[] prefixes, int copies)
    {
        var prefix = new List<int>();
        var own = new List<int>();
        int row = 0;
        for (int s = 0; s < copies * lengths.Length; s++)
        {
            int before = prefixes[s % lengths.Length], length = lengths[s % lengths.Length];
            if (s < lengths.Length) prefix.AddRange(Enumerable.Range(row, before));
            own.AddRange(Enumerable.Range(row + before, length));
            row += before + length;
        }
        return ([.. prefix], [.. own]);
    }

    private static T[] Rows<T>(T[] values, int[] rows, int width) => [.. rows.SelectMany(r => values[(r * width)..((r + 1) * width)])];

    private static double[][] Gradients(PlainAttention plain, float[] dz, int cotangents) => OpBench.Run(bench =>
    {
        int width = plain.Heads * plain.HeadWidth;
        SequenceLayout layout = bench.Layout(plain.Lengths, plain.Copies, plain.LastOnly);
        Tensor q = bench.Store(plain.Q), kv = bench.Store(plain.Kv), z = bench.Out(plain.QueryRows * width);
        Tensor p = bench.Out(plain.Heads * (int)layout.ProbabilitiesPerHead);
        Tensor dq = bench.Out(cotangents * plain.QueryRows * width), dkv = bench.Out(cotangents * plain.KeyRows * 2 * width);
        bench.Device.Attention(q, kv, layout, new HeadGroup(plain.Heads, plain.HeadWidth, plain.Scale), p, z);
        bench.Device.AttentionBackward(
            bench.Store(dz), q, kv, p, layout, new HeadGroup(plain.Heads, plain.HeadWidth, plain.Scale), cotangents, dq, dkv);
        return [dq, dkv];
    });
}
