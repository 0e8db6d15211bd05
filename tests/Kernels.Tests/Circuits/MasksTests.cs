using Gradpath.Kernels.Circuits;
using static Gradpath.Kernels.KernelConstants;

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
            bench.Device.MaskGradients(bench.Doubles(scores), layout, zs, bench.Store(slope), Scale,
                bench.Doubles(NumbersWith((MaskEdgePull, EdgePull), (MaskGatePull, GatePull))), gradient);
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
            {
                double[] numbers = NumbersWith(
                    (MaskRate, 0.8), (MaskScale, 0.5), (MaskCorrection1, 1 - Math.Pow(0.9, t + 1)),
                    (MaskCorrection2, 1 - Math.Pow(0.999, t + 1)));
                Tensor gradient = bench.Store(gradients[t]);
                bench.Device.AdamWStep(p, gradient, m, v, Count, s_adamW, bench.Doubles(numbers));

                // A step that is not to be taken changes nothing.
                numbers[MaskScale] = double.NaN;
                bench.Device.AdamWStep(p, gradient, m, v, Count, s_adamW, bench.Doubles(numbers));
            }
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

    [Theory]
    [InlineData(0, false)]
    [InlineData(5, false)]
    [InlineData(5, true)]
    public void Constraints_pull_by_the_derivative_of_what_they_add(int gates, bool target)
    {
        const int Edges = 40;
        double[] multipliers = [0.3, -0.2, 0.7, 0.1];
        double[] numbers = NumbersWith((MaskEdgeSum, 31.5), (MaskGateSum, 3.25), (MaskEdgeTarget, 0.4), (MaskGateTarget, 0.2));
        for (int i = 0; i < 4; i++) numbers[MaskMultipliers + (3 * i)] = multipliers[i];
        double[] actual = OpBench.Run(bench =>
        {
            DeviceArray<double> n = bench.Doubles(numbers);
            bench.Device.ConstrainMasks(new MaskConstraints(Edges, gates, target), n);
            return [n];
        })[0];
        double gateSparsity = gates == 0 ? 0 : 1 - (3.25 / gates);
        Numbers.Same([1 - (31.5 / Edges), gateSparsity], [actual[MaskEdgeSparsity], actual[MaskGateSparsity]], 1e-12);
        Numbers.Same(
            [Loss(31.5, 3.25) - GateLoss(3.25), GateLoss(3.25)], [actual[MaskEdgeLoss], actual[MaskGateLoss]], 1e-12);

        // Each mask counts for the sum.
        const double Step = 1e-4;
        Numbers.Same(
            [
                (Loss(31.5 + Step, 3.25) - Loss(31.5 - Step, 3.25)) / (2 * Step),
                target ? (GateLoss(3.25 + Step) - GateLoss(3.25 - Step)) / (2 * Step) : gates == 0 ? 0 : -multipliers[2] / gates,
            ],
            [actual[MaskEdgePull], actual[MaskGatePull]],
            1e-8);

        double Loss(double edgeSum, double gateSum)
        {
            double gap = 1 - (edgeSum / Edges) - 0.4;
            return (multipliers[0] * gap) + (multipliers[1] * gap * gap) + GateLoss(gateSum);
        }

        double GateLoss(double gateSum)
        {
            double gap = target ? 1 - (gateSum / gates) - 0.2 : 0;
            return (multipliers[2] * gap) + (multipliers[3] * gap * gap);
        }
    }

    [Theory]
    [InlineData(false, 0.9, 4.0)]
    [InlineData(true, 0.9, 4.0)]
    [InlineData(true, 0.9, 1e-9)]
    [InlineData(true, double.NaN, 4.0)]
    [InlineData(true, 0.9, double.PositiveInfinity)]
    public void Multipliers_climb_by_the_shortened_gradient(bool target, double value, double squares)
    {
        const double Rate = 0.6;
        double[] numbers = NumbersWith(
            (MaskSquares, squares), (MaskEdgeSparsity, 0.5), (MaskEdgeTarget, 0.3), (MaskGateSparsity, 0.2), (MaskGateTarget, 0.6),
            (MaskMultiplierRate, Rate), (MaskCorrection1, 0.19), (MaskCorrection2, 0.002));
        for (int i = 0; i < 12; i++) numbers[MaskMultipliers + i] = 0.1 * (i + 1);
        double[] actual = OpBench.Run(bench =>
        {
            DeviceArray<double> n = bench.Doubles(numbers);
            bench.Device.BalanceMasks(
                new MaskConstraints(40, 5, target), bench.Doubles(value, -0.25, 0.3), 3, 1, s_adamW, n);
            return [n];
        })[0];
        double[] ascents = [0.5 - 0.3, 0.2 * 0.2, target ? 0.2 - 0.6 : 0, target ? 0.4 * 0.4 : 0];
        double norm = Math.Sqrt(squares + ascents.Sum(a => a * a));
        bool goes = double.IsFinite(norm + value);
        Assert.Equal(goes, double.IsFinite(actual[MaskScale]));
        if (goes) Numbers.Same([Math.Min(1, 1 / (norm + 1e-6)), 0.4], [actual[MaskScale], actual[MaskMean]], 1e-12);
        double[] expected = numbers[MaskMultipliers..];
        for (int i = 0; i < (target ? 4 : 2) && goes; i++)
        {
            double g = -actual[MaskScale] * ascents[i];
            expected[(3 * i) + 1] = (0.9 * expected[(3 * i) + 1]) + (0.1 * g);
            expected[(3 * i) + 2] = (0.999 * expected[(3 * i) + 2]) + (0.001 * g * g);
            expected[3 * i] *= 1 - (Rate * 0.01);
            expected[3 * i] -= Rate * (expected[(3 * i) + 1] / 0.19) / (Math.Sqrt(expected[(3 * i) + 2] / 0.002) + 1e-8);
        }
        Numbers.Same(expected, actual[MaskMultipliers..], 1e-12);
    }

    [Fact]
    public void Cleared_scores_are_zero_as_far_as_asked()
    {
        double[] actual = OpBench.Run(bench =>
        {
            DeviceArray<double> scores = bench.Doubles(1, 2, 3, 4);
            bench.Device.ClearScores(scores, 3);
            return [scores];
        })[0];
        Assert.Equal([0, 0, 0, 4], actual);
    }

    private static readonly AdamWOptions s_adamW = new(0.01, 0.9, 0.999, 1e-8);

    private static double[] NumbersWith(params ReadOnlySpan<(int Place, double Value)> values)
    {
        var numbers = new double[MaskNumbers];
        foreach ((int place, double value) in values) numbers[place] = value;
        return numbers;
    }

    private static double[][] Sample(float[] logAlpha) => OpBench.Run(bench =>
    {
        Tensor z = bench.Out(logAlpha.Length), slope = bench.Out(logAlpha.Length);
        bench.Device.SampleHardConcrete(
            bench.Store(logAlpha), logAlpha.Length, Seed, bench.Doubles(NumbersWith((MaskStep, Step))), z, slope);
        return [z, slope];
    });

    private static double Stretched(int element, double logAlpha)
    {
        double u = 1e-6 + ((1 - 2e-6) * Philox.Uniform((uint)element, Step, Seed));
        return -0.1 + (1.2 / (1 + Math.Exp(-(Math.Log(u / (1 - u)) + logAlpha) * 1.5)));
    }
}
