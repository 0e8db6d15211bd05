using Gradpath.Gpt2Runtime.Statistics;

namespace Gradpath.Gpt2Runtime.Tests.Statistics;

/// <summary>Corrections and ranks, by hand and by simulation.</summary>
public sealed class MultipleTestingTests
{
    [Fact]
    public void Adjusted_p_values_are_those_worked_out_by_hand()
    {
        double[] p = [0.01, 0.04, 0.03, 0.005];
        Near([0.02, 0.04, 0.04, 0.02], MultipleTesting.BenjaminiHochberg(p));
        Near([0.03, 0.06, 0.06, 0.02], MultipleTesting.Holm(p));
        Near([1, 1], MultipleTesting.Holm([0.7, 0.9]));
        Near([0.9, 0.9], MultipleTesting.BenjaminiHochberg([0.7, 0.9]));
        Near([0.2], MultipleTesting.Holm([0.2]));
        Assert.Empty(MultipleTesting.BenjaminiHochberg([]));
        Assert.Equal(MultipleTesting.Holm(p), MultipleTesting.Adjust(p, Correction.Holm));
        Assert.Equal(MultipleTesting.BenjaminiHochberg(p), MultipleTesting.Adjust(p, Correction.BenjaminiHochberg));
    }

    // Of 10 tests 7 have true hypotheses. Of 4000 rounds the bound 0.1 is exceeded by no more than three standard deviations, 0.015.
    [Fact]
    public void Errors_stay_below_alpha()
    {
        const double Alpha = 0.1;
        const int Rounds = 4000;
        var random = new SplitMix64(9);
        double anyFalse = 0, anyFalseUncorrected = 0, shareFalse = 0, foundByHolm = 0, foundByHochberg = 0;
        for (int round = 0; round < Rounds; round++)
        {
            double[] p = [.. Enumerable.Range(0, 10).Select(i => i < 7 ? random.NextUniform() : Math.Pow(random.NextUniform(), 6))];
            bool[] holm = [.. MultipleTesting.Holm(p).Select(v => v <= Alpha)];
            bool[] hochberg = [.. MultipleTesting.BenjaminiHochberg(p).Select(v => v <= Alpha)];
            if (holm.Take(7).Contains(true)) anyFalse++;
            if (p.Take(7).Any(v => v <= Alpha)) anyFalseUncorrected++;
            shareFalse += hochberg.Take(7).Count(r => r) / (double)Math.Max(1, hochberg.Count(r => r));
            foundByHolm += holm.Skip(7).Count(r => r);
            foundByHochberg += hochberg.Skip(7).Count(r => r);
        }
        Assert.InRange(anyFalse / Rounds, 0.03, Alpha + 0.015);
        Assert.InRange(shareFalse / Rounds, 0.03, Alpha + 0.015);
        Assert.True(anyFalseUncorrected / Rounds > 0.4);
        Assert.True(foundByHochberg > foundByHolm && foundByHolm > 0);
    }

    [Fact]
    public void A_rank_counts_the_value_among_the_draws()
    {
        Assert.Equal(1 / 5.0, RankTest.PValue(9, [1, 2, 3, 4]));
        Assert.Equal(3 / 5.0, RankTest.PValue(3, [1, 2, 3, 4]));
        Assert.Equal(1, RankTest.PValue(0, [1, 2, 3, 4]));
        Assert.Equal(1, RankTest.PValue(0, []));
        Assert.Equal(1 / 101.0, RankTest.SmallestP(100));
    }

    // The p-value of a draw like the others is at most 0.1 with probability 0.1, of 5000 within three standard deviations, 0.013.
    [Fact]
    public void A_draw_like_the_others_is_rejected_as_often_as_alpha()
    {
        var random = new SplitMix64(2);
        int rejected = 0;
        for (int round = 0; round < 5000; round++)
        {
            double[] draws = [.. Enumerable.Range(0, 19).Select(_ => (double)random.NextUniform())];
            if (RankTest.PValue(random.NextUniform(), draws) <= 0.1) rejected++;
        }
        Assert.InRange(rejected / 5000.0, 0.087, 0.113);
    }

    private static void Near(IReadOnlyList<double> expected, IReadOnlyList<double> actual)
    {
        Assert.Equal(expected.Count, actual.Count);
        for (int i = 0; i < expected.Count; i++) Assert.Equal(expected[i], actual[i], 12);
    }
}
