using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Commands;

namespace Gradpath.Host.Tests;

public sealed class RankAgreementTests
{
    private static readonly ComputationGraph s_graph = new(1, 1);

    [Fact]
    public void Spearman_is_one_for_the_same_order_and_minus_one_for_the_reverse()
    {
        EdgeScores a = Scores(1, 2, 3, 4, 5, 6, 7, 8);
        Assert.Equal(1, RankAgreement.Spearman(a, Scores(1, 4, 9, 16, 25, 36, 49, 64)), 12);
        Assert.Equal(-1, RankAgreement.Spearman(a, Scores(8, 7, 6, 5, 4, 3, 2, 1)), 12);
        // Two pairs of neighbours swapped: 1 - 6 * 4 / (8 * 63).
        Assert.Equal(1 - (24.0 / 504), RankAgreement.Spearman(a, Scores(2, 1, 4, 3, 5, 6, 7, 8)), 12);
    }

    [Fact]
    public void Ties_share_their_mean_rank() =>
        // Ranks 0.5 0.5 2 3 ... against 0 1 2 3 ...: 41.5 / sqrt(41.5 * 42).
        Assert.Equal(
            41.5 / Math.Sqrt(41.5 * 42), RankAgreement.Spearman(Scores(1, 1, 3, 4, 5, 6, 7, 8), Scores(1, 2, 3, 4, 5, 6, 7, 8)), 12);

    [Fact]
    public void Overlap_counts_the_strongest_edges_in_common()
    {
        EdgeScores a = Scores(-9, 8, 7, 6, 0, 0, 0, 0);
        EdgeScores b = Scores(9, 0, -8, 0, 7, 6, 0, 0);
        Assert.Equal(0.5, RankAgreement.Overlap(a, b, 4));
        Assert.Equal(1, RankAgreement.Overlap(a, a, 3));
    }

    private static EdgeScores Scores(params float[] inEdgeOrder)
    {
        float[] values = new float[s_graph.Writers * s_graph.Readers];
        foreach (((int row, int column), float value) in s_graph.Edges.Zip(inEdgeOrder)) values[(row * s_graph.Readers) + column] = value;
        return new EdgeScores(s_graph, values);
    }
}
