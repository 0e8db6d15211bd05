using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Host.Commands;

/// <summary>How far two sets of scores agree on the order of the edges.</summary>
internal static class RankAgreement
{
    /// <summary>Spearman's rank correlation of the scores over all edges; equal scores share their mean rank.</summary>
    /// <returns>-1 to 1; NaN where one set holds a single value.</returns>
    public static double Spearman(EdgeScores a, EdgeScores b)
    {
        double[] x = Ranks(a);
        double[] y = Ranks(b);
        double mean = (x.Length - 1) / 2.0;
        double xy = 0, xx = 0, yy = 0;
        for (int i = 0; i < x.Length; i++)
        {
            xy += (x[i] - mean) * (y[i] - mean);
            xx += (x[i] - mean) * (x[i] - mean);
            yy += (y[i] - mean) * (y[i] - mean);
        }
        return xy / Math.Sqrt(xx * yy);
    }

    /// <summary>Share of the strongest edges by absolute score that both sets have in common.</summary>
    public static double Overlap(EdgeScores a, EdgeScores b, int count)
    {
        HashSet<int> strongest = [.. a.Rank(count)];
        return b.Rank(count).Count(strongest.Contains) / (double)count;
    }

    private static double[] Ranks(EdgeScores scores)
    {
        float[] values = [.. scores.Graph.Edges.Select(e => scores[e.Row, e.Column])];
        int[] order = [.. Enumerable.Range(0, values.Length)];
        float[] sorted = (float[])values.Clone();
        Array.Sort(sorted, order);
        double[] ranks = new double[values.Length];
        for (int start = 0; start < sorted.Length;)
        {
            int end = start + 1;
            while (end < sorted.Length && sorted[end] == sorted[start]) end++;
            for (int i = start; i < end; i++) ranks[order[i]] = (start + end - 1) / 2.0;
            start = end;
        }
        return ranks;
    }
}
