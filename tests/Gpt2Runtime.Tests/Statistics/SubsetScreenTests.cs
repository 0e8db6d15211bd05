using Gradpath.Gpt2Runtime.Statistics;

namespace Gradpath.Gpt2Runtime.Tests.Statistics;

/// <summary>The screen of random subsets: worked by hand, and on data whose truth is known.</summary>
public sealed class SubsetScreenTests
{
    /// <summary>Welch's formulas on two samples: 1, 3, 5 and 2, 2, 4, 8.</summary>
    [Fact]
    public void An_estimate_is_welchs()
    {
        bool[][] has = [[true], [true], [true], [false], [false], [false], [false]];
        SubsetEstimate e = Assert.Single(SubsetScreen.Of(has, [1, 3, 5, 2, 2, 4, 8]).Members);
        Assert.Equal(-1, e.Difference, 12);
        double first = 4.0 / 3, second = 8.0 / 4;
        Assert.Equal(Math.Sqrt(first + second), e.StandardError, 12);
        Assert.Equal((first + second) * (first + second) / ((first * first / 2) + (second * second / 3)), e.Freedom, 12);

        // t(0.95; 4.918) lies between those of 4 and 5 degrees of freedom, 2.132 and 2.015.
        Assert.InRange((e.Limit(0.95) - 1) / e.StandardError, 2.015, 2.132);
        Assert.Equal(0.05, e.PValue(e.Limit(0.95)), 9);
        Assert.Equal(0.5, e.PValue(1), 9);
        Assert.True(e.PValue(0) > 0.5);
    }

    [Fact]
    public void What_never_varies_is_known()
    {
        bool[][] has = [[true], [true], [false], [false]];
        SubsetScreen screen = SubsetScreen.Of(has, [3, 3, 1, 1]);
        Assert.Equal((2.0, 2.0), (screen.Members[0].Difference, screen.Limit(0.95)));
        Assert.Equal((1.0, 0.0), (screen.PValue(2), screen.PValue(2.001)));
        Assert.Equal((0.0, 0.0), (new SubsetScreen([]).Limit(0.95), new SubsetScreen([]).PValue(0)));
    }

    [Fact]
    public void Every_member_is_in_as_many_subsets()
    {
        IReadOnlyList<bool[]> has = SubsetScreen.Draw(50, 40, 4, 3);
        Assert.Equal(40, has.Count);
        for (int e = 0; e < 50; e++) Assert.Equal(4, has.Count(s => s[e]));
        Assert.Equal(has.SelectMany(s => s), SubsetScreen.Draw(50, 40, 4, 3).SelectMany(s => s));
        Assert.NotEqual(has.SelectMany(s => s), SubsetScreen.Draw(50, 40, 4, 4).SelectMany(s => s));
        Assert.InRange(has.Select(s => s.Count(h => h)).Distinct().Count(), 2, 20);
        Assert.Throws<ArgumentOutOfRangeException>(() => SubsetScreen.Draw(5, 10, 1, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => SubsetScreen.Draw(5, 10, 9, 0));
    }

    /// <summary>
    /// Effects that add up, with noise: the limit is below the largest true effect in no more than a share 1 - level of 1,000 data sets
    /// (plus three standard errors of that share), be there one strong member, several, or none. Differences are unbiased.
    /// </summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(10)]
    public void The_limit_covers_the_largest_effect(int strong)
    {
        const int Sets = 1000, Members = 60, Subsets = 60, Each = 6;
        const double Level = 0.9;
        var random = new Random(7 + strong);
        int missed = 0;
        double bias = 0, above = 0;
        for (int set = 0; set < Sets; set++)
        {
            double[] truth = [.. Enumerable.Range(0, Members).Select(e => e < strong ? 1 : 0.2 * Normal(random))];
            IReadOnlyList<bool[]> has = SubsetScreen.Draw(Members, Subsets, Each, (ulong)set);
            double[] effects = [.. has.Select(s => truth.Where((_, e) => s[e]).Sum() + (0.1 * Normal(random)))];
            SubsetScreen screen = SubsetScreen.Of(has, effects);
            double largest = truth.Max(Math.Abs);
            if (screen.Limit(Level) < largest) missed++;
            if (screen.PValue(largest) < 1 - Level) above++;
            bias += screen.Members[0].Difference - truth[0];
        }
        Assert.InRange(missed, 0, (1 - Level + (3 * Math.Sqrt(Level * (1 - Level) / Sets))) * Sets);
        Assert.Equal(missed, above);
        Assert.InRange(bias / Sets, -0.06, 0.06);
    }

    /// <summary>With one member alone there is no maximum to hide behind: the limit misses as often as its level says.</summary>
    [Fact]
    public void A_single_limit_is_as_wide_as_its_level()
    {
        const int Sets = 2000;
        var random = new Random(5);
        int missed = 0;
        IReadOnlyList<bool[]> has = SubsetScreen.Draw(1, 30, 5, 1);
        for (int set = 0; set < Sets; set++)
        {
            double[] effects = [.. has.Select(s => (s[0] ? 3 : 0) + Normal(random))];
            if (SubsetScreen.Of(has, effects).Limit(0.9) < 3) missed++;
        }
        Assert.InRange(missed / (double)Sets, 0.08, 0.12);
    }

    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
