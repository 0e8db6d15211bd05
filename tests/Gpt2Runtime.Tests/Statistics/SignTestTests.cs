using Gradpath.Gpt2Runtime.Statistics;

namespace Gradpath.Gpt2Runtime.Tests.Statistics;

/// <summary>The sign test against sums of binomial probabilities, and against values worked out by hand.</summary>
public sealed class SignTestTests
{
    [Fact]
    public void P_values_are_those_worked_out_by_hand()
    {
        // Both tails of ten fair coins from nine on: 2 (10 + 1) / 1024.
        Assert.Equal(22 / 1024.0, SignTest.DifferenceP(10, 9, 0), 12);
        Assert.Equal(22 / 1024.0, SignTest.DifferenceP(10, 1, 0), 12);

        // With q = 0.6: 0.4^10 + 10 0.6 0.4^9 + 10 0.6^9 0.4 + 0.6^10.
        Assert.Equal(0.0480351232, SignTest.DifferenceP(10, 9, 0.1), 12);

        // 1 - P(at most 4 | q = 0.4).
        Assert.Equal(0.3668967424, SignTest.EquivalenceP(10, 5, 0.1), 12);
        Assert.Equal(1, SignTest.DifferenceP(10, 5, 0));
        Assert.Equal(1, SignTest.DifferenceP(7, 3, 0));
    }

    [Fact]
    public void A_tie_counts_for_neither_side()
    {
        Assert.Equal(SignTest.DifferenceP(10, 9, 0.1), SignTest.DifferenceP(10, 9.5, 0.1));
        Assert.Equal(1, SignTest.DifferenceP(9, 4.5, 0));
        Assert.Equal(
            Math.Max(SignTest.EquivalenceP(9, 4, 0.3), SignTest.EquivalenceP(9, 5, 0.3)), SignTest.EquivalenceP(9, 4.5, 0.3), 12);
        Assert.True(SignTest.EquivalenceP(200, 100, 0.1) < 0.01);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.1)]
    [InlineData(0.3)]
    public void Every_p_value_is_a_sum_of_binomial_probabilities(double tolerance)
    {
        foreach (int n in new[] { 1, 2, 5, 12, 31 })
        {
            for (int wins = 0; wins <= n; wins++)
            {
                double far = Math.Abs(wins - (n / 2.0));
                double tails = Counts(n).Where(k => Math.Abs(k - (n / 2.0)) >= far).Sum(k => Probability(n, k, 0.5 + tolerance));
                Assert.Equal(tails, SignTest.DifferenceP(n, wins, tolerance), 1e-10);
                double up = Counts(n).Where(k => k >= wins).Sum(k => Probability(n, k, 0.5 - tolerance));
                double down = Counts(n).Where(k => k <= wins).Sum(k => Probability(n, k, 0.5 + tolerance));
                Assert.Equal(Math.Max(up, down), SignTest.EquivalenceP(n, wins, tolerance), 1e-10);
            }
        }
    }

    // The worst true q of each null hypothesis is at its edge.
    [Theory]
    [InlineData(0.05)]
    [InlineData(0.2)]
    public void A_true_hypothesis_is_rejected_no_more_often_than_alpha(double alpha)
    {
        for (int n = 1; n <= 60; n++)
        {
            foreach (double q in new[] { 0.4, 0.45, 0.5, 0.6 })
                Assert.InRange(Rejected(n, k => SignTest.DifferenceP(n, k, 0.1) <= alpha, q), 0, alpha + 1e-9);
            foreach (double q in new[] { 0.1, 0.35, 0.65, 0.8 })
                Assert.InRange(Rejected(n, k => SignTest.EquivalenceP(n, k, 0.15) <= alpha, q), 0, alpha + 1e-9);
        }
    }

    [Fact]
    public void Power_is_the_probability_of_the_counts_that_are_rejected()
    {
        foreach (int n in new[] { 1, 4, 9, 40, 90 })
        {
            foreach (double q in new[] { 0.5, 0.7, 0.9 })
            {
                double differ = Rejected(n, k => SignTest.DifferenceP(n, k, 0.1) <= 0.05, q);
                Assert.Equal(differ, SignTest.DifferencePower(n, 0.1, 0.05, q), 1e-9);
                double agree = Rejected(n, k => SignTest.EquivalenceP(n, k, 0.2) <= 0.05, q);
                Assert.Equal(agree, SignTest.EquivalencePower(n, 0.2, 0.05, q), 1e-9);
            }
        }
        Assert.True(SignTest.DifferencePower(90, 0.1, 0.05, 0.9) > 0.99);
    }

    [Fact]
    public void What_is_no_count_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => SignTest.DifferenceP(0, 0, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => SignTest.DifferenceP(5, 6, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => SignTest.EquivalenceP(5, 2, 0.5));
    }

    private static IEnumerable<int> Counts(int n) => Enumerable.Range(0, n + 1);

    private static double Rejected(int n, Predicate<int> rejects, double q) =>
        Counts(n).Where(k => rejects(k)).Sum(k => Probability(n, k, q));

    private static double Probability(int n, int k, double q)
    {
        double p = Math.Pow(q, k) * Math.Pow(1 - q, n - k);
        for (int i = 1; i <= k; i++) p *= (n - k + i) / (double)i;
        return p;
    }
}
