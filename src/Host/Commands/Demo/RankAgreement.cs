using Gradpath.Gpt2Runtime.Graph;
using MathNet.Numerics.Statistics;

namespace Gradpath.Host.Commands;

/// <summary>How far two sets of scores agree on the order of the edges.</summary>
internal static class RankAgreement
{
    /// <summary>Spearman's rank correlation of the scores over all edges; equal scores share their mean rank.</summary>
    /// <returns>-1 to 1; NaN where one set holds a single value.</returns>
    public static double Spearman(EdgeScores a, EdgeScores b) => Correlation.Spearman(Values(a), Values(b));

    /// <summary>Share of the strongest edges by absolute score that both sets have in common.</summary>
    public static double Overlap(EdgeScores a, EdgeScores b, int count)
    {
        HashSet<int> strongest = [.. a.Rank(count)];
        return b.Rank(count).Count(strongest.Contains) / (double)count;
    }

    private static IEnumerable<double> Values(EdgeScores scores) =>
        scores.Graph.Edges.Select(e => (double)scores[e.Row, e.Column]);
}
