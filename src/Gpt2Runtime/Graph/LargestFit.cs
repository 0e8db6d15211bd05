namespace Gradpath.Gpt2Runtime.Graph;

/// <summary>The largest selection whose pruned circuit is no larger than wanted.</summary>
internal static class LargestFit
{
    /// <summary>
    /// Finds it by halving. The more is selected, the more is left: an edge that lies on a path stays on it.
    /// </summary>
    /// <param name="pruned">Selects n edges and prunes what was selected.</param>
    /// <param name="size">The edges of a circuit.</param>
    /// <param name="wanted">Edges to be left, at most.</param>
    /// <param name="most">Largest n.</param>
    /// <returns>The pruned circuit.</returns>
    public static T Find<T>(Func<int, T> pruned, Func<T, int> size, int wanted, int most)
    {
        int fits = Math.Min(wanted, most);
        T best = pruned(fits);
        int over = most + 1;
        while (over - fits > 1)
        {
            int middle = fits + ((over - fits) / 2);
            T circuit = pruned(middle);
            if (size(circuit) > wanted)
            {
                over = middle;
                continue;
            }
            (fits, best) = (middle, circuit);
        }
        return best;
    }
}
