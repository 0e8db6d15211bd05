using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Metrics;

namespace Gradpath.Gpt2Runtime.Tests.Reference;

/// <summary>Properties of the methods that follow from their definitions, and small cases worked by hand; needs no files.</summary>
public sealed class ReferenceMethodTests
{
    public static TheoryData<string> SmoothMetricNames => [.. ReferenceMetric.SmoothMetrics.Select(m => m.Name)];

    private static readonly Gpt2Config Config = new()
    {
        Layers = 2,
        Heads = 2,
        Width = 6,
        InnerWidth = 10,
        Positions = 8,
        Vocabulary = 9,
    };

    private static readonly ReferenceModel Model = ReferenceModel.Random(Config, seed: 11);
    private static readonly PromptPair[] Pairs = ReferencePrompts.Random(Config.Vocabulary, count: 5, shortest: 4, longest: 8, seed: 12);

    /// <summary>
    /// G(s) = s, L(s) = s^2 / 2, clean 0, corrupted 2.5: the objective (s - 2.5)^2 leads over 1, 2, 3, 2, 3; L' = s there, 2.2 on average.
    /// </summary>
    [Fact]
    public void One_number_by_hand()
    {
        const double Clean = 0, Corrupted = 2.5;
        EmbeddingPathWalk walk = EmbeddingPathWalk.Run(
            [Number(Clean)], [1], 5, ReferenceNorm.Item, (_, s) => Number(2 * (s[0, 0] - Corrupted)));
        double[] gamma = [.. walk.Points[0].Skip(1).Select(p => p[0, 0])];
        Assert.Equal([1, 2, 3, 2, 3], gamma);
        Assert.Equal([5, 3, 1, 1, 1], walk.GradientNorms[0]);
        Assert.Equal(2.2, gamma.Average(), 1e-15);
        Assert.Equal(5.5, (Corrupted - Clean) * gamma.Average(), 1e-14); // EAP-GP
        Assert.Equal(0, (Corrupted - Clean) * Clean); // EAP
        double ig = ReferenceAttribution.IgPoints(ReferenceIgPoints.Left, 5).Average(a => Corrupted + a * (Clean - Corrupted));
        Assert.Equal(3.75, (Corrupted - Clean) * ig, 1e-14); // EAP-IG
    }

    [Theory]
    [InlineData(ReferenceNorm.Item, 1.0, 1.0)]
    [InlineData(ReferenceNorm.Batch, 0.6, 0.8)]
    public void Two_items_with_gradients_3_and_4_step_by_their_own_or_the_common_norm(object norm, double first, double second)
    {
        double[] gradients = [3, 4];
        EmbeddingPathWalk walk = EmbeddingPathWalk.Run(
            [Number(0), Number(0)], [1, 1], 1, (ReferenceNorm)norm, (i, _) => Number(gradients[i]));
        Assert.Equal(-first, walk.Points[0][1][0, 0], 1e-15);
        Assert.Equal(-second, walk.Points[1][1][0, 0], 1e-15);
    }

    [Fact]
    public void A_point_without_gradient_stays()
    {
        EmbeddingPathWalk walk = EmbeddingPathWalk.Run([Number(7)], [1], 3, ReferenceNorm.Item, (_, _) => Number(1e-13));
        Assert.All(walk.Points[0], p => Assert.Equal(7, p[0, 0]));
    }

    [Fact]
    public void Ig_points_are_left_right_or_in_the_middle()
    {
        Assert.Equal([0, 0.25, 0.5, 0.75], ReferenceAttribution.IgPoints(ReferenceIgPoints.Left, 4));
        Assert.Equal([0.25, 0.5, 0.75, 1], ReferenceAttribution.IgPoints(ReferenceIgPoints.Right, 4));
        Assert.Equal([0.125, 0.375, 0.625, 0.875], ReferenceAttribution.IgPoints(ReferenceIgPoints.Midpoint, 4));
    }

    /// <summary>Integrated gradients are complete: the edges that leave the input sum up to the change of the loss.</summary>
    [Theory]
    [MemberData(nameof(SmoothMetricNames))]
    public void Input_edges_of_eap_ig_sum_up_to_the_change_of_the_loss(string metricName)
    {
        Metric metric = BuiltInMetrics.Find(metricName);
        ReferenceOptions options = new()
        {
            Method = AttributionMethods.EapIg,
            Metric = metric,
            Steps = 400,
            IgPoints = ReferenceIgPoints.Midpoint,
        };
        ReferenceScores scores = ReferenceAttribution.Score(Model, Pairs, options);
        double edges = Enumerable.Range(0, Model.Graph.Columns).Sum(v => scores.Edges[0, v]);
        double change = ReferenceItem.Prepare(Model, Pairs, ReferenceAblation.Patching).Average(i =>
            Loss(metric, i.Corrupted.LastLogits, i) - Loss(metric, i.Clean.LastLogits, i));
        Assert.Equal(change, edges, 1e-4);
        Assert.True(Math.Abs(change) > 1e-2);
    }

