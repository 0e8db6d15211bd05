using Gradpath.Kernels.Circuits;

namespace Gradpath.Kernels.Tests;

public sealed class EdgesTests
{
    /// <summary>
    /// Four points in two calls: the gradients that come out are the sums over the points of each reader's own LayerNorm backward pass,
    /// g = rstd (gain W dy - mean(gain W dy) - xhat mean(gain W dy xhat)).
    /// </summary>
    [Theory]
    [InlineData(1, 1, 1, 2)]
    [InlineData(5, 2, 3, 7)]
    [InlineData(23, 5, 7, 35)]
    [InlineData(61, 6, 16, 33)]
    public void Reader_gradients_are_sums_over_points_of_each_readers_own_layer_norm_gradient(
        int baseRows, int readers, int headWidth, int width)
    {
        const int Points = 4;
        var x = new PlainReaders(Points * baseRows, readers, headWidth, width);
        double[] actual = OpBench.Run(bench =>
        {
            int all = readers * headWidth, half = 2 * baseRows;
            Tensor gain = bench.Store(x.Gain);
            Tensor weight = bench.Store(x.Weight);
            Tensor gainSums = bench.Store(new float[all]);
            Tensor constant = bench.Store(new float[all]);
            bench.Device.Gemm(gain.AsMatrix(1, width), weight.AsMatrix(width, all), gainSums.AsMatrix(1, all));
            bench.Device.Gemm(
                bench.Store(x.Shift).AsMatrix(1, width),
                weight.AsMatrix(width, all),
                constant.AsMatrix(1, all),
                new GemmOptions(Bias: bench.Store(x.Bias)));
            Tensor sums = bench.Store(new float[baseRows * all]), offsets = bench.Store(new float[readers * baseRows]);
            Tensor coefficients = bench.Out(Points * readers * baseRows), standardized = bench.Out(Points * baseRows * width);
            for (int call = 0; call < 2; call++)
            {
                Tensor input = bench.Store(x.X[(call * half * width)..((call + 1) * half * width)]);
                Tensor mean = bench.Out(half);
                Tensor rstd = bench.Out(half);
                Tensor normed = bench.Out(half * width);
                Tensor y = bench.Store(new float[half * all]);
                bench.Device.LayerNorm(input, gain, bench.Store(x.Shift), PlainReaders.Epsilon, half, width, mean, rstd, normed);
                bench.Device.Gemm(
                    normed.AsMatrix(half, width),
                    weight.AsMatrix(width, all),
                    y.AsMatrix(half, all),
                    new GemmOptions(Bias: bench.Store(x.Bias)));
                bench.Device.AccumulateReaders(new ReaderPoints(
                    bench.Store(x.Dy[(call * half * all)..((call + 1) * half * all)]), y, constant, gainSums, rstd,
                    new ReaderGroup(readers, headWidth, width), new GradientRows(half, half, baseRows),
                    new ReaderSums(sums, offsets, coefficients), 2 * call));
                bench.Device.Standardize(input, mean, rstd, null, half, width, standardized, 2 * call * baseRows);
            }
            const int First = 11;
            Tensor gradients = bench.Out(First + (readers * baseRows * width));
            for (int c = 0; c < readers; c++)
            {
                bench.Device.Gemm(
                    sums.AsMatrix(baseRows, all).SliceColumns(c * headWidth, headWidth),
                    weight.AsMatrix(width, all).SliceColumns(c * headWidth, headWidth).T,
                    new Matrix(gradients, First + ((long)c * baseRows * width), baseRows, width, width));
            }
            bench.Device.FinishReaders(
                gradients, First, gain, offsets, coefficients, standardized, new ReaderBlocks(readers, baseRows, width, Points));
            return [gradients];
        })[0];
        Assert.All(actual[..11], v => Assert.True(double.IsNaN(v)));
        Numbers.Same(x.Gradients(baseRows), actual[11..], 1e-5);
    }

