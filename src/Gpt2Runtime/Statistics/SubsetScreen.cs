namespace Gradpath.Gpt2Runtime.Statistics;

/// <summary>
/// Whether one of many members has a large effect, from the joint effects of random subsets: far fewer measurements than members. After the
/// diagnostic of AtP* (Kramar et al. 2024, arXiv 2403.00745), which compares subsets with a node and subsets without it.
///
///     d(e) = mean of c(S) over the n subsets with e  -  mean of c(S) over the m subsets without e
///     SE(e)^2 = s+^2 / n + s-^2 / m,  with Welch's degrees of freedom df(e)
///     limit = max over e of |d(e)| + t(level; df(e)) SE(e)
///
/// Every member is in the same number n of the subsets, which ones is drawn for each member apart from the others. So the expectation of
/// d(e) is the mean effect of adding e to a random subset; where effects add up that is e's own. It takes no correction for the number of
/// members: the limit is too low only if that of the member with the largest effect is, which happens with probability 1 - level at most.
/// </summary>
/// <remarks>Student's t takes c(S) for normal on either side, which sums of many effects are nearly.</remarks>
/// <param name="Members">One per member.</param>
public sealed record SubsetScreen(IReadOnlyList<SubsetEstimate> Members)
{
    /// <summary>The fewest subsets with a member, and without it, that have a variance.</summary>
    public const int LeastSubsets = 2;

    /// <summary>Draws which members each subset has.</summary>
    /// <param name="members">Number of members.</param>
    /// <param name="subsets">Number of subsets.</param>
    /// <param name="each">In how many subsets every member is, from 2 to 2 fewer than there are.</param>
    /// <param name="seed">The same seed gives the same subsets.</param>
    /// <param name="cancellation">Stops the draw.</param>
    /// <returns>[subsets][members]: whether the member is in the subset.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A member would be in too few or too many.</exception>
    public static IReadOnlyList<bool[]> Draw(int members, int subsets, int each, ulong seed, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(each, LeastSubsets);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(each, subsets - LeastSubsets);
        bool[][] has = new bool[subsets][];
        for (int subset = 0; subset < subsets; subset++)
        {
            cancellation.ThrowIfCancellationRequested();
            has[subset] = new bool[members];
        }
        int[] order = [.. Enumerable.Range(0, subsets)];
        var random = new SplitMix64(seed);
        for (int member = 0; member < members; member++)
        {
            cancellation.ThrowIfCancellationRequested();
            random.Draw<int>(order, each);
            foreach (int subset in order.AsSpan(0, each)) has[subset][member] = true;
        }
        return has;
    }

    /// <summary>Estimates every member's effect.</summary>
    /// <param name="has">[subsets][members]: whether the member is in the subset, see <see cref="Draw"/>.</param>
    /// <param name="effects">[subsets]: the joint effect of each.</param>
    /// <returns>The estimates.</returns>
    /// <exception cref="ArgumentException">The numbers of subsets differ.</exception>
    public static SubsetScreen Of(IReadOnlyList<bool[]> has, IReadOnlyList<double> effects)
    {
        ArgumentNullException.ThrowIfNull(has);
        ArgumentNullException.ThrowIfNull(effects);
        if (has.Count != effects.Count || has.Count == 0)
            throw new ArgumentException($"there are {has.Count} subsets and {effects.Count} effects", nameof(effects));
        var members = new SubsetEstimate[has[0].Length];
        double centre = effects.Average();
        for (int e = 0; e < members.Length; e++)
        {
            // From the centre, so that squares do not swallow what differs.
            (double with, double without, double withSquares, double withoutSquares) = (0, 0, 0, 0);
            int n = 0;
            for (int s = 0; s < has.Count; s++)
            {
                double c = effects[s] - centre;
                if (has[s][e])
                {
                    (with, withSquares) = (with + c, withSquares + (c * c));
                    n++;
                }
                else
                    (without, withoutSquares) = (without + c, withoutSquares + (c * c));
            }
            members[e] = Estimate(n, with, withSquares, has.Count - n, without, withoutSquares);
        }
        return new SubsetScreen(members);
    }

    /// <summary>An upper confidence limit of the largest effect of any member.</summary>
    /// <param name="level">The confidence level.</param>
    /// <returns>The limit; 0 where there are no members.</returns>
    public double Limit(double level) => Members.Select(m => m.Limit(level)).DefaultIfEmpty().Max();

    /// <summary>The p-value of the hypothesis that a member has an effect of at least some size: the largest of the members'.</summary>
    /// <param name="size">The size.</param>
    /// <returns>The p-value; 0 where there are no members.</returns>
    public double PValue(double size) => Members.Select(m => m.PValue(size)).DefaultIfEmpty().Max();

    private static SubsetEstimate Estimate(int n, double with, double withSquares, int m, double without, double withoutSquares)
    {
        double Variance(int count, double sum, double squares) => Math.Max(0, squares - (sum * sum / count)) / (count - 1);

        double first = Variance(n, with, withSquares) / n, second = Variance(m, without, withoutSquares) / m, both = first + second;
        double freedom = both * both / ((first * first / (n - 1)) + (second * second / (m - 1)));
        return new SubsetEstimate((with / n) - (without / m), Math.Sqrt(both), freedom);
    }
}
