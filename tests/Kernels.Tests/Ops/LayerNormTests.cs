namespace Gradpath.Kernels.Tests;

public sealed class LayerNormTests
{
    private const float Epsilon = 1e-5f;

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 5)]
    [InlineData(7, 48)]
    [InlineData(301, 129)]
    public void Rows_are_normalised_scaled_and_shifted(int rows, int width)
    {
        float[] x = Numbers.Draw(1, rows * width, 2, 0.5);
        float[] gain = Numbers.Draw(2, width, 0.5, 1);
        float[] shift = Numbers.Draw(3, width);
        double[][] actual = OpBench.Run(bench =>
        {
            Tensor mean = bench.Out(rows), rstd = bench.Out(rows), y = bench.Out(rows * width);
            bench.Device.LayerNorm(bench.Store(x), bench.Store(gain), bench.Store(shift), Epsilon, rows, width, mean, rstd, y);
            return [mean, rstd, y];
        });
        double[] expectedMean = new double[rows], expectedRstd = new double[rows];
        for (int r = 0; r < rows; r++) (expectedMean[r], expectedRstd[r]) = Statistics(Numbers.Wide(x), r, width);
        Numbers.Same(expectedMean, actual[0]);
        Numbers.Same(expectedRstd, actual[1]);
        Numbers.Same(Forward(Numbers.Wide(x), gain, shift, rows, width), actual[2]);
    }

    [Fact]
    public void A_constant_row_becomes_the_shift()
    {
        float[] shift = Numbers.Draw(4, 9);
        double[][] actual = OpBench.Run(bench =>
        {
            Tensor mean = bench.Out(1), rstd = bench.Out(1), y = bench.Out(9);
            bench.Device.LayerNorm(
                bench.Store([.. Enumerable.Repeat(0.5f, 9)]),
                bench.Store(Numbers.Draw(5, 9)),
                bench.Store(shift),
                Epsilon,
                1,
                9,
                mean,
                rstd,
                y);
            return [y, rstd];
        });
        Numbers.Same(Numbers.Wide(shift), actual[0]);
        Numbers.Same([1 / Math.Sqrt(Epsilon)], actual[1]);
    }

    /// <summary>
    /// Two cotangents over two copies, of which the first three count for the reader: gradient row r belongs to x row r mod 2 copies.
    /// </summary>
    [Theory]
    [InlineData(1, 2)]
    [InlineData(3, 7)]
    [InlineData(67, 131)]
    public void The_gradient_is_that_of_the_definition_and_is_added(int baseRows, int width)
    {
        int activationRows = 2 * baseRows;
        int rows = 2 * activationRows;
        int contributing = 3 * baseRows;
        float[] x = Numbers.Draw(6, activationRows * width, 2, 0.5);
        float[] dy = Numbers.Draw(7, rows * width);
        float[] gain = Numbers.Draw(8, width, 0.5, 1);
        float[] residual = Numbers.Draw(9, rows * width);
        float[] reader = Numbers.Draw(10, baseRows * width);
        double[][] actual = OpBench.Run(bench =>
        {
            Tensor mean = bench.Out(activationRows), rstd = bench.Out(activationRows), y = bench.Out(activationRows * width);
            Tensor input = bench.Store(x), gradient = bench.Store(dy), scale = bench.Store(gain);
            Tensor with = bench.Store(residual), without = bench.Store(residual), sum = bench.Store(reader);
            bench.Device.LayerNorm(input, scale, bench.Store(new float[width]), Epsilon, activationRows, width, mean, rstd, y);
            bench.Device.LayerNormBackward(
                gradient, input, scale, mean, rstd, new GradientRows(rows, activationRows, baseRows), width, with, sum, contributing);
            bench.Device.LayerNormBackward(
                gradient, input, scale, mean, rstd, new GradientRows(rows, activationRows, baseRows), width, without, null, 0);
            return [with, without, sum];
        });
        double[] expected = Numbers.Wide(residual), expectedReader = Numbers.Wide(reader);
        for (int r = 0; r < rows; r++)
        {
            double[] dx = Backward(Numbers.Wide(x), Numbers.Wide(dy), gain, r % activationRows, r, width);
            for (int d = 0; d < width; d++)
            {
                expected[(r * width) + d] += dx[d];
                if (r < contributing) expectedReader[(r % baseRows * width) + d] += dx[d];
            }
        }
        Numbers.Same(expected, actual[0], 5e-6);
        Numbers.Same(expected, actual[1], 5e-6);
        Numbers.Same(expectedReader, actual[2], 5e-6);
    }

    /// <summary>Rows 1, 4, 5 and 8 of ten are chosen; of the others those below 9 are cleared, before and behind the chosen ones.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_gradient_of_chosen_rows_is_theirs_and_the_others_are_cleared(bool fresh)
    {
        const int All = 10, Width = 131, Base = 2, Cleared = 9;
        int[] chosen = [1, 4, 5, 8];
        float[] x = Numbers.Draw(16, All * Width, 2, 0.5), dy = Numbers.Draw(17, chosen.Length * Width);
        float[] gain = Numbers.Draw(18, Width, 0.5, 1), residual = Numbers.Draw(19, All * Width), reader = Numbers.Draw(20, Base * Width);
        double[][] actual = OpBench.Run(bench =>
        {
            Tensor mean = bench.Out(All), rstd = bench.Out(All), y = bench.Out(All * Width);
            Tensor input = bench.Store(x), scale = bench.Store(gain), target = bench.Store(residual), sum = bench.Store(reader);
            bench.Device.LayerNorm(input, scale, bench.Store(new float[Width]), Epsilon, All, Width, mean, rstd, y);
            bench.Device.LayerNormBackward(
                bench.Store(dy), input, scale, mean, rstd, new GradientRows(chosen.Length, chosen.Length, Base), Width, target, sum, 3,
                bench.Integers(chosen), fresh, Cleared);
            return [target, sum];
        });
        double[] expected = Numbers.Wide(residual), expectedReader = Numbers.Wide(reader);
        expected.AsSpan(0, Cleared * Width).Clear();
        for (int r = 0; r < chosen.Length; r++)
        {
            double[] dx = Backward(Numbers.Wide(x), Numbers.Wide(dy), gain, chosen[r], r, Width);
            for (int d = 0; d < Width; d++)
            {
                int at = (chosen[r] * Width) + d;
                expected[at] = (fresh ? 0 : residual[at]) + dx[d];
                if (r < 3) expectedReader[(r % Base * Width) + d] += dx[d];
            }
        }
        Numbers.Same(expected, actual[0], 5e-6);
        Numbers.Same(expectedReader, actual[1], 5e-6);
    }

    [Fact]
    public void The_gradient_is_what_finite_differences_show()
    {
        const int Rows = 3, Width = 7;
        float[] x = Numbers.Draw(11, Rows * Width);
        float[] dy = Numbers.Draw(12, Rows * Width);
        float[] gain = Numbers.Draw(13, Width);
        float[] shift = Numbers.Draw(14, Width);
        double[] actual = OpBench.Run(bench =>
        {
            Tensor mean = bench.Out(Rows);
            Tensor rstd = bench.Out(Rows);
            Tensor y = bench.Out(Rows * Width);
            Tensor input = bench.Store(x);
            Tensor scale = bench.Store(gain);
            Tensor residual = bench.Store(new float[Rows * Width]);
            bench.Device.LayerNorm(input, scale, bench.Store(shift), Epsilon, Rows, Width, mean, rstd, y);
            bench.Device.LayerNormBackward(
                bench.Store(dy), input, scale, mean, rstd, new GradientRows(Rows, Rows, Rows), Width, residual, null, 0);
            return [residual];
        })[0];
        double[] expected = Numbers.Differentiate(
            Numbers.Wide(x), v => Numbers.Dot(Numbers.Wide(dy), Forward(v, gain, shift, Rows, Width)));
        Numbers.Same(expected, actual, 5e-6);
    }

    [Fact]
    public void Standardized_rows_are_picked_by_index_and_written_from_a_row_on()
    {
        const int Rows = 6, Width = 5;
        float[] x = Numbers.Draw(15, Rows * Width), ones = [1, 1, 1, 1, 1], zeros = new float[Width];
        int[] picked = [5, 0, 3];
        double[][] actual = OpBench.Run(bench =>
        {
            Tensor mean = bench.Out(Rows), rstd = bench.Out(Rows), y = bench.Out(Rows * Width), input = bench.Store(x);
            Tensor some = bench.Store(new float[5 * Width]), all = bench.Out(Rows * Width);
            bench.Device.LayerNorm(input, bench.Store(ones), bench.Store(zeros), Epsilon, Rows, Width, mean, rstd, y);
            bench.Device.Standardize(input, mean, rstd, bench.Integers(picked), 3, Width, some, 2);
            bench.Device.Standardize(input, mean, rstd, null, Rows, Width, all, 0);
            return [some, all];
        });
        double[] expected = Forward(Numbers.Wide(x), ones, zeros, Rows, Width);
        Numbers.Same([.. new double[2 * Width], .. picked.SelectMany(r => expected[(r * Width)..((r + 1) * Width)])], actual[0]);
        Numbers.Same(expected, actual[1]);
    }

    private static (double Mean, double Rstd) Statistics(double[] x, int row, int width)
    {
        double[] values = x[(row * width)..((row + 1) * width)];
        double mean = values.Average();
        return (mean, 1 / Math.Sqrt(values.Average(v => (v - mean) * (v - mean)) + Epsilon));
    }

    private static double[] Forward(double[] x, float[] gain, float[] shift, int rows, int width)
    {
        var y = new double[rows * width];
        for (int r = 0; r < rows; r++)
        {
            (double mean, double rstd) = Statistics(x, r, width);
            for (int d = 0; d < width; d++) y[(r * width) + d] = (gain[d] * (x[(r * width) + d] - mean) * rstd) + shift[d];
        }
        return y;
    }

    // dx = rstd (t - mean(t) - xhat mean(t xhat)), t = gain dy.
    private static double[] Backward(double[] x, double[] dy, float[] gain, int activationRow, int gradientRow, int width)
    {
        (double mean, double rstd) = Statistics(x, activationRow, width);
        double[] t = [.. Enumerable.Range(0, width).Select(d => gain[d] * dy[(gradientRow * width) + d])];
        double[] standard = [.. Enumerable.Range(0, width).Select(d => (x[(activationRow * width) + d] - mean) * rstd)];
        double along = t.Zip(standard, (a, b) => a * b).Average();
        return [.. t.Zip(standard, (a, b) => rstd * (a - t.Average() - (b * along)))];
    }
}