    /// <summary>Two layers, the sums of one behind the other's: the bits of one after the other, and the last gradients copied.</summary>
    [Theory]
    [InlineData(3, 5, 7)]
    [InlineData(6, 4, 132)]
    public void Readers_of_several_layers_are_finished_as_one_after_the_other(int readers, int rows, int width)
    {
        const int Points = 3, Layers = 2;
        int block = rows * width, sums = Math.Max(block, Points * readers * rows) + 4, normalised = (Points * block) + 8;
        int perLayer = (readers + 1) * block;
        float[] g = Numbers.Draw(41, Layers * perLayer), gain = Numbers.Draw(42, Layers * width, 0.3, 1);
        float[] offsets = Numbers.Draw(43, Layers * sums), coefficients = Numbers.Draw(44, Layers * sums);
        float[] standardized = Numbers.Draw(45, Layers * normalised), last = Numbers.Draw(46, Layers * sums);
        double[] Run(bool together) => OpBench.Run(bench =>
        {
            Tensor gradients = bench.Store(g), scale = bench.Store(gain), o = bench.Store(offsets), c = bench.Store(coefficients);
            Tensor rowsOf = bench.Store(standardized), behind = bench.Store(last);
            if (together)
            {
                bench.Device.FinishReaders(
                    gradients, 0, scale, o, c, rowsOf, new ReaderBlocks(readers, rows, width, Points, Layers, sums, normalised), behind);
                return [gradients];
            }
            for (int l = 0; l < Layers; l++)
            {
                bench.Device.FinishReaders(
                    gradients, l * perLayer, scale.Slice(l * width, width), o.Slice(l * sums, sums), c.Slice(l * sums, sums),
                    rowsOf.Slice(l * normalised, normalised), new ReaderBlocks(readers, rows, width, Points),
                    behind.Slice(l * sums, sums));
            }
            return [gradients];
        })[0];
        double[] actual = Run(together: true);
        Assert.Equal(Run(together: false), actual);
        Assert.Equal(Numbers.Wide(last)[..block], actual[(perLayer - block)..perLayer]);
        Assert.Equal(Numbers.Wide(last)[sums..(sums + block)], actual[^block..]);
    }

    /// <summary>Two cotangents, of which the first one's first two points count for readers; in one call and in three.</summary>
    [Theory]
    [InlineData(1, 2, 3, 7)]
    [InlineData(5, 4, 16, 132)]
    public void Readers_together_with_the_gradient_of_their_layer_norm_are_as_apart(
        int baseRows, int readers, int headWidth, int width)
    {
        const int Points = 2, First = 1;
        int all = readers * headWidth, half = 3 * baseRows, rows = 2 * half, counted = Points * baseRows;
        float[] dy = Numbers.Draw(31, rows * width), x = Numbers.Draw(32, half * width), gain = Numbers.Draw(33, width, 0.3, 1);
        float[] mean = Numbers.Draw(34, half), rstd = Numbers.Draw(35, half, 0.3, 1), residual = Numbers.Draw(36, rows * width);
        float[] gradient = Numbers.Draw(37, rows * all), y = Numbers.Draw(38, half * all);
        float[] constant = Numbers.Draw(39, all), gainSums = Numbers.Draw(40, all);
        double[][] Run(bool together) => OpBench.Run(bench =>
        {
            Tensor sums = bench.Store(new float[baseRows * all]), offsets = bench.Store(new float[readers * baseRows]);
            Tensor coefficients = bench.Store(new float[(First + Points) * readers * baseRows]);
            Tensor kept = bench.Store(new float[(First + Points) * baseRows * width]), target = bench.Store(residual);
            Tensor behind = bench.Store(dy), input = bench.Store(x), scale = bench.Store(gain);
            Tensor m = bench.Store(mean), r = bench.Store(rstd);
            GradientRows own = new(rows, half, baseRows);
            ReaderPoints points = new(
                bench.Store(gradient), bench.Store(y), bench.Store(constant), bench.Store(gainSums), r,
                new ReaderGroup(readers, headWidth, width), new GradientRows(counted, half, baseRows),
                new ReaderSums(sums, offsets, coefficients), First);
            if (together)
            {
                bench.Device.LayerNormBackwardWithReaders(behind, input, scale, m, r, own, target, points, kept);
            }
            else
            {
                bench.Device.AccumulateReaders(points);
                bench.Device.LayerNormBackward(behind, input, scale, m, r, own, width, target, null, 0);
                bench.Device.Standardize(input, m, r, null, counted, width, kept, First * baseRows);
            }
            return [sums, offsets, coefficients, kept, target];
        });
        double[][] apart = Run(together: false), together = Run(together: true);
        for (int i = 0; i < apart.Length - 1; i++) Assert.Equal(apart[i], together[i]);

        // A kernel that writes the gradient nowhere else may round it together with the sum.
        for (int i = 0; i < apart[^1].Length; i++) Assert.Equal(apart[^1][i], together[^1][i], 1e-6);
    }

