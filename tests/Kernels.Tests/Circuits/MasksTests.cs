using Gradpath.Kernels.Circuits;

namespace Gradpath.Kernels.Tests;

public sealed class MasksTests
{
    private const ulong Seed = 0x1234_5678_9abc_def0;
    private const uint Step = 17;

    [Theory]
    [InlineData(1, 0.5)]
    [InlineData(1000, 4)]
    [InlineData(4097, 12)]
    public void Samples_and_their_slopes_follow_the_formula(int count, double spread)
    {
        float[] logAlpha = Numbers.Draw(1, count, spread);
        double[][] actual = Sample(logAlpha);
        var z = new double[count];
        var slope = new double[count];
        for (int i = 0; i < count; i++)
        {
            double y = Stretched(i, logAlpha[i]);
            z[i] = Math.Min(1, Math.Max(0, y));
            slope[i] = y is > 0 and < 1 ? (Stretched(i, logAlpha[i] + 1e-5) - Stretched(i, logAlpha[i] - 1e-5)) / 2e-5 : 0;
        }
        Numbers.Same(z, actual[0], 1e-7);
        Numbers.Same(slope, actual[1], 1e-7);
        if (count > 1)
        {
            Assert.Contains(z, v => v == 0);
            Assert.Contains(z, v => v == 1);
            Assert.Contains(z, v => v is > 0 and < 1);
        }
    }

    [Fact]
    public void The_share_of_zeros_is_that_of_the_distribution()
    {
        // P(z = 0) = sigmoid(T ln(-left / right) - log alpha).
        const int Count = 20_000;
        float[] logAlpha = new float[Count];
        Array.Fill(logAlpha, -1f);
        double zeros = Sample(logAlpha)[0][..Count].Count(z => z == 0) / (double)Count;
        double expected = 1 / (1 + Math.Exp(-((HardConcrete.Temperature * Math.Log(0.1 / 1.1)) + 1)));
        Assert.InRange(zeros, expected - 0.012, expected + 0.012);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Masks_go_to_their_cells_and_gradients_come_from_there(bool gated)
    {
        const double Scale = 0.25, EdgePull = 0.3, GatePull = -0.7;
        int[] cells = [0, 2, 3, 5, 11];
        int[] gateOf = [0, 0, 0, 1, 3];
        int gates = gated ? 4 : 0;
        float[] z = Numbers.Draw(2, 5 + gates, 0.5, 0.5), slope = Numbers.Draw(3, 5 + gates);
        double[] scores = Numbers.Wide(Numbers.Draw(4, 12));
        double[][] actual = OpBench.Run(bench =>
        {
            var layout = bench.Own(
                new MaskLayout(5, bench.Integers(cells), gates, bench.Integers(gateOf), bench.Integers(0, 3, 4, 4, 5), 12));
            Tensor mask = bench.Store(new float[12]), gradient = bench.Out(5 + gates), zs = bench.Store(z);
            bench.Device.PlaceMasks(zs, layout, mask);
            bench.Device.MaskGradients(bench.Doubles(scores), layout, zs, bench.Store(slope), Scale, EdgePull, GatePull, gradient);
            return [mask, gradient];
        });

        // The loss is scale sum of S mask + pulls; its derivative by each z comes from finite differences of that very sum.
        double[] expected = Numbers.Differentiate(Numbers.Wide(z), Loss);
        for (int i = 0; i < expected.Length; i++) expected[i] *= slope[i];
        double[] placed = Placed(Numbers.Wide(z));
        Numbers.Same(placed, actual[0], 1e-7);
        Numbers.Same(expected, actual[1], 1e-7);

        double[] Placed(double[] values)
        {
            var mask = new double[12];
            for (int i = 0; i < cells.Length; i++) mask[cells[i]] = values[i] * (gated ? values[5 + gateOf[i]] : 1);
            return mask;
        }

        double Loss(double[] values) =>
            (Scale * Numbers.Dot(scores, Placed(values))) + (EdgePull * values[..5].Sum()) + (GatePull * values[5..].Sum());
    }

    [Fact]
    public void AdamW_steps_follow_the_plain_formula()
    {
        const int Count = 2000, Steps = 5;
        float[] start = Numbers.Draw(5, Count, 3);
        float[][] gradients = [.. Enumerable.Range(0, Steps).Select(t => Numbers.Draw(10 + t, Count, 1e-3))];
        double[][] actual = OpBench.Run(bench =>
        {
            Tensor p = bench.Store(start), m = bench.Store(new float[Count]), v = bench.Store(new float[Count]);
            for (int t = 0; t < Steps; t++)
                bench.Device.AdamWStep(
                    p, bench.Store(gradients[t]), m, v, Count, new AdamWStepOptions(0.8, 0.01, 0.9, 0.999, 1e-8, t + 1, 0.5));
            return [p];
        });
        double[] expected = Numbers.Wide(start);
        for (int i = 0; i < Count; i++)
        {
            double m = 0, v = 0;
            for (int t = 0; t < Steps; t++)
            {
                double g = 0.5 * gradients[t][i];
                m = (0.9 * m) + (0.1 * g);
                v = (0.999 * v) + (0.001 * g * g);
                expected[i] *= 1 - (0.8 * 0.01);
                expected[i] -= 0.8 * (m / (1 - Math.Pow(0.9, t + 1))) / (Math.Sqrt(v / (1 - Math.Pow(0.999, t + 1))) + 1e-8);
            }
        }
        Numbers.Same(expected, actual[0], 1e-6);
    }

    private static double[][] Sample(float[] logAlpha) => OpBench.Run(bench =>
    {
        Tensor z = bench.Out(logAlpha.Length), slope = bench.Out(logAlpha.Length);
        bench.Device.SampleHardConcrete(bench.Store(logAlpha), logAlpha.Length, Seed, Step, z, slope);
        return [z, slope];
    });

    private static double Stretched(int element, double logAlpha)
    {
        double u = 1e-6 + ((1 - 2e-6) * Philox.Uniform((uint)element, Step, Seed));
        return -0.1 + (1.2 / (1 + Math.Exp(-(Math.Log(u / (1 - u)) + logAlpha) * 1.5)));
    }
}
