using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Commands;
using Gradpath.Host.Reports;
using Gradpath.Host.Reports.Tables;

namespace Gradpath.Host.Tests;

public class ReportTests
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
        Assert.Equal(41.5 / Math.Sqrt(41.5 * 42), RankAgreement.Spearman(Scores(1, 1, 3, 4, 5, 6, 7, 8), Scores(1, 2, 3, 4, 5, 6, 7, 8)), 12);

    [Fact]
    public void Overlap_counts_the_strongest_edges_in_common()
    {
        EdgeScores a = Scores(-9, 8, 7, 6, 0, 0, 0, 0);
        EdgeScores b = Scores(9, 0, -8, 0, 7, 6, 0, 0);
        Assert.Equal(0.5, RankAgreement.Overlap(a, b, 4));
        Assert.Equal(1, RankAgreement.Overlap(a, a, 3));
    }

    [Theory]
    [InlineData(true, "  a    \u2588\u2588\u2588\u2588 2\n  bcd  \u2588\u258C 0.75\n  e     0\n")]
    [InlineData(false, "  a    #### 2\n  bcd  ## 0.75\n  e     0\n")]
    public void Bars_share_one_scale(bool unicode, string expected)
    {
        using StringWriter text = new() { NewLine = "\n" };
        BarPlot.Write(text, [("a", 2), ("bcd", 0.75), ("e", 0)], 4, unicode);
        Assert.Equal(expected, text.ToString());
    }

    [Theory]
    [InlineData(0, "0 bytes")]
    [InlineData(1023, "1023 bytes")]
    [InlineData(1536, "1.5 KiB")]
    [InlineData(497_759_232, "474.7 MiB")]
    public void Sizes_are_readable(long bytes, string expected) => Assert.Equal(expected, Sizes.Bytes(bytes));

    [Theory]
    [InlineData(0.5f, "+0.50000")]
    [InlineData(-0.25f, "-0.25000")]
    [InlineData(0f, "0")]
    [InlineData(-1e-7f, "-1.000e-07")]
    public void Scores_show_their_sign(float score, string expected) => Assert.Equal(expected, EdgeTable.Number(score));

    private static EdgeScores Scores(params float[] inEdgeOrder)
    {
        EdgeScores scores = new(s_graph, new float[s_graph.Writers * s_graph.Readers]);
        foreach (((int row, int column), float value) in s_graph.Edges.Zip(inEdgeOrder)) scores.Values[scores.IndexOf(row, column)] = value;
        return scores;
    }
}
