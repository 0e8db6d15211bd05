namespace Gradpath.Gpt2Runtime.Statistics;

/// <summary>P-values of many tests, adjusted so that they can be compared with the level of one.</summary>
internal static class MultipleTesting
{
    /// <summary>Adjusts p-values.</summary>
    /// <param name="pValues">One per test, in any order.</param>
    /// <param name="correction">Which rule.</param>
    /// <returns>Adjusted p-values in the same order.</returns>
    public static IReadOnlyList<double> Adjust(IReadOnlyList<double> pValues, Correction correction) => correction switch
    {
        Correction.BenjaminiHochberg => BenjaminiHochberg(pValues),
        Correction.Holm => Holm(pValues),
        _ => throw new ArgumentOutOfRangeException(nameof(correction)),
    };

    /// <summary>
    /// Holm (1979): the i-th smallest of m is multiplied by m - i + 1, and none is below a smaller one's. Bounds the probability of any
    /// false rejection, however the tests depend on each other.
    /// </summary>
    /// <param name="pValues">One per test, in any order.</param>
    /// <returns>Adjusted p-values in the same order.</returns>
    public static IReadOnlyList<double> Holm(IReadOnlyList<double> pValues)
    {
        ArgumentNullException.ThrowIfNull(pValues);
        double[] adjusted = new double[pValues.Count];
        double largest = 0;
        int left = pValues.Count;
        foreach (int i in Ascending(pValues))
        {
            largest = Math.Max(largest, Math.Min(1, left * pValues[i]));
            adjusted[i] = largest;
            left--;
        }
        return adjusted;
    }

    /// <summary>
    /// Benjamini and Hochberg (1995): the i-th smallest of m is multiplied by m / i, and none is above a larger one's. Bounds the expected
    /// share of false rejections among the rejections, for tests that are independent or depend on each other positively.
    /// </summary>
    /// <param name="pValues">One per test, in any order.</param>
    /// <returns>Adjusted p-values in the same order.</returns>
    public static IReadOnlyList<double> BenjaminiHochberg(IReadOnlyList<double> pValues)
    {
        ArgumentNullException.ThrowIfNull(pValues);
        double[] adjusted = new double[pValues.Count];
        double smallest = 1;
        int rank = pValues.Count;
        foreach (int i in Ascending(pValues).Reverse())
        {
            smallest = Math.Min(smallest, pValues[i] * pValues.Count / rank);
            adjusted[i] = smallest;
            rank--;
        }
        return adjusted;
    }

    private static int[] Ascending(IReadOnlyList<double> values) => [.. Enumerable.Range(0, values.Count).OrderBy(i => values[i])];
}
