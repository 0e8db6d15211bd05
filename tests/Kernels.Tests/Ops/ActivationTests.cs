using Gradpath.Kernels.Cpu;

namespace Gradpath.Kernels.Tests;

public sealed class ActivationTests
{
    [Theory]
    [InlineData(nameof(ActivationFunction.GeluTanh), 1)]
    [InlineData(nameof(ActivationFunction.GeluTanh), 511)]
    [InlineData(nameof(ActivationFunction.GeluTanh), 40001)]
    [InlineData(nameof(ActivationFunction.GeluErf), 513)]
    [InlineData(nameof(ActivationFunction.Relu), 40001)]
    [InlineData(nameof(ActivationFunction.Silu), 1)]
    [InlineData(nameof(ActivationFunction.Silu), 40001)]
    [InlineData(nameof(ActivationFunction.QuickGelu), 513)]
    [InlineData(nameof(ActivationFunction.Tanh), 1)]
    [InlineData(nameof(ActivationFunction.Tanh), 40001)]
    public void Values_and_derivatives_are_those_of_the_definition(string name, int length)
    {
        ActivationFunction function = Enum.Parse<ActivationFunction>(name);
        float[] x = Numbers.Draw(1, length, 6);
        double[][] actual = Activate(function, x);
        Numbers.Same([.. x.Select(v => Value(function, v))], actual[0], 1e-6);
        Numbers.Same([.. x.Select(v => Slope(function, v))], actual[1]);
    }

    [Theory]
    [InlineData(nameof(ActivationFunction.GeluTanh))]
    [InlineData(nameof(ActivationFunction.GeluErf))]
    [InlineData(nameof(ActivationFunction.Relu))]
    [InlineData(nameof(ActivationFunction.QuickGelu))]
    public void Far_from_zero_every_function_is_that_of_relu(string name)
    {
        ActivationFunction function = Enum.Parse<ActivationFunction>(name);
        float[] x = [-1e12f, -1e6f, -3000, -50, -20, -12, 12, 20, 50, 3000, 1e6f, 1e12f];
        double[][] actual = Activate(function, x);
        for (int i = 0; i < x.Length; i++)
        {
            Assert.Equal(Math.Max(0, x[i]), actual[0][i], Math.Abs(x[i]) * 1e-6);
            Assert.Equal(x[i] > 0 ? 1 : 0, actual[1][i], 1e-6);
        }
    }

    [Theory]
    [InlineData(nameof(ActivationFunction.GeluTanh), 0.5)]
    [InlineData(nameof(ActivationFunction.GeluErf), 0.5)]
    [InlineData(nameof(ActivationFunction.Relu), 0)]
    [InlineData(nameof(ActivationFunction.Silu), 0.5)]
    [InlineData(nameof(ActivationFunction.QuickGelu), 0.5)]
    [InlineData(nameof(ActivationFunction.Tanh), 1)]
    public void At_zero_the_value_is_zero(string name, double slope)
    {
        ActivationFunction function = Enum.Parse<ActivationFunction>(name);
        double[][] actual = Activate(function, [0, 0, 0]);
        Assert.Equal([0, 0, 0], actual[0][..3]);
        Assert.Equal([slope, slope, slope], actual[1]);
    }

    [Theory]
    [InlineData(nameof(ActivationFunction.GeluTanh))]
    [InlineData(nameof(ActivationFunction.GeluErf))]
    [InlineData(nameof(ActivationFunction.Relu))]
    [InlineData(nameof(ActivationFunction.Silu))]
    [InlineData(nameof(ActivationFunction.QuickGelu))]
    [InlineData(nameof(ActivationFunction.Tanh))]
    public void Derivatives_are_what_finite_differences_show(string name)
    {
        ActivationFunction function = Enum.Parse<ActivationFunction>(name);
        float[] x = [.. Enumerable.Range(0, 61).Select(i => (i - 30.5f) / 6)];
        double[] actual = Activate(function, x)[1];
        for (int i = 0; i < x.Length; i++)
        {
            Assert.Equal((Value(function, x[i] + 1e-5) - Value(function, x[i] - 1e-5)) / 2e-5, actual[i], 2e-6);
        }
    }

