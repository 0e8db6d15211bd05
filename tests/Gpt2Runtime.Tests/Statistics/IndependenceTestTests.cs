using Gradpath.Gpt2Runtime.Statistics;

namespace Gradpath.Gpt2Runtime.Tests.Statistics;

/// <summary>The independence criterion against its definition, and how often the test is wrong and right.</summary>
public sealed class IndependenceTestTests
{
    [Fact]
    public void Two_items_give_the_value_worked_out_by_hand()
    {
        // The kernels are 1 on the diagonal and e = exp(-1/2) beside it: the criterion is (1 - e)^2 / 4, and no permutation changes it.
        var test = IndependenceTest.Run([0, 1], [5, 3], 50, 1);
        Assert.Equal(Math.Pow(1 - Math.Exp(-0.5), 2) / 4, test.Statistic, 14);
        Assert.Equal(1, test.PValue);
    }

    [Fact]
    public void The_criterion_is_the_trace_by_definition()
    {
        double[] x = [0.3, -1.2, 2.5, 0.9, 0.1], y = [1, 4, 2, 2, -3];
        Assert.Equal(ByDefinition(x, y), IndependenceTest.Run(x, y, 10, 0).Statistic, 13);
        Assert.Equal(ByDefinition(y, x), IndependenceTest.Run(x, y, 10, 0).Statistic, 13);
    }

    [Fact]
    public void A_number_that_is_the_same_everywhere_depends_on_nothing()
    {
        var test = IndependenceTest.Run([2, 2, 2, 2], [1, 5, 2, 7], 99, 3);
        Assert.Equal(0, test.Statistic, 15);
        Assert.Equal(1, test.PValue);
        Assert.Equal(1, IndependenceTest.Run([1], [1], 9, 0).PValue);
    }

    [Fact]
    public void Dependence_without_correlation_is_found()
    {
        double[] x = [.. Enumerable.Range(-20, 41).Select(i => i / 10.0)];
        double[] y = [.. x.Select(v => v * v)];
        Assert.Equal(1 / 1000.0, IndependenceTest.Run(x, y, 999, 4).PValue, 12);

        // Mostly the same value: the width is the median of what differs.
        double[] rare = [.. x.Select(v => v > 1.5 ? v : 0)];
        Assert.True(IndependenceTest.Run(rare, rare, 999, 4).PValue < 0.01);
    }

    [Fact]
    public void The_same_seed_gives_the_same_p_value()
    {
        double[] x = [0.3, -1.2, 2.5, 0.9, 0.1, 0.4], y = [1, 4, 2, 2, -3, 0];
        Assert.Equal(IndependenceTest.Run(x, y, 200, 7), IndependenceTest.Run(x, y, 200, 7));
        Assert.NotEqual(IndependenceTest.Run(x, y, 2000, 7).PValue, IndependenceTest.Run(x, y, 2000, 8).PValue);
    }

    // 600 data sets: the share of false positives at 0.1 lies within three standard deviations, 0.037, of it.
    [Fact]
    public void Independent_numbers_are_found_dependent_as_often_as_alpha() =>
        Assert.InRange(IndependenceTest.Power(15, 0, 0.1, 600, 99, 11), 0.063, 0.137);

    [Fact]
    public void Power_grows_with_items_and_correlation()
    {
        double few = IndependenceTest.Power(10, 0.5, 0.05, 100, 99, 5), many = IndependenceTest.Power(60, 0.5, 0.05, 100, 99, 5);
        double strong = IndependenceTest.Power(60, -0.9, 0.05, 100, 99, 5);
        Assert.True(few < many && many < strong && strong > 0.99, $"{few} {many} {strong}");
    }

    [Fact]
    public void A_stopped_test_ends() => Assert.Throws<OperationCanceledException>(
        () => IndependenceTest.Run([1, 2, 3], [1, 2, 3], 10, 0, new CancellationToken(true)));

    private static double ByDefinition(double[] x, double[] y)
    {
        int n = x.Length;
        double[,] k = Kernel(x), l = Kernel(y), h = new double[n, n];
        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j < n; j++) h[i, j] = (i == j ? 1 : 0) - (1.0 / n);
        }
        double[,] product = Times(Times(Times(k, h), l), h);
        return Enumerable.Range(0, n).Sum(i => product[i, i]) / (n * n);
    }

    private static double[,] Kernel(double[] x)
    {
        int n = x.Length;
        double[] distances = [.. from i in Enumerable.Range(0, n) from j in Enumerable.Range(0, i) orderby Math.Abs(x[i] - x[j])
                              select Math.Abs(x[i] - x[j])];
        double width = (distances[(distances.Length - 1) / 2] + distances[distances.Length / 2]) / 2;
        double[,] kernel = new double[n, n];
        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j < n; j++) kernel[i, j] = Math.Exp(-Math.Pow(x[i] - x[j], 2) / (2 * width * width));
        }
        return kernel;
    }

    private static double[,] Times(double[,] a, double[,] b)
    {
        int n = a.GetLength(0);
        double[,] c = new double[n, n];
        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j < n; j++) c[i, j] = Enumerable.Range(0, n).Sum(m => a[i, m] * b[m, j]);
        }
        return c;
    }
}