    /// <summary>Where no row counts for readers, what is left is the gradient of the LayerNorm.</summary>
    [Fact]
    public void Readers_without_rows_leave_the_gradient_of_their_layer_norm()
    {
        const int rows = 4, width = 6;
        float[] dy = Numbers.Draw(1, rows * width), x = Numbers.Draw(2, rows * width), gain = Numbers.Draw(3, width, 0.3, 1);
        float[] mean = Numbers.Draw(4, rows), rstd = Numbers.Draw(5, rows, 0.3, 1), residual = Numbers.Draw(6, rows * width);
        GradientRows own = new(rows, rows, rows);
        double[] Run(bool together) => OpBench.Run(bench =>
        {
            Tensor behind = bench.Store(dy), input = bench.Store(x), scale = bench.Store(gain), target = bench.Store(residual);
            Tensor m = bench.Store(mean), r = bench.Store(rstd);
            if (together)
            {
                ReaderPoints none = new(
                    bench.Store(new float[1]), bench.Store(new float[rows * 2]), bench.Store(new float[2]), bench.Store(new float[2]), r,
                    new ReaderGroup(1, 2, width), new GradientRows(0, rows, rows),
                    new ReaderSums(bench.Store(new float[rows * 2]), bench.Store(new float[rows]), bench.Store(new float[1])), 0);
                bench.Device.LayerNormBackwardWithReaders(behind, input, scale, m, r, own, target, none, null);
            }
            else
            {
                bench.Device.LayerNormBackward(behind, input, scale, m, r, own, width, target, null, 0);
            }
            return [target];
        })[0];
        Assert.Equal(Run(together: false), Run(together: true));
    }