    [Fact]
    public void Silu_and_tanh_far_from_zero_are_their_limits()
    {
        float[] x = [-1e12f, -3000, -120, 120, 3000, 1e12f];
        double[][] silu = Activate(ActivationFunction.Silu, x), tanh = Activate(ActivationFunction.Tanh, x);
        for (int i = 0; i < x.Length; i++)
        {
            Assert.Equal((Math.Max(0, x[i]), x[i] > 0 ? 1 : 0), (silu[0][i], silu[1][i]));
            Assert.Equal((Math.Sign(x[i]), 0), (tanh[0][i], tanh[1][i]));
        }
    }

    [Fact]
    public void Small_values_lose_no_digits_to_tanh()
    {
        float[] x = [.. Enumerable.Range(0, 4000).Select(i => (i - 2000) / 3000f)];
        double[] actual = Activate(ActivationFunction.Tanh, x)[0];
        for (int i = 0; i < x.Length; i++) Assert.Equal(Math.Tanh(x[i]), actual[i], Math.Abs(x[i]) * 4e-7);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(513)]
    [InlineData(40001)]
    public void Ratios_are_quotients_and_what_is_said_at_zero(int length)
    {
        float[] x = Numbers.Draw(4, length), y = Numbers.Draw(5, length);
        for (int i = 0; i < length; i += 3) x[i] = 0;
        double[][] actual = OpBench.Run(bench =>
        {
            Tensor below = bench.Store(x), above = bench.Store(y);
            bench.Device.Ratios(below, above, 0.25f, length);
            return [below, above];
        });
        for (int i = 0; i < length; i++)
        {
            double expected = x[i] == 0 ? 0.25 : (double)y[i] / x[i];
            Assert.Equal(expected, actual[0][i], Math.Abs(expected) * 1e-7);
            Assert.Equal(y[i], actual[1][i]);
        }
    }

    [Theory]
    [InlineData(2, 1, 3)]
    [InlineData(402, 201, 211)]
    public void Gradients_are_multiplied_with_the_rows_of_their_forward_pass(int rows, int activationRows, int width)
    {
        float[] gradient = Numbers.Draw(2, rows * width), derivative = Numbers.Draw(3, activationRows * width);
        double[] actual = OpBench.Run(bench =>
        {
            Tensor g = bench.Store(gradient);
            bench.Device.MultiplyRows(g, bench.Store(derivative), rows, activationRows, width);
            return [g];
        })[0];
        Numbers.Same([.. gradient.Select((g, i) => (double)g * derivative[i % (activationRows * width)])], actual, 1e-7);
    }

    private static double[][] Activate(ActivationFunction function, float[] x) => OpBench.Run(bench =>
    {
        Tensor input = bench.Store(x), output = bench.Out(x.Length);
        bench.Device.Activate(function, input, x.Length, output);
        return [output, input];
    });

    private static double Value(ActivationFunction function, double x) => function switch
    {
        ActivationFunction.GeluTanh => x / 2 * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x)))),
        ActivationFunction.GeluErf => x / 2 * (1 + ErrorFunction.Erf(x / Math.Sqrt(2))),
        ActivationFunction.Silu => x / (1 + Math.Exp(-x)),
        ActivationFunction.QuickGelu => x / (1 + Math.Exp(-1.702 * x)),
        ActivationFunction.Tanh => Math.Tanh(x),
        _ => Math.Max(0, x),
    };

    // The derivative of x / (1 + exp(-k x)).
    private static double Gated(double x, double k)
    {
        double s = 1 / (1 + Math.Exp(-k * x));
        return s + (k * x * s * (1 - s));
    }

    private static double Slope(ActivationFunction function, double x)
    {
        double t = Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x)));
        return function switch
        {
            ActivationFunction.GeluTanh => ((1 + t) / 2) + (x / 2 * (1 - (t * t)) * Math.Sqrt(2 / Math.PI) * (1 + (3 * 0.044715 * x * x))),
            ActivationFunction.GeluErf =>
                ((1 + ErrorFunction.Erf(x / Math.Sqrt(2))) / 2) + (x * Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI)),
            ActivationFunction.Silu => Gated(x, 1),
            ActivationFunction.QuickGelu => Gated(x, 1.702),
            ActivationFunction.Tanh => 1 - (Math.Tanh(x) * Math.Tanh(x)),
            _ => x > 0 ? 1 : 0,
        };
    }
}
