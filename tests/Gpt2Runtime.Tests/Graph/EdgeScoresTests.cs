using System.Numerics.Tensors;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Tests.Graph;

public sealed class EdgeScoresTests
{
    [Fact]
    public void Ranking_is_by_strength_and_ties_go_to_the_lowest_position()
    {
        EdgeScores zeros = ScoreSamples.Zeros(new ComputationGraph(1, 2));
        EdgeScores scores = ScoreSamples.Changed(zeros, values =>
        {
            values[zeros.IndexOf(0, 3)] = -2;
            values[zeros.IndexOf(0, 1)] = 2;
            values[zeros.IndexOf(2, 7)] = 3;
        });

        ScoredEdge[] byStrength = scores.Strongest(5);
        Assert.Equal([(2, 7), (0, 1), (0, 3), (0, 0), (0, 2)], byStrength.Select(e => (e.Row, e.Column)));
        Assert.Equal([3f, 2f, -2f, 0f, 0f], byStrength.Select(e => e.Score));
        Assert.Equal([3f, 2f, 0f], scores.Strongest(3, bySign: true).Select(e => e.Score));
        Assert.Equal(-2f, scores.Strongest(1000, bySign: true)[^1].Score);
    }

    [Fact]
    public void Ranking_agrees_with_a_plain_sort()
    {
        EdgeScores scores = ScoreSamples.Random(new ComputationGraph(3, 4), 5);
        foreach (bool bySign in new[] { false, true })
        {
            int[] plain = [.. scores.Graph.Edges.Select(e => scores.IndexOf(e.Row, e.Column))
                .OrderByDescending(i => bySign ? scores.Values[i] : Math.Abs(scores.Values[i])).ThenBy(i => i)];
            Assert.Equal(plain, scores.Rank(scores.Graph.EdgeCount, bySign));
        }
    }

    [Fact]
    public void A_matrix_is_the_values_as_writers_by_readers()
    {
        EdgeScores scores = ScoreSamples.Random(new ComputationGraph(2, 3), 7);
        ReadOnlyTensorSpan<float> matrix = scores.Matrix;
        Assert.Equal([scores.Graph.Writers, scores.Graph.Readers], matrix.Lengths.ToArray());
        foreach ((int row, int column) in scores.Graph.Edges) Assert.Equal(scores[row, column], matrix[row, column]);
        Assert.Equal(scores.Values[^1], matrix[scores.Graph.Writers - 1, scores.Graph.Readers - 1]);
        Assert.Equal(TensorPrimitives.SumOfMagnitudes(scores.Values), Tensor.Sum<float>(Tensor.Abs<float>(matrix)), 0.001f);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(14)]
    public void Asking_for_more_edges_than_there_are_is_an_error(int count)
    {
        EdgeScores scores = ScoreSamples.Zeros(new ComputationGraph(1, 2));
        Assert.Equal(13, scores.Graph.EdgeCount);
        Assert.Contains("13", Assert.Throws<OptionException>(() => scores.Rank(count)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_score_that_is_not_a_number_is_refused_by_name()
    {
        EdgeScores zeros = ScoreSamples.Zeros(new ComputationGraph(1, 2));
        EdgeScores scores = ScoreSamples.Changed(zeros, values => values[zeros.IndexOf(1, 6)] = float.NaN);
        Assert.Contains("a0.h0->m0", Assert.Throws<GradpathException>(() => scores.Rank(1)).Message, StringComparison.Ordinal);
        Assert.Contains("a0.h0->m0", Assert.Throws<GradpathException>(scores.RequireFinite).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Scores_of_another_model_are_refused()
    {
        Gpt2Config config = new() { Layers = 1, Heads = 2, Width = 8, InnerWidth = 32, Positions = 16, Vocabulary = 11 };
        EdgeScores fitting = new(new ComputationGraph(config), new float[4 * 8]) { ModelWidth = 8 };
        fitting.RequireModel(config, "x.json");
        string message = Assert.Throws<GradpathException>(() => fitting.RequireModel(config with { Width = 16 }, "x.json")).Message;
        Assert.Contains("x.json", message, StringComparison.Ordinal);
        Assert.Contains("width 16", message, StringComparison.Ordinal);
        Assert.Throws<GradpathException>(() => fitting.RequireModel(config with { Layers = 2 }, "x.json"));
    }
}
