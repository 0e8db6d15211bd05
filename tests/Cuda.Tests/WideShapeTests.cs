using Gradpath.Kernels;
using Gradpath.Kernels.Circuits;
using Gradpath.Kernels.Tests;

namespace Gradpath.Cuda.Tests;

/// <summary>Shapes beyond what one block, tile or register file holds: the kernels go on differently there.</summary>
public sealed class WideShapeTests
{
    // Four floats at a time up to 2,048 of a row are kept in registers, single ones up to 512.
    [Theory]
    [InlineData(2, 2404)]
    [InlineData(2, 1031)]
    public void Long_rows_are_normalised(int rows, int width)
    {
        float[] x = Numbers.Draw(1, rows * width, 2, 0.5), gain = Numbers.Draw(2, width, 0.5, 1), shift = Numbers.Draw(3, width);
        double[] actual = OpBench.Run(bench =>
        {
            Tensor mean = bench.Out(rows), rstd = bench.Out(rows), y = bench.Out(rows * width);
            bench.Device.LayerNorm(bench.Store(x), bench.Store(gain), bench.Store(shift), 1e-5f, rows, width, mean, rstd, y);
            return [y];
        })[0];
        var expected = new double[rows * width];
        for (int r = 0; r < rows; r++)
        {
            double[] standard = Standard(x, r, width, out _);
            for (int d = 0; d < width; d++) expected[(r * width) + d] = (gain[d] * standard[d]) + shift[d];
        }
        Numbers.Same(expected, actual);
    }

    // Up to four gradient rows of a reader's row meet in shared memory; rows too long for that are added one after the other.
    [Theory]
    [InlineData(2404, 6)]
    [InlineData(4001, 5)]
    [InlineData(12000, 2)]
    public void Gradients_of_long_rows_are_summed_over_copies(int width, int copies)
    {
        float[] x = Numbers.Draw(4, copies * width, 2, 0.5), dy = Numbers.Draw(5, copies * width), gain = Numbers.Draw(6, width, 0.5, 1);
        double[][] actual = OpBench.Run(bench =>
        {
            Tensor input = bench.Store(x), scale = bench.Store(gain), mean = bench.Out(copies), rstd = bench.Out(copies);
            Tensor residual = bench.Store(new float[copies * width]), reader = bench.Store(new float[width]);
            bench.Device.LayerNorm(input, scale, scale, 1e-5f, copies, width, mean, rstd, bench.Out(copies * width));
            bench.Device.LayerNormBackward(
                bench.Store(dy), input, scale, mean, rstd, new GradientRows(copies, copies, 1), width, residual, reader, copies - 1);
            return [residual, reader];
        });
        double[] expected = new double[copies * width], sum = new double[width];
        for (int r = 0; r < copies; r++)
        {
            double[] standard = Standard(x, r, width, out double rstd);
            double[] t = [.. Enumerable.Range(0, width).Select(d => (double)gain[d] * dy[(r * width) + d])];
            double level = t.Average(), along = Numbers.Dot(t, standard) / width;
            for (int d = 0; d < width; d++)
            {
                expected[(r * width) + d] = rstd * (t[d] - level - (standard[d] * along));
                if (r < copies - 1) sum[d] += expected[(r * width) + d];
            }
        }
        Numbers.Same(expected, actual[0], 5e-6);
        Numbers.Same(sum, actual[1], 5e-6);
    }

