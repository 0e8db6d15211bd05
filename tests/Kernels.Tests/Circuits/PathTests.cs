namespace Gradpath.Kernels.Tests;

public sealed class PathTests
{
    private static readonly int[] Lengths = [3, 1, 4];

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 7)]
    [InlineData(1, 1031)]
    public void Products_are_summed_over_the_rows_of_a_sequence(int copies, int width)
    {
        int rows = copies * Lengths.Sum();
        float[] x = Numbers.Draw(1, rows * width), y = Numbers.Draw(2, rows * width);
        double[][] actual = OpBench.Run(bench =>
        {
            SequenceLayout layout = bench.Layout(Lengths, copies);
            Tensor a = bench.Store(x);
            DeviceArray<double> dots = bench.OutDoubles(layout.Sequences), squares = bench.OutDoubles(layout.Sequences);
            bench.Device.SequenceDots(a, bench.Store(y), layout, width, dots);
            bench.Device.SequenceDots(a, a, layout, width, squares);
            return [dots, squares];
        });
        Numbers.Same(PerSequence(x, y, copies, width), actual[0], 1e-6);
        Numbers.Same(PerSequence(x, x, copies, width), actual[1], 1e-6);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_step_has_its_length_by_the_norm_of_the_item_or_of_the_batch(bool wholeBatch)
    {
        const int Width = 5;
        float[] gamma = Numbers.Draw(3, 8 * Width), gradient = Numbers.Draw(4, 8 * Width, 10);
        double[] steps = [1, 0.25, 3];
        double[] actual = Step(gamma, gradient, steps, wholeBatch, Width);
        double[] squares = PerSequence(gradient, gradient, 1, Width);
        double[] expected = Numbers.Wide(gamma);
        int row = 0;
        for (int s = 0; s < Lengths.Length; s++)
        {
            double factor = steps[s] / Math.Sqrt(wholeBatch ? squares.Sum() : squares[s]);
            for (int end = row + Lengths[s]; row < end; row++)
            {
                for (int d = 0; d < Width; d++) expected[(row * Width) + d] -= factor * gradient[(row * Width) + d];
            }
        }
        Numbers.Same(expected, actual, 1e-6);
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(1e-14f)]
    public void Where_the_gradient_vanishes_the_point_stays(float size)
    {
        const int Width = 3;
        float[] gamma = Numbers.Draw(5, 8 * Width);
        float[] gradient = Numbers.Draw(6, 8 * Width);
        for (int i = 0; i < 3 * Width; i++) gradient[i] *= size;
        double[] actual = Step(gamma, gradient, [1, 1, 1], wholeBatch: false, Width);
        Assert.Equal(Numbers.Wide(gamma)[..(3 * Width)], actual[..(3 * Width)]);
        Assert.NotEqual(Numbers.Wide(gamma)[(3 * Width)..], actual[(3 * Width)..]);
        Assert.Equal(Numbers.Wide(gamma), Step(gamma, new float[8 * Width], [1, 1, 1], wholeBatch: true, Width));
    }

    /// <summary>With norms that the step makes itself, of short and of long sequences, and the point embedded: bit for bit.</summary>
    [Theory]
    [InlineData(5, 6)]
    [InlineData(132, 6)]
    [InlineData(132, 300)]
    public void A_step_by_its_own_norms_that_embeds_is_the_steps_one_by_one(int width, int longest)
    {
        int[] lengths = [3, longest, 1, 2];
        int rows = lengths.Sum();
        float[] gamma = Numbers.Draw(11, rows * width), gradient = Numbers.Draw(12, rows * width), table = Numbers.Draw(13, 7 * width);
        gradient.AsSpan(0, 3 * width).Clear();
        int[] indices = [.. Enumerable.Range(0, rows).Select(r => (r * 3) % 7)];
        double[] steps = [1, 0.5, 2, 3];
        double[][] Run(bool together) => OpBench.Run(bench =>
        {
            SequenceLayout layout = bench.Layout(lengths);
            Tensor point = bench.Store(gamma), g = bench.Store(gradient), positions = bench.Store(table);
            Tensor embedded = bench.Out(rows * width);
            DeviceArray<int> at = bench.Integers(indices);
            DeviceArray<double> squares = bench.OutDoubles(layout.Sequences);
            if (together)
            {
                bench.Device.PathStep(point, g, null, bench.Doubles(steps), false, layout, width, positions, at, embedded);
            }
            else
            {
                bench.Device.SequenceDots(g, g, layout, width, squares);
                bench.Device.PathStep(point, g, squares, bench.Doubles(steps), false, layout, width);
                bench.Device.GatherRows(positions, at, rows, width, embedded, point);
            }
            return [point, embedded];
        });
        double[][] apart = Run(together: false), together = Run(together: true);
        for (int i = 0; i < apart.Length; i++) Assert.Equal(apart[i], together[i]);
    }

    private static double[] Step(float[] gamma, float[] gradient, double[] steps, bool wholeBatch, int width) => OpBench.Run(bench =>
    {
        SequenceLayout layout = bench.Layout(Lengths);
        Tensor point = bench.Store(gamma), g = bench.Store(gradient);
        DeviceArray<double> squares = bench.OutDoubles(layout.Sequences);
        bench.Device.SequenceDots(g, g, layout, width, squares);
        bench.Device.PathStep(point, g, squares, bench.Doubles(steps), wholeBatch, layout, width);
        return [point];
    })[0];

    private static double[] PerSequence(float[] x, float[] y, int copies, int width)
    {
        var sums = new double[copies * Lengths.Length];
        int at = 0;
        for (int s = 0; s < sums.Length; s++)
        {
            for (int end = at + (Lengths[s % Lengths.Length] * width); at < end; at++) sums[s] += (double)x[at] * y[at];
        }
        return sums;
    }
}
