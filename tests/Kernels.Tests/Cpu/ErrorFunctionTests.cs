using Gradpath.Kernels.Cpu;

namespace Gradpath.Kernels.Tests;

public sealed class ErrorFunctionTests
{
    [Theory]
    [InlineData(0.1, 0.1124629160182849)]
    [InlineData(0.5, 0.5204998778130465)]
    [InlineData(1, 0.8427007929497149)]
    [InlineData(2, 0.9953222650189527)]
    [InlineData(2.5, 0.9995930479825550)]
    [InlineData(3, 0.9999779095030014)]
    [InlineData(4, 0.9999999845827421)]
    public void Known_values_are_met_on_both_sides_of_zero(double x, double erf)
    {
        Assert.Equal(erf, ErrorFunction.Erf(x), 1e-15);
        Assert.Equal(-erf, ErrorFunction.Erf(-x), 1e-15);
    }

    [Fact]
    public void It_is_the_integral_of_the_bell_curve()
    {
        for (double x = 0.05; x < 6; x += 0.05) Assert.Equal(Integral(x), ErrorFunction.Erf(x), 1e-14);
    }

    [Fact]
    public void The_ends_are_exact()
    {
        Assert.Equal(0, ErrorFunction.Erf(0));
        Assert.Equal(1, ErrorFunction.Erf(6.01));
        Assert.Equal(-1, ErrorFunction.Erf(double.NegativeInfinity));
    }

    // Simpson's rule; the error falls with the fourth power of the step.
    private static double Integral(double x)
    {
        const int Steps = 4000;
        double h = x / Steps;
        double sum = 1 + Math.Exp(-x * x);
        for (int i = 1; i < Steps; i++) sum += (i % 2 == 1 ? 4 : 2) * Math.Exp(-(i * h) * (i * h));
        return 2 / Math.Sqrt(Math.PI) * sum * h / 3;
    }
}
