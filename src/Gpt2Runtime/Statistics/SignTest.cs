using MathNet.Numerics.Distributions;

namespace Gradpath.Gpt2Runtime.Statistics;

/// <summary>
/// Tests about q, the probability that the first of two does better on an item, from the exact binomial distribution. The statistic is the
/// number of items on which it does; a tie counts as one half, so that the variance is at most the binomial one and the tests stay on the
/// safe side.
/// </summary>
internal static class SignTest
{
    /// <summary>
    /// The p-value of the hypothesis |q - 1/2| &lt;= tolerance: the largest probability, for such q, of a share as far from 1/2 as the one
    /// seen. Small where the two differ.
    /// </summary>
    /// <param name="items">Number of items n, at least 1.</param>
    /// <param name="wins">Items on which the first does better, ties as halves.</param>
    /// <param name="tolerance">How far from 1/2 the probability may be, from 0 and below 1/2.</param>
    /// <returns>The p-value.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range.</exception>
    public static double DifferenceP(int items, double wins, double tolerance)
    {
        Check(items, wins, tolerance);

        // The tails grow with |q - 1/2|, so the end of the interval decides. Half an item is rounded to the middle.
        int low = (int)Math.Ceiling(Math.Min(wins, items - wins));
        if (2 * low >= items) return 1;
        double q = 0.5 + tolerance;
        return Math.Min(1, AtMost(items, low, q) + AtLeast(items, items - low, q));
    }

    /// <summary>
    /// The p-value of the hypothesis |q - 1/2| &gt;= tolerance, from two one-sided tests, of which the larger counts. Small where the two
    /// do equally well.
    /// </summary>
    /// <param name="items">Number of items n, at least 1.</param>
    /// <param name="wins">Items on which the first does better, ties as halves.</param>
    /// <param name="tolerance">How far from 1/2 the probability is at least, from 0 and below 1/2.</param>
    /// <returns>The p-value.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range.</exception>
    public static double EquivalenceP(int items, double wins, double tolerance)
    {
        Check(items, wins, tolerance);
        return Math.Max(
            AtLeast(items, (int)Math.Floor(wins), 0.5 - tolerance),
            AtMost(items, (int)Math.Ceiling(wins), 0.5 + tolerance));
    }

    /// <summary>The probability that <see cref="DifferenceP"/> is at most alpha, without ties.</summary>
    /// <param name="items">Number of items n, at least 1.</param>
    /// <param name="tolerance">The tolerance of the test.</param>
    /// <param name="alpha">The level.</param>
    /// <param name="probability">The true q.</param>
    /// <returns>The power of the test at that q.</returns>
    public static double DifferencePower(int items, double tolerance, double alpha, double probability)
    {
        Check(items, 0, tolerance);
        int last = -1;
        while (2 * (last + 1) < items && DifferenceP(items, last + 1, tolerance) <= alpha) last++;
        return AtMost(items, last, probability) + AtLeast(items, items - last, probability);
    }

    /// <summary>The probability that <see cref="EquivalenceP"/> is at most alpha, without ties.</summary>
    /// <param name="items">Number of items n, at least 1.</param>
    /// <param name="tolerance">The tolerance of the test.</param>
    /// <param name="alpha">The level.</param>
    /// <param name="probability">The true q.</param>
    /// <returns>The power of the test at that q.</returns>
    public static double EquivalencePower(int items, double tolerance, double alpha, double probability)
    {
        Check(items, 0, tolerance);
        int first = (items + 1) / 2;
        if (EquivalenceP(items, first, tolerance) > alpha) return 0;
        while (first > 0 && EquivalenceP(items, first - 1, tolerance) <= alpha) first--;

        // The counts that are rejected lie around n / 2, as far on one side as on the other.
        return AtMost(items, items - first, probability) - AtMost(items, first - 1, probability);
    }

    private static double AtMost(int items, int count, double q) =>
        count < 0 ? 0 : count >= items ? 1 : Binomial.CDF(q, items, count);

    // By symmetry, so that small tails keep their digits.
    private static double AtLeast(int items, int count, double q) => AtMost(items, items - count, 1 - q);

    private static void Check(int items, double wins, double tolerance)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(items, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(wins);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(wins, items);
        ArgumentOutOfRangeException.ThrowIfNegative(tolerance);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(tolerance, 0.5);
    }
}