    /// <summary>Rows of the forward pass behind the gradient rows (a second copy that counts for nothing) change nothing.</summary>
    [Fact]
    public void Only_the_rows_that_count_are_accumulated()
    {
        const int Base = 3, Readers = 2, Width = 4;
        float[] dy = Numbers.Draw(1, 3 * Base * 2);
        float[] y = Numbers.Draw(2, 2 * Base * 2);
        float[] rstd = Numbers.Draw(3, 2 * Base, 0.2, 1);
        float[] zeros = new float[2];
        double[][] actual = OpBench.Run(bench =>
        {
            Tensor sums = bench.Store(new float[Base * 2]);
            Tensor offsets = bench.Store(new float[Readers * Base]);
            Tensor coefficients = bench.Out(Readers * Base);
            bench.Device.AccumulateReaders(new ReaderPoints(
                bench.Store(dy), bench.Store(y), bench.Store(zeros), bench.Store([1, 2]), bench.Store(rstd),
                new ReaderGroup(Readers, 1, Width), new GradientRows(Base, 2 * Base, Base),
                new ReaderSums(sums, offsets, coefficients), 0));
            return [sums, offsets, coefficients];
        });
        var expected = new double[3][];
        expected[0] = [.. Enumerable.Range(0, 6).Select(i => (double)rstd[i / 2] * dy[i])];
        expected[1] = [.. Enumerable.Range(0, 6).Select(i => rstd[i % 3] * dy[(i % 3 * 2) + (i / 3)] * (i / 3 == 0 ? 1.0 : 2.0) / Width)];
        expected[2] =
        [
            .. Enumerable.Range(0, 6).Select(i => (double)rstd[i % 3] * dy[(i % 3 * 2) + (i / 3)] * y[(i % 3 * 2) + (i / 3)] / Width),
        ];
        for (int i = 0; i < 3; i++) Numbers.Same(expected[i], actual[i]);
    }

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(3, 2, 513)]
    [InlineData(14, 9, 7001)]
    [InlineData(17, 40, 4096)]
    [InlineData(5, 13, 2047)]
    [InlineData(2, 5, 100003)]
    public void Scores_are_products_over_the_whole_length_added_to_what_is_there(int writers, int readers, int length)
    {
        int stride = readers + 4;
        float[] delta = Numbers.Draw(4, writers * length), gradients = Numbers.Draw(5, readers * length);
        double[] before = Numbers.Wide(Numbers.Draw(6, (writers + 1) * stride));
        double[] actual = OpBench.Run(bench =>
        {
            DeviceArray<double> scores = bench.Doubles(before);
            bench.Device.ContractEdges(
                bench.Store(delta), writers, bench.Store(gradients), readers, length, new ScoreBlock(scores, stride, 3));
            return [scores];
        })[0];
        double[] expected = [.. before];
        for (int u = 0; u < writers; u++)
        {
            for (int v = 0; v < readers; v++)
            {
                for (int i = 0; i < length; i++)
                {
                    expected[(u * stride) + 3 + v] += (double)delta[(u * length) + i] * gradients[(v * length) + i];
                }
            }
        }
        Numbers.Same(expected, actual, 2e-6);
    }

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(4, 9, 5)]
    [InlineData(7, 300, 33)]
    public void Proximity_is_what_of_the_input_goes_without_a_writer(int writers, int rows, int width)
    {
        float[] outputs = Numbers.Draw(7, writers * rows * width), weights = Numbers.Draw(8, rows, 0.5, 1);
        float[] input = Numbers.Draw(9, rows * width, 0.3);
        for (int i = 0; i < outputs.Length; i++) input[i % input.Length] += outputs[i];
        double[] actual = Flow(input, outputs, writers, rows, width, weights);
        double[] expected = new double[writers];
        for (int n = 0; n < rows; n++)
        {
            var near = new double[writers];
            for (int u = 0; u < writers; u++)
            {
                for (int d = 0; d < width; d++)
                {
                    double x = input[(n * width) + d];
                    near[u] += Math.Abs(x) - Math.Abs(x - outputs[(((u * rows) + n) * width) + d]);
                }
                near[u] = Math.Max(0, near[u]);
            }
            for (int u = 0; u < writers && near.Sum() > 0; u++) expected[u] += weights[n] * near[u] / near.Sum();
        }
        Numbers.Same([.. expected.SelectMany(e => new[] { 7, 7 + e })], actual, 1e-5);
    }

    [Fact]
    public void Rows_that_no_writer_is_near_to_count_nothing()
    {
        // Row 0: both writers point away from the input. Row 1: the first one is all of it.
        double[] actual = Flow([1, 1, 2, 0], [-1, -1, 2, 0, -3, -3, 0, 5], 2, 2, 2, [1, 0.5f]);
        Numbers.Same([7, 7.5, 7, 7], actual, 1e-7);
    }

    [Fact]
    public void Proximity_takes_as_many_rows_as_there_are()
    {
        int rows = OpDevices.ManyRows;
        float[] ones = new float[rows];
        Array.Fill(ones, 1f);
        Numbers.Same([7, 7 + rows], Flow(ones, ones, 1, rows, 1, ones), 1e-7);
    }

    private static double[] Flow(float[] input, float[] outputs, int writers, int rows, int width, float[] weights) => OpBench.Run(bench =>
    {
        DeviceArray<double> scores = bench.Doubles([.. Enumerable.Repeat(7.0, 2 * writers)]);
        bench.Device.Proximity(
            bench.Store(input), bench.Store(outputs), writers, rows, width, bench.Store(weights), new ScoreBlock(scores, 2, 1));
        return [scores];
    })[0];
}