    // Several tiles of keys and of queries, and every width at which a block deals its threads otherwise.
    [Theory]
    [InlineData(new[] { 70 }, 1, 64, false)]
    [InlineData(new[] { 41, 3 }, 2, 5, false)]
    [InlineData(new[] { 34 }, 1, 80, false)]
    [InlineData(new[] { 35, 2 }, 1, 128, false)]
    [InlineData(new[] { 67, 33 }, 1, 24, true)]
    public void Attention_reaches_over_many_tiles(int[] lengths, int heads, int headWidth, bool lastOnly)
    {
        var plain = new PlainAttention(lengths, 1, heads, headWidth, lastOnly, scale: 0.3f);
        int width = heads * headWidth;
        float[] dz = Numbers.Draw(7, plain.QueryRows * width);
        double[][] actual = OpBench.Run(bench =>
        {
            SequenceLayout layout = bench.Layout(lengths, 1, lastOnly);
            Tensor q = bench.Store(plain.Q);
            Tensor kv = bench.Store(plain.Kv);
            Tensor p = bench.Out(heads * (int)layout.ProbabilitiesPerHead);
            Tensor z = bench.Out(plain.QueryRows * width);
            Tensor dq = bench.Out(plain.QueryRows * width), dkv = bench.Out(plain.KeyRows * 2 * width);
            bench.Device.Attention(q, kv, layout, new HeadGroup(heads, headWidth, plain.Scale), p, z);
            bench.Device.AttentionBackward(bench.Store(dz), q, kv, p, layout, new HeadGroup(heads, headWidth, plain.Scale), 1, dq, dkv);
            return [p, z, dq, dkv];
        });
        (double[] probabilities, double[] mixed) = plain.Forward(Numbers.Wide(plain.Q), Numbers.Wide(plain.Kv));
        (double[] expectedDq, double[] expectedDkv) = plain.Backward(Numbers.Wide(dz));
        Numbers.Same(probabilities, actual[0]);
        Numbers.Same(mixed, actual[1]);
        Numbers.Same(expectedDq, actual[2]);
        Numbers.Same(expectedDkv, actual[3]);
    }

    [Fact]
    public void Heads_wider_than_a_block_takes_are_refused() => OpBench.Run(bench =>
    {
        Tensor any = bench.Store(new float[1000]);
        var e = Assert.Throws<ArgumentOutOfRangeException>(
            () => bench.Device.Attention(any, any, bench.Layout([1]), new HeadGroup(1, 129, 1), any, any));
        Assert.Contains("at most 128", e.Message, StringComparison.Ordinal);
        return [];
    });

    // A block sums 16 thousand products before another one shares a sequence's work.
    [Theory]
    [InlineData(40, 1031)]
    [InlineData(33, 1024)]
    public void Products_of_long_sequences_are_summed_in_parts(int length, int width)
    {
        float[] x = Numbers.Draw(8, (length + 1) * width), y = Numbers.Draw(9, (length + 1) * width);
        double[] actual = OpBench.Run(bench =>
        {
            SequenceLayout layout = bench.Layout([length, 1]);
            DeviceArray<double> dots = bench.OutDoubles(2);
            bench.Device.SequenceDots(bench.Store(x), bench.Store(y), layout, width, dots);
            return [dots];
        })[0];
        double[] a = Numbers.Wide(x), b = Numbers.Wide(y);
        Numbers.Same(
            [Numbers.Dot(a[..(length * width)], b[..(length * width)]), Numbers.Dot(a[(length * width)..], b[(length * width)..])],
            actual,
            2e-6);
    }

    // A lane keeps 128 columns of a head in registers.
    [Fact]
    public void Readers_of_wide_heads_are_accumulated()
    {
        const int Readers = 2, HeadWidth = 150, Base = 3, Points = 2, All = Readers * HeadWidth;
        float[] dy = Numbers.Draw(10, Points * Base * All);
        float[] y = Numbers.Draw(11, Points * Base * All);
        float[] constant = Numbers.Draw(12, All);
        float[] gains = Numbers.Draw(13, All);
        float[] rstd = Numbers.Draw(14, Points * Base, 0.3, 1), before = Numbers.Draw(15, Base * All);
        double[][] actual = OpBench.Run(bench =>
        {
            Tensor sums = bench.Store(before);
            Tensor offsets = bench.Store(new float[Readers * Base]);
            Tensor coefficients = bench.Out(Points * Readers * Base);
            bench.Device.AccumulateReaders(new ReaderPoints(
                bench.Store(dy), bench.Store(y), bench.Store(constant), bench.Store(gains), bench.Store(rstd),
                new ReaderGroup(Readers, HeadWidth, 7), new GradientRows(Points * Base, Points * Base, Base),
                new ReaderSums(sums, offsets, coefficients), 0));
            return [sums, offsets, coefficients];
        });
        double[] sums = Numbers.Wide(before), offsets = new double[Readers * Base], coefficients = new double[Points * Readers * Base];
        for (int i = 0; i < dy.Length; i++)
        {
            int row = i / All, column = i % All, reader = column / HeadWidth, n = row % Base;
            sums[(n * All) + column] += (double)rstd[row] * dy[i];
            offsets[(reader * Base) + n] += (double)rstd[row] * dy[i] * gains[column] / 7;
            coefficients[(((row / Base * Readers) + reader) * Base) + n] +=
                (double)rstd[row] * dy[i] * ((double)y[i] - constant[column]) / 7;
        }
        Numbers.Same(sums, actual[0]);
        Numbers.Same(offsets, actual[1]);
        Numbers.Same(coefficients, actual[2]);
    }

