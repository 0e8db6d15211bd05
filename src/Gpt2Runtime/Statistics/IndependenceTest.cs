namespace Gradpath.Gpt2Runtime.Statistics;

/// <summary>
/// Whether two numbers per item are independent: the Hilbert-Schmidt independence criterion (Gretton et al., 2005, 2007) with Gaussian
/// kernels, tr(K H L H) / n^2, and its distribution under permutations of one of them. A kernel is as wide as the median distance of two
/// items.
/// </summary>
/// <param name="Statistic">The criterion: 0 where a number is the same for all items.</param>
/// <param name="PValue">(1 + permutations with at least this criterion) / (1 + permutations).</param>
internal sealed record IndependenceTest(double Statistic, double PValue)
{
    /// <summary>Tests two numbers per item.</summary>
    /// <param name="first">One number per item.</param>
    /// <param name="second">The other, for the same items.</param>
    /// <param name="permutations">Number of random permutations, at least 1.</param>
    /// <param name="seed">The same seed gives the same permutations.</param>
    /// <param name="cancellation">Stops the work between permutations.</param>
    /// <returns>The criterion and the p-value.</returns>
    /// <exception cref="ArgumentException">The numbers of items differ, or there are none.</exception>
    /// <exception cref="OperationCanceledException">The work was stopped.</exception>
    public static IndependenceTest Run(
        IReadOnlyList<double> first, IReadOnlyList<double> second, int permutations, ulong seed, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        ArgumentOutOfRangeException.ThrowIfLessThan(permutations, 1);
        if (first.Count != second.Count || first.Count == 0)
            throw new ArgumentException($"there are {first.Count} and {second.Count} items", nameof(second));
        int n = first.Count;
        double[] k = Centred(Kernel(first), n);
        double[] l = Kernel(second);
        int[] order = [.. Enumerable.Range(0, n)];
        double seen = Criterion(k, l, order);

        // Permutations that change nothing may round differently.
        double least = seen - (1e-12 * Math.Abs(seen)) - 1e-15;
        var random = new SplitMix64(seed);
        int asLarge = 0;
        for (int draw = 0; draw < permutations; draw++)
        {
            cancellation.ThrowIfCancellationRequested();
            random.Shuffle<int>(order);
            if (Criterion(k, l, order) >= least) asLarge++;
        }
        return new IndependenceTest(Math.Max(0, seen), (1.0 + asLarge) / (1.0 + permutations));
    }

    /// <summary>
    /// How often the test finds two normal variables dependent whose correlation is known, by simulation.
    /// </summary>
    /// <param name="items">Number of items.</param>
    /// <param name="correlation">Their correlation, from -1 to 1; 0 gives the rate of false positives.</param>
    /// <param name="alpha">The level.</param>
    /// <param name="simulations">Number of simulated data sets.</param>
    /// <param name="permutations">Permutations of each.</param>
    /// <param name="seed">The same seed gives the same data sets.</param>
    /// <param name="cancellation">Stops the work between permutations.</param>
    /// <returns>The share of data sets whose p-value is at most alpha.</returns>
    public static double Power(
        int items, double correlation, double alpha, int simulations, int permutations, ulong seed,
        CancellationToken cancellation = default)
    {
        var random = new SplitMix64(seed);
        int found = 0;
        for (int s = 0; s < simulations; s++)
        {
            double[] first = new double[items];
            double[] second = new double[items];
            for (int i = 0; i < items; i++)
            {
                // Box and Muller (1958): two independent normal numbers from two uniform ones.
                double radius = Math.Sqrt(-2 * Math.Log(random.NextUniform()));
                double angle = 2 * Math.PI * random.NextUniform();
                first[i] = radius * Math.Cos(angle);
                second[i] = (correlation * first[i]) + (Math.Sqrt(1 - (correlation * correlation)) * radius * Math.Sin(angle));
            }
            if (Run(first, second, permutations, random.Next(), cancellation).PValue <= alpha) found++;
        }
        return found / (double)simulations;
    }

    // exp(-d^2 / (2 w^2)) with w the median distance; of distances that are mostly 0, the median of the others.
    private static double[] Kernel(IReadOnlyList<double> values)
    {
        int n = values.Count;
        var distances = new List<double>(n * (n - 1) / 2);
        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j < i; j++) distances.Add(Math.Abs(values[i] - values[j]));
        }
        double width = Median(distances);
        if (width == 0) width = Median([.. distances.Where(d => d > 0)]);
        double[] kernel = new double[n * n];
        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j < n; j++)
            {
                double d = width == 0 ? 0 : (values[i] - values[j]) / width;
                kernel[(i * n) + j] = Math.Exp(-d * d / 2);
            }
        }
        return kernel;
    }

    private static double Median(List<double> values)
    {
        if (values.Count == 0) return 0;
        values.Sort();
        return (values[values.Count / 2] + values[(values.Count - 1) / 2]) / 2;
    }

    // H K H with H = 1 - 1/n.
    private static double[] Centred(double[] kernel, int n)
    {
        double[] means = new double[n];
        for (int i = 0; i < n; i++) means[i] = kernel.AsSpan(i * n, n).ToArray().Average();
        double mean = means.Average();
        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j < n; j++) kernel[(i * n) + j] += mean - means[i] - means[j];
        }
        return kernel;
    }

    // Both matrices are symmetric: the lower triangle twice and the diagonal.
    private static double Criterion(double[] k, double[] l, int[] order)
    {
        int n = order.Length;
        double sum = 0;
        for (int i = 0; i < n; i++)
        {
            int row = order[i] * n;
            double ofRow = 0;
            for (int j = 0; j < i; j++) ofRow += k[(i * n) + j] * l[row + order[j]];
            sum += (2 * ofRow) + (k[(i * n) + i] * l[row + order[i]]);
        }
        return sum / ((double)n * n);
    }
}
