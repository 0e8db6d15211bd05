using System.Globalization;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Tests.Evaluation;

public sealed class RocCurveTests
{
    private static readonly ComputationGraph s_graph = new(2, 2);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_area_is_the_chance_of_ranking_a_true_edge_higher(bool withoutMlps)
    {
        Random random = new(3);
        for (int trial = 0; trial < 20; trial++)
        {
            // Few distinct values, of both signs: many ties.
            var values = new float[s_graph.Writers * s_graph.Readers];
            foreach ((int row, int column) in s_graph.Edges) values[(row * s_graph.Readers) + column] = random.Next(-4, 5);
            EdgeScores scores = new(s_graph, values);
            Circuit truth = Circuit.Of(s_graph, [.. s_graph.Edges.Where(_ => random.Next(3) == 0), (0, s_graph.LogitsColumn)]);

            bool Counts((int Row, int Column) e) =>
                !withoutMlps || !s_graph.EdgeName(e.Row, e.Column).Contains('m', StringComparison.Ordinal);
            float[] yes = [.. s_graph.Edges.Where(e => Counts(e) && truth.Contains(e.Row, e.Column)).Select(e =>
                Math.Abs(scores[e.Row, e.Column]))];
            float[] no = [.. s_graph.Edges.Where(e => Counts(e) && !truth.Contains(e.Row, e.Column)).Select(e =>
                Math.Abs(scores[e.Row, e.Column]))];
            double expected = yes.Average(y => no.Average(n => y > n ? 1.0 : y == n ? 0.5 : 0));

            RocCurve curve = RocCurve.Of(scores, truth, withoutMlps);
            Assert.Equal(expected, curve.Area, 1e-12);
            Assert.Equal(yes.Concat(no).Distinct().Count() + 1, curve.Points.Count);
            Assert.Equal((0, 0), (curve.Points[0].FalsePositiveRate, curve.Points[0].TruePositiveRate));
            Assert.Equal((1, 1), (curve.Points[^1].FalsePositiveRate, curve.Points[^1].TruePositiveRate));
            foreach (RocPoint point in curve.Points.Skip(1))
            {
                Assert.Equal(yes.Count(y => y >= point.Threshold) / (double)yes.Length, point.TruePositiveRate);
                Assert.Equal(no.Count(n => n >= point.Threshold) / (double)no.Length, point.FalsePositiveRate);

                Assert.Equal(new SetOverlap(yes.Count(y => y >= point.Threshold), yes.Concat(no).Count(y => y >= point.Threshold),
                    yes.Length), curve.At(point));

                // The point of the circuit at that threshold.
                RocPoint same = RocPoint.Of(CircuitSelection.Threshold(scores, (float)point.Threshold), truth, withoutMlps);
                Assert.Equal((point.FalsePositiveRate, point.TruePositiveRate), (same.FalsePositiveRate, same.TruePositiveRate));
            }
        }
    }

    [Fact]
    public void A_perfect_ranking_has_area_1_and_a_constant_one_half()
    {
        Circuit truth = GroundTruth.Ioi.Circuit;
        EdgeScores perfect = new(truth.Graph, Array.ConvertAll(truth.Membership.ToArray(), t => t ? -2f : 1f));
        Assert.Equal(1, RocCurve.Of(perfect, truth).Area);
        Assert.Equal(0.5, RocCurve.Of(new EdgeScores(truth.Graph, new float[perfect.Values.Length]), truth).Area);
    }

    [Fact]
    public void A_truth_that_tells_nothing_apart_is_refused()
    {
        EdgeScores scores = new(s_graph, new float[s_graph.Writers * s_graph.Readers]);
        Assert.Contains("0 of 46", Assert.Throws<GradpathException>(() => RocCurve.Of(scores, Circuit.Of(s_graph, []))).Message,
            StringComparison.Ordinal);
        Assert.Contains("46 of 46", Assert.Throws<GradpathException>(() => RocCurve.Of(scores, Circuit.Of(s_graph, s_graph.Edges))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void The_staircase_is_pessimistic()
    {
        Assert.Equal(0, RocCurve.StaircaseArea([]));
        Assert.Equal(0.5, RocCurve.StaircaseArea([Point(0, 0.5)]));
        Assert.Equal(0.8 * 0.5, RocCurve.StaircaseArea([Point(0.2, 0.5)]), 1e-15);
        Assert.Equal(0.8 * 0.5, RocCurve.StaircaseArea([Point(0.2, 0.5), Point(0.3, 0.4)]), 1e-15);
        Assert.Equal(0.8 * 0.5 + 0.4 * 0.2, RocCurve.StaircaseArea([Point(0.6, 0.7), Point(0.2, 0.5), Point(0.3, 0.5)]), 1e-15);
        Assert.Throws<ArgumentException>(() => RocCurve.StaircaseArea([Point(double.NaN, 0)]));
        Assert.Throws<ArgumentException>(() => RocCurve.StaircaseArea([Point(0, 1.5)]));
    }

    /// <summary>The stored runs of ACDC, HISP (16H) and subnetwork probing give the published areas.</summary>
    [Fact]
    public void The_staircase_gives_the_areas_of_the_published_runs()
    {
        var points = Read("acdc_points.csv").ToLookup(Key);
        int compared = 0;
        foreach (Dictionary<string, string> expected in Read("expected_auc.csv"))
        {
            foreach (string kind in (string[])["edge", "node"])
            {
                double area = RocCurve.StaircaseArea(points[Key(expected)]
                    .Select(p => Point(Number(p[kind + "_fpr"]), Number(p[kind + "_tpr"]))).Where(
                        p => !double.IsNaN(p.FalsePositiveRate + p.TruePositiveRate)));
                Assert.True(Math.Abs(Number(expected[kind + "_auc"]) - area) < 0.0005,
                    $"{Key(expected)} {kind}: {area}, expected {expected[kind + "_auc"]}");
                compared++;
            }
        }
        Assert.Equal(64, compared);

        static string Key(Dictionary<string, string> row) =>
            string.Join(' ', row["algorithm"], row["task"], row["optimised_metric"], row["ablation"], row["weights"]);
    }

    private static RocPoint Point(double falsePositives, double truePositives) => new(falsePositives, truePositives, double.NaN);

    private static double Number(string text) => text.Length == 0 ? double.NaN : double.Parse(text, CultureInfo.InvariantCulture);

    private static List<Dictionary<string, string>> Read(string file)
    {
        string[][] lines = [.. File.ReadLines(RepositoryFiles.Data("reference-curves/" + file)).Select(line => line.Split(','))];
        return [.. lines.Skip(1).Select(fields => lines[0].Zip(fields).ToDictionary(f => f.First, f => f.Second))];
    }
}