    /// <summary>CEAP is complete at every cut: what leaves the input and what enters the logits both sum up to the change.</summary>
    [Theory]
    [MemberData(nameof(SmoothMetricNames))]
    public void Edges_of_ceap_sum_up_to_the_change_of_the_loss_where_eap_igs_do_not(string metricName)
    {
        ReferenceOptions options = new()
        {
            Method = AttributionMethods.Ceap,
            Metric = BuiltInMetrics.Find(metricName),
            Steps = 200,
            IgPoints = ReferenceIgPoints.Midpoint,
        };
        (double change, double fromInput, double intoLogits) = Sums(options);
        Assert.Equal(change, fromInput, 1e-3);
        Assert.Equal(change, intoLogits, 1e-3);
        Assert.True(Math.Abs(change - Sums(options with { Method = AttributionMethods.EapIg }).IntoLogits) > 1e-2);
    }

    private static (double Change, double FromInput, double IntoLogits) Sums(ReferenceOptions options)
    {
        ReferenceScores scores = ReferenceAttribution.Score(Model, Pairs, options);
        return (
            ReferenceItem.Prepare(Model, Pairs, ReferenceAblation.Patching).Average(i =>
                Loss(options.Metric, i.Corrupted.LastLogits, i) - Loss(options.Metric, i.Clean.LastLogits, i)),
            Enumerable.Range(0, Model.Graph.Columns).Sum(v => scores.Edges[0, v]),
            Enumerable.Range(0, Model.Graph.Rows).Sum(u => scores.Edges[u, Model.Graph.Columns - 1]));
    }

    /// <summary>So is the path integral of EAP-GP with small steps, between the ends of its own path.</summary>
    [Fact]
    public void Input_edges_of_the_path_integral_sum_up_to_the_change_along_the_path()
    {
        ReferenceOptions options = new()
        {
            Method = AttributionMethods.EapGp,
            Steps = 1500,
            Eta = ReferenceEta.Match,
            Outer = ReferenceOuter.Path,
        };
        PromptPair[] one = Pairs[..1];
        ReferenceScores scores = ReferenceAttribution.Score(Model, one, options);
        double[] metric = ReferencePath.Record(Model, one, options)[0].Metric;
        Assert.Equal(metric[0] - metric[^1], Enumerable.Range(0, Model.Graph.Columns).Sum(v => scores.Edges[0, v]), 1e-2);
        Assert.True(Math.Abs(metric[0] - metric[^1]) > 0.1);
    }

    [Theory]
    [InlineData("eap")]
    [InlineData("eap-ig")]
    [InlineData("ceap")]
    [InlineData("eap-gp")]
    public void A_writers_score_is_the_sum_over_its_edges(string method)
    {
        ReferenceScores scores = ReferenceAttribution.Score(
            Model, Pairs, new ReferenceOptions { Method = AttributionMethods.Find(method) });
        for (int u = 0; u < Model.Graph.Rows; u++)
        {
            double edges = Enumerable.Range(0, Model.Graph.Columns).Sum(v => scores.Edges[u, v]);
            Assert.Equal(edges, scores.Nodes[u], 1e-12);
        }
    }

    [Fact]
    public void A_common_norm_depends_on_the_batch_size_and_not_for_batches_of_one()
    {
        ReferenceOptions options = new() { Method = AttributionMethods.EapGp };
        double[,] item = ReferenceAttribution.Score(Model, Pairs, options).Edges;
        double[,] one = ReferenceAttribution.Score(Model, Pairs, options with { Norm = ReferenceNorm.Batch }).Edges;
        double[,] three = ReferenceAttribution.Score(Model, Pairs, options with { Norm = ReferenceNorm.Batch, BatchSize = 3 }).Edges;
        Assert.Equal(item, one);
        Assert.NotEqual(item, three);
    }

    [Fact]
    public void Full_circuit_is_the_clean_run_and_empty_circuit_the_corrupted_run()
    {
        ReferenceItem[] items = ReferenceItem.Prepare(Model, Pairs, ReferenceAblation.Patching);
        ReferenceCircuit full = ReferenceCircuit.Evaluate(Model, items, Model.Graph.Circuit(Model.Graph.Edges));
        ReferenceCircuit empty = ReferenceCircuit.Evaluate(Model, items, Model.Graph.Circuit([]));
        for (int i = 0; i < items.Length; i++)
        {
            Assert.True(RealMatrix.Difference(items[i].Clean.LastLogits, full.LastLogits[i]).Norm() < 1e-13);
            Assert.True(RealMatrix.Difference(items[i].Corrupted.LastLogits, empty.LastLogits[i]).Norm() < 1e-13);
        }
    }

    [Fact]
    public void Moving_the_value_biases_into_the_output_bias_changes_no_logit()
    {
        ReferenceModel folded = Model.WithFoldedValueBiases();
        RealMatrix embedding = Model.Embed(Pairs[0].Clean);
        ReferenceRun before = ReferenceRun.Forward(Model, embedding), after = ReferenceRun.Forward(folded, embedding);
        Assert.True(RealMatrix.Difference(before.Logits.Value, after.Logits.Value).Norm() < 1e-13);
        Assert.True(RealMatrix.Difference(before.Writers[1].Value, after.Writers[1].Value).Norm() > 0.01);
    }

    private static double Loss(Metric metric, RealMatrix lastLogits, ReferenceItem item) =>
        ReferenceMetric.LossSign(metric) * ReferenceMetric.Value(metric, lastLogits, item.Pair, item.Clean.LastLogits);

    private static RealMatrix Number(double value) => new(1, 1, [value]);
}
