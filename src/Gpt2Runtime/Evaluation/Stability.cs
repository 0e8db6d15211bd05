using System.Numerics;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Evaluation;

/// <summary>
/// How stable edge scores are: prompt pairs are drawn anew with replacement, as many as there are, and the strongest edges of each such
/// data set are compared (a bootstrap over prompts). With <see cref="StabilityOptions.Part"/> whole groups of pairs are drawn instead, as
/// many as there are groups (a cluster bootstrap).
/// </summary>
/// <param name="Sizes">One per size that was asked for.</param>
/// <param name="Edges">All edges that the file has scores of, the strongest over all prompt pairs first.</param>
/// <param name="Spearman">Mean rank correlation of two drawn data sets, over these edges.</param>
/// <param name="Mean">The mean scores over all prompt pairs; 0 for edges that the file has none of.</param>
/// <param name="Groups">What data sets are drawn from: the number of prompt pairs, or of groups of them.</param>
public sealed record Stability(
    IReadOnlyList<StabilitySize> Sizes, IReadOnlyList<StabilityEdge> Edges, double Spearman, EdgeScores Mean, int Groups)
{
    private const long MostSumBytes = 1L << 30;

    /// <summary>Measures stability.</summary>
    /// <param name="file">Scores per prompt pair, of two pairs at least. They are read a few times, never all at once.</param>
    /// <param name="options">Sizes and draws.</param>
    /// <param name="cancellation">Stops the work between prompt pairs.</param>
    /// <returns>What the data sets have in common.</returns>
    /// <exception cref="OptionException">An option cannot be used, or the labels of the prompt pairs make no groups.</exception>
    /// <exception cref="GradpathException">The file has a single prompt pair, or cannot be read.</exception>
    /// <exception cref="OperationCanceledException">The work was stopped.</exception>
    public static Stability Measure(ItemScoresFile file, StabilityOptions options, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(options);
        ComputationGraph graph = file.Graph;
        if (options.Resamples < 2) throw new OptionException($"at least two data sets must be drawn, not {options.Resamples}");
        if (options.Sizes.Count == 0) throw new OptionException($"at least one size is needed");
        foreach (int size in options.Sizes)
        {
            if (size < 1 || size > file.Edges.Count)
                throw new OptionException($"{Terms.Sizes.With(size)}: must be from 1 to {file.Edges.Count}, the edges that have scores");
        }
        if (file.Items < 2) throw new GradpathException("there is a single prompt pair: every data set that is drawn from it is the same.");
        int[] cells = [.. file.Edges.Select(e => (e.Row * graph.Readers) + e.Column)];
        var random = new SplitMix64(options.Seed);
        int[] groups = options.Part is null ? [.. Enumerable.Range(0, file.Items)] : GroupsOf(file.Labels, options.Part);
        int[][] draws = [.. Enumerable.Range(0, options.Resamples).Select(_ => Draw(groups, random))];
        int[] once = [.. Enumerable.Repeat(1, file.Items)];
        int[][] ranks = new int[options.Resamples][];
        int chunk = (int)Math.Clamp(MostSumBytes / (8L * cells.Length), 1, options.Resamples);
        double[] mean = Means(file, [once], cancellation)[0];
        for (int first = 0; first < draws.Length; first += chunk)
        {
            int[][] now = draws[first..Math.Min(first + chunk, draws.Length)];
            double[][] means = Means(file, now, cancellation);
            for (int b = 0; b < now.Length; b++)
            {
                cancellation.ThrowIfCancellationRequested();
                ranks[first + b] = Ranks(means[b], options.BySign);
            }
        }
        int[] own = Ranks(mean, options.BySign);
        float[] values = new float[graph.Writers * graph.Readers];
        for (int e = 0; e < cells.Length; e++) values[cells[e]] = (float)mean[e];
        double[][] inclusion = [.. options.Sizes.Select(size => Inclusion(ranks, size))];
        return new Stability(
            [.. options.Sizes.Select((size, s) => SizeOf(ranks, own, size, inclusion[s], options, cancellation))],
            EdgesOf(graph, cells, values, own, ranks, inclusion), Correlation(ranks),
            new EdgeScores(graph, values) { ModelWidth = file.ModelWidth, Provenance = file.Provenance }, groups.Max() + 1);
    }

    /// <summary>The circuit of the edges that a large share of the data sets agrees on.</summary>
    /// <param name="size">Which of the sizes.</param>
    /// <param name="share">The share.</param>
    /// <returns>The circuit with the mean scores, as it is: not pruned.</returns>
    public Circuit Consensus(int size, double share) =>
        new(Mean.Graph, Circuit.Of(Mean.Graph, Edges.Where(e => e.Inclusion[size] >= share).Select(e => (e.Row, e.Column))).Membership)
        {
            Scores = Mean,
            EdgesBeforePrune = Edges.Count(e => e.Inclusion[size] >= share),
        };

    // The number of each item's group, from 0.
    private static int[] GroupsOf(IReadOnlyList<string?> labels, string part)
    {
        Term by = Terms.Part.With(part);
        if (labels.Count == 0)
            throw new OptionException($"{by}: the prompt pairs have no labels to make groups by; generated ones have them");
        Dictionary<string, int> numbers = new(StringComparer.Ordinal);
        int[] groups = new int[labels.Count];
        for (int i = 0; i < groups.Length; i++)
        {
            string value = labels[i]?.Split(';').FirstOrDefault(p => p.StartsWith(part + '=', StringComparison.Ordinal))
                ?? throw NoPart(by, part, i, labels[i]);
            numbers.TryAdd(value, numbers.Count);
            groups[i] = numbers[value];
        }
        if (numbers.Count < 2)
            throw new OptionException($"{by}: all prompt pairs have the same one in their labels: there is nothing to draw");
        return groups;
    }

    private static OptionException NoPart(Term by, string part, int pair, string? label)
    {
        string[] parts = [.. (label ?? "").Split(';').Where(p => p.Contains('=')).Select(p => p.Split('=')[0])];
        if (label is null) return new OptionException($"{by}: prompt pair {pair + 1} has no label to make groups by");
        string there = parts.Length == 0 ? "it has no parts" : $"use {CanonicalNames.Choice(parts.Select(p => Quoted.Name(p)))}";
        return new OptionException($"{by}: prompt pair {pair + 1} has no {Quoted.Name(part)} in its label {Quoted.Text(label)}; {there}");
    }

    // How often each item is drawn.
    private static int[] Draw(int[] groups, SplitMix64 random)
    {
        int[] counts = new int[groups.Max() + 1];
        for (int i = 0; i < counts.Length; i++) counts[random.Below(counts.Length)]++;
        return [.. groups.Select(g => counts[g])];
    }

    private static double[][] Means(ItemScoresFile file, int[][] counts, CancellationToken cancellation)
    {
        double[][] sums = [.. counts.Select(_ => new double[file.Edges.Count])];
        float[] scores = new float[file.Edges.Count];
        for (int item = 0; item < file.Items; item++)
        {
            cancellation.ThrowIfCancellationRequested();
            file.Read(item, scores);
            for (int b = 0; b < counts.Length; b++)
            {
                int times = counts[b][item];
                if (times == 0) continue;
                double[] sum = sums[b];
                for (int e = 0; e < scores.Length; e++) sum[e] += times * (double)scores[e];
            }
        }
        for (int b = 0; b < sums.Length; b++)
        {
            int drawn = counts[b].Sum();
            for (int e = 0; e < sums[b].Length; e++) sums[b][e] /= drawn;
        }
        return sums;
    }

    // From 1, ties by position.
    private static int[] Ranks(double[] scores, bool bySign)
    {
        double[] keys = Array.ConvertAll(scores, s => bySign ? -s : -Math.Abs(s));
        int[] ranks = new int[scores.Length];
        int rank = 0;
        foreach (int e in Enumerable.Range(0, scores.Length).OrderBy(e => keys[e])) ranks[e] = ++rank;
        return ranks;
    }

    private static double[] Inclusion(int[][] ranks, int size)
    {
        double[] share = new double[ranks[0].Length];
        for (int e = 0; e < share.Length; e++) share[e] = ranks.Count(r => r[e] <= size) / (double)ranks.Length;
        return share;
    }

    private static StabilitySize SizeOf(
        int[][] ranks, int[] own, int size, double[] inclusion, StabilityOptions options, CancellationToken cancellation)
    {
        ulong[][] sets = [.. ranks.Select(r => Set(r, size))];
        ulong[] all = Set(own, size);
        double sum = 0;
        for (int a = 0; a < sets.Length; a++)
        {
            cancellation.ThrowIfCancellationRequested();
            for (int b = 0; b < a; b++) sum += Jaccard(sets[a], sets[b], size);
        }
        return new StabilitySize(
            size, sum / (sets.Length * (sets.Length - 1) / 2.0), sets.Average(s => Jaccard(s, all, size)),
            inclusion.Count(f => f >= options.Core), inclusion.Count(f => f >= options.Noise && f < options.Core),
            inclusion.Count(f => f > 0 && f < options.Noise));
    }

    private static ulong[] Set(int[] ranks, int size)
    {
        ulong[] bits = new ulong[(ranks.Length + 63) / 64];
        for (int e = 0; e < ranks.Length; e++)
        {
            if (ranks[e] <= size) bits[e / 64] |= 1UL << (e % 64);
        }
        return bits;
    }

    private static double Jaccard(ulong[] a, ulong[] b, int size)
    {
        int both = 0;
        for (int i = 0; i < a.Length; i++) both += BitOperations.PopCount(a[i] & b[i]);
        return both / ((2.0 * size) - both);
    }

    // The mean over pairs of the correlation of ranks, which are permutations: from the square of their sum, without going over the pairs.
    private static double Correlation(int[][] ranks)
    {
        int edges = ranks[0].Length;
        double middle = (edges + 1) / 2.0, square = 0, variance = ((double)edges * edges - 1) / 12 * edges;
        for (int e = 0; e < edges; e++)
        {
            double sum = ranks.Sum(r => r[e] - middle);
            square += sum * sum;
        }
        return ((square / variance) - ranks.Length) / ((double)ranks.Length * (ranks.Length - 1));
    }

    private static StabilityEdge[] EdgesOf(
        ComputationGraph graph, int[] cells, float[] values, int[] own, int[][] ranks, double[][] inclusion)
    {
        var edges = new StabilityEdge[cells.Length];
        int[] sorted = new int[ranks.Length];
        for (int e = 0; e < cells.Length; e++)
        {
            for (int b = 0; b < ranks.Length; b++) sorted[b] = ranks[b][e];
            Array.Sort(sorted);
            (int row, int column) = Math.DivRem(cells[e], graph.Readers);
            edges[own[e] - 1] = new StabilityEdge(
                row, column, values[cells[e]], own[e], At(0.025), At(0.975), [.. inclusion.Select(share => share[e])]);
        }
        return edges;

        int At(double share) => sorted[Math.Max(0, (int)Math.Ceiling(share * sorted.Length) - 1)];
    }
}
