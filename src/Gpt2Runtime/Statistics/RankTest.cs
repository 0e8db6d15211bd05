namespace Gradpath.Gpt2Runtime.Statistics;

/// <summary>
/// Whether a value is larger than what random draws give: a Monte Carlo test. The value itself counts as one of the draws, so that the test
/// holds its level with any number of them.
/// </summary>
internal static class RankTest
{
    /// <summary>The p-value of the hypothesis that the value is one of the draws: (1 + draws that are as large) / (1 + draws).</summary>
    /// <param name="value">The value.</param>
    /// <param name="draws">What random draws give; a tie counts against the value.</param>
    /// <returns>The p-value, 1 without draws.</returns>
    public static double PValue(double value, IReadOnlyList<double> draws)
    {
        ArgumentNullException.ThrowIfNull(draws);
        return (1.0 + draws.Count(d => d >= value)) / (1.0 + draws.Count);
    }

    /// <summary>The smallest p-value that a number of draws can give.</summary>
    /// <param name="draws">Number of draws.</param>
    /// <returns>1 / (1 + draws).</returns>
    public static double SmallestP(int draws) => 1.0 / (1.0 + draws);
}
