namespace Gradpath.Kernels.Tests;

public sealed class RowsTests
{
    public static TheoryData<int, int> Shapes => new() { { 1, 1 }, { 7, 3 }, { 5, 33 }, { 211, 201 } };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Gathered_rows_are_the_tables_rows_plus_an_addend(int count, int width)
    {
        const int Rows = 19;
        float[] table = Numbers.Draw(1, Rows * width);
        float[] addend = Numbers.Draw(2, count * width);
        int[] indices = [.. Enumerable.Range(0, count).Select(i => (i * 7) % Rows)];
        double[][] actual = OpBench.Run(bench =>
        {
            Tensor t = bench.Store(table), plain = bench.Out(count * width), sum = bench.Out(count * width), inPlace = bench.Store(addend);
            DeviceArray<int> rows = bench.Integers(indices);
            bench.Device.GatherRows(t, rows, count, width, plain);
            bench.Device.GatherRows(t, rows, count, width, sum, bench.Store(addend));
            bench.Device.GatherRows(t, rows, count, width, inPlace, inPlace);
            return [plain, sum, inPlace];
        });
        double[] picked = [.. indices.SelectMany(r => Numbers.Wide(table[(r * width)..((r + 1) * width)]))];
        double[] expected = [.. picked.Zip(addend, (a, b) => a + b)];
        Numbers.Same(picked, actual[0], 0);
        Numbers.Same(expected, actual[1], 1e-7);
        Numbers.Same(expected, actual[2], 1e-7);
    }

    [Fact]
    public void Scattered_rows_are_added_to_the_rows_that_the_indices_name()
    {
        const int Width = 5;
        float[] source = Numbers.Draw(3, 3 * Width);
        float[] target = Numbers.Draw(4, 9 * Width);
        int[] indices = [8, 0, 3];
        double[] actual = OpBench.Run(bench =>
        {
            Tensor t = bench.Store(target);
            bench.Device.ScatterAddRows(bench.Store(source), bench.Integers(indices), 3, Width, t);
            return [t];
        })[0];
        double[] expected = Numbers.Wide(target);
        for (int i = 0; i < source.Length; i++) expected[(indices[i / Width] * Width) + (i % Width)] += source[i];
        Numbers.Same(expected, actual, 1e-7);
    }

    [Theory]
    [InlineData(1, 1.0f, 1.0f)]
    [InlineData(4097, 1.0f, -1.0f)]
    [InlineData(40001, 0.3f, 0.7f)]
    [InlineData(301, -2.0f, 0.0f)]
    public void Combined_values_are_the_weighted_sum_also_in_place(int length, float alpha, float beta)
    {
        float[] a = Numbers.Draw(5, length);
        float[] b = Numbers.Draw(6, length);
        double[][] actual = OpBench.Run(bench =>
        {
            Tensor apart = bench.Out(length), overA = bench.Store(a), overB = bench.Store(b);
            bench.Device.Combine(alpha, bench.Store(a), beta, bench.Store(b), length, apart);
            bench.Device.Combine(alpha, overA, beta, bench.Store(b), length, overA);
            bench.Device.Combine(alpha, bench.Store(a), beta, overB, length, overB);
            return [apart, overA, overB];
        });
        double[] expected = [.. a.Zip(b, (x, y) => ((double)alpha * x) + ((double)beta * y))];
        foreach (double[] result in actual) Numbers.Same(expected, result, 2e-7);
    }

    [Theory]
    [InlineData(1.0f)]
    [InlineData(3.0f)]
    public void A_factor_of_zero_means_that_the_second_operand_is_not_read(float alpha)
    {
        float[] a = Numbers.Draw(7, 11);
        double[] actual = OpBench.Run(bench =>
        {
            Tensor output = bench.Out(11);
            bench.Device.Combine(alpha, bench.Store(a), 0, bench.Out(11), 11, output);
            return [output];
        })[0];
        Numbers.Same([.. a.Select(x => (double)alpha * x)], actual, 1e-7);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(9001)]
    public void Filling_touches_the_first_elements_only(int length)
    {
        double[] actual = OpBench.Run(bench =>
        {
            Tensor target = bench.Out(length);
            bench.Device.Fill(target, 1.5f, length);
            return [target];
        })[0];
        Numbers.Same([.. Enumerable.Repeat(1.5, length)], actual, 0);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Scaled_rows_take_their_factors_in_turn(int rows, int width)
    {
        int period = (rows + 1) / 2;
        float[] x = Numbers.Draw(8, rows * width);
        float[] factors = Numbers.Draw(9, period);
        double[][] actual = OpBench.Run(bench =>
        {
            Tensor apart = bench.Out(rows * width), inPlace = bench.Store(x);
            bench.Device.ScaleRows(bench.Store(x), bench.Store(factors), period, rows, width, apart);
            bench.Device.ScaleRows(inPlace, bench.Store(factors), period, rows, width, inPlace);
            return [apart, inPlace];
        });
        double[] expected = [.. x.Select((v, i) => (double)v * factors[i / width % period])];
        foreach (double[] result in actual) Numbers.Same(expected, result, 1e-7);
    }

    [Fact]
    public void A_block_is_copied_between_offsets()
    {
        float[] source = Numbers.Draw(10, 30000);
        double[] actual = OpBench.Run(bench =>
        {
            Tensor target = bench.Store(new float[30010]);
            bench.Device.CopyBlock(bench.Store(source), 13, target, 7, 29001);
            return [target];
        })[0];
        double[] expected = new double[30010];
        for (int i = 0; i < 29001; i++) expected[7 + i] = source[13 + i];
        Numbers.Same(expected, actual, 0);
    }

    [Fact]
    public void A_rectangle_is_copied_between_strides()
    {
        float[] source = Numbers.Draw(11, 60);
        double[] actual = OpBench.Run(bench =>
        {
            Tensor target = bench.Store(new float[80]);
            bench.Device.CopyMatrix(new Matrix(bench.Store(source), 4, 5, 3, 11), new Matrix(target, 2, 5, 3, 13));
            return [target];
        })[0];
        double[] expected = new double[80];
        for (int i = 0; i < 15; i++) expected[2 + (i / 3 * 13) + (i % 3)] = source[4 + (i / 3 * 11) + (i % 3)];
        Numbers.Same(expected, actual, 0);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Subtracted_rows_repeat(int rows, int width)
    {
        int period = (rows + 2) / 3;
        float[] x = Numbers.Draw(12, rows * width);
        float[] y = Numbers.Draw(13, period * width);
        double[] actual = OpBench.Run(bench =>
        {
            Tensor target = bench.Store(x);
            bench.Device.SubtractRows(target, bench.Store(y), period, rows, width);
            return [target];
        })[0];
        Numbers.Same([.. x.Select((v, i) => (double)v - y[(i / width % period * width) + (i % width)])], actual, 1e-7);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(37)]
    public void The_upper_triangle_is_mirrored_and_kept(int size)
    {
        float[] m = Numbers.Draw(14, size * size);
        double[] actual = OpBench.Run(bench =>
        {
            Tensor target = bench.Store(m);
            bench.Device.MirrorUpperTriangle(target, size);
            return [target];
        })[0];
        Numbers.Same([.. m.Select((_, i) => (double)m[(Math.Min(i / size, i % size) * size) + Math.Max(i / size, i % size)])], actual, 0);
    }
}
