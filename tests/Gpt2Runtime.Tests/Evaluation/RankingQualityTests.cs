using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Tests.Evaluation;

public sealed class RankingQualityTests
{
    private static readonly ComputationGraph s_graph = new(2, 2);

    [Fact]
    public void Area_and_average_precision_equal_their_definitions_with_ties()
    {
        Random random = new(3);
        for (int trial = 0; trial < 30; trial++)
        {
            // Few distinct values, of both signs: many ties.
            var values = new float[s_graph.Writers * s_graph.Readers];
            foreach ((int row, int column) in s_graph.Edges) values[(row * s_graph.Readers) + column] = random.Next(-4, 5);
            EdgeScores scores = new(s_graph, values);
            (int, int)[] edges = [.. s_graph.Edges];
            random.Shuffle(edges);
            Circuit truth = Circuit.Of(s_graph, edges[..20]);
            Circuit undecided = Circuit.Of(s_graph, trial % 2 == 0 ? [] : edges[15..35]);

            (float Score, bool IsTrue)[] ranked = [.. s_graph.Edges.Where(e => !undecided.Contains(e.Row, e.Column))
                .Select(e => (Math.Abs(scores[e.Row, e.Column]), truth.Contains(e.Row, e.Column)))];
            float[] yes = [.. ranked.Where(e => e.IsTrue).Select(e => e.Score)];
            float[] no = [.. ranked.Where(e => !e.IsTrue).Select(e => e.Score)];
            double area = yes.Average(y => no.Average(n => y > n ? 1.0 : y == n ? 0.5 : 0));

            // Of every true edge: the share of true ones among the edges that are found with it.
            double precision = yes.Average(y => ranked.Where(e => e.Score >= y).Average(e => e.IsTrue ? 1.0 : 0));

            RankingQuality quality = RankingQuality.Of(scores, truth, undecided);
            Assert.Equal(area, quality.Area, 1e-12);
            Assert.Equal(precision, quality.AveragePrecision, 1e-12);
            Assert.Equal((yes.Length, no.Length), (quality.TrueEdges, quality.OtherEdges));
            if (undecided.EdgeCount == 0) Assert.Equal(RocCurve.Of(scores, truth).Area, quality.Area, 1e-12);
        }
    }

    [Fact]
    public void A_perfect_ranking_has_1_and_a_constant_one_the_share_of_true_edges()
    {
        Circuit truth = Circuit.Of(s_graph, s_graph.Edges.Take(10));
        EdgeScores perfect = new(s_graph, Array.ConvertAll(truth.Membership.ToArray(), t => t ? -2f : 1f));
        Assert.Equal((1, 1), (RankingQuality.Of(perfect, truth).Area, RankingQuality.Of(perfect, truth).AveragePrecision));
        RankingQuality constant = RankingQuality.Of(new EdgeScores(s_graph, new float[perfect.Values.Length]), truth);
        Assert.Equal((0.5, 10.0 / s_graph.EdgeCount), (constant.Area, constant.AveragePrecision));
    }

    [Fact]
    public void There_must_be_something_to_tell_apart()
    {
        Circuit all = Circuit.Of(s_graph, s_graph.Edges);
        EdgeScores scores = new(s_graph, new float[all.Membership.Length]);
        Assert.Throws<GradpathException>(() => RankingQuality.Of(scores, all));
        Assert.Throws<GradpathException>(() => RankingQuality.Of(scores, Circuit.Of(s_graph, s_graph.Edges.Take(3)), all));
    }
}