    // A block of 1,024 threads takes four elements each at once.
    [Fact]
    public void Wide_vocabularies_with_many_judged_tokens_are_scored_in_place()
    {
        const int Vocabulary = 5003, Judged = 1100;
        float[] logits = Numbers.Draw(16, 2 * Vocabulary, 8), weights = Numbers.Draw(17, Judged);
        int[] tokens = [.. Enumerable.Range(0, Judged).Select(i => (i * 7) % Vocabulary)];
        double[][] actual = OpBench.Run(bench =>
        {
            var answers = new AnswerTokens(
                bench.Integers(0, Judged), bench.Integers(tokens), bench.Own(bench.Device.Store<float>(weights)), Judged);
            Tensor logP = bench.Store(logits);
            DeviceArray<double> values = bench.OutDoubles(2);
            bench.Device.LogSoftmax(logP, 2, Vocabulary);
            bench.Device.ProbabilityDifference(logP, answers, 1, 2, Vocabulary, values, logP);
            return [values, logP];
        });
        double[] value = new double[2], gradient = new double[2 * Vocabulary];
        for (int r = 0; r < 2; r++)
        {
            double[] p = [.. logits[(r * Vocabulary)..((r + 1) * Vocabulary)].Select(v => Math.Exp(v))];
            double sum = p.Sum();
            var weight = new double[Vocabulary];
            for (int a = 0; a < Judged; a++) weight[tokens[a]] = weights[a];
            value[r] = Numbers.Dot(weight, p) / sum;
            for (int j = 0; j < Vocabulary; j++) gradient[(r * Vocabulary) + j] = p[j] / sum * (weight[j] - value[r]);
        }
        for (int r = 0; r < 2; r++) Assert.Equal(value[r], actual[0][r], 1e-8);
        double largest = gradient.Max(Math.Abs);
        for (int i = 0; i < gradient.Length; i++) Assert.Equal(gradient[i], actual[1][i], 2e-6 * largest);
    }

    [Fact]
    public void The_largest_is_the_first_of_equals_and_what_is_no_number_comes_before_all()
    {
        const int Width = 2500;
        float[] rows = new float[4 * Width];
        rows[2000] = rows[1500] = rows[1501] = 3;
        Array.Fill(rows, -5f, Width, Width);
        rows[(2 * Width) + 7] = float.PositiveInfinity;
        rows[(2 * Width) + 2400] = rows[(2 * Width) + 2300] = float.NaN;
        Array.Fill(rows, float.NegativeInfinity, 3 * Width, Width);
        rows[(3 * Width) + 2499] = -1e30f;
        OpBench.Run(bench =>
        {
            DeviceArray<int> indices = bench.Integers(-1, -1, -1, -1);
            bench.Device.ArgMax(bench.Store(rows), 4, Width, indices);
            Assert.Equal([1500, 0, 2300, 2499], indices.ToArray());
            return [];
        });
    }

    [Fact]
    public void Many_rows_have_their_products()
    {
        int rows = OpDevices.ManyRows;
        float[] x = Numbers.Draw(18, rows * 3), y = Numbers.Draw(19, 3);
        double[] actual = OpBench.Run(bench =>
        {
            DeviceArray<double> values = bench.OutDoubles(rows);
            bench.Device.RowDots(bench.Store(x), bench.Store(y), 1, rows, 3, values);
            return [values];
        })[0];
        var expected = new double[rows];
        for (int i = 0; i < x.Length; i++) expected[i / 3] += (double)x[i] * y[i % 3];
        Numbers.Same(expected, actual, 3e-7);
    }

    private static double[] Standard(float[] x, int row, int width, out double rstd)
    {
        double[] values = Numbers.Wide(x[(row * width)..((row + 1) * width)]);
        double mean = values.Average(), scale = 1 / Math.Sqrt(values.Average(v => (v - mean) * (v - mean)) + 1e-5);
        rstd = scale;
        return Array.ConvertAll(values, v => (v - mean) * scale);
    }
}
