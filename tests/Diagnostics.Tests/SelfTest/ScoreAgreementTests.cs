using Gradpath.Diagnostics.Bench;
using Gradpath.Diagnostics.SelfTest;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Kernels;

namespace Gradpath.Diagnostics.Tests.SelfTest;

public sealed class ScoreAgreementTests
{
    private static readonly ComputationGraph s_graph = new(Workloads.Shape("tiny"));

    // Scores that fall by a twentieth from edge to edge.
    private static float[] Scores => [.. Enumerable.Range(0, s_graph.EdgeCount).Select(i => MathF.Pow(0.95f, i) * (i % 2 == 0 ? 1 : -1))];

    [Fact]
    public void The_same_scores_agree_in_everything()
    {
        ScoreAgreement agreement = ScoreAgreement.Of(Scores, Scores);
        Assert.Equal((0, 18, 18, -1), (agreement.Error, agreement.Top, agreement.Shared, agreement.Worst));
        Assert.Equal(1, agreement.Correlation, 1e-12);
        Assert.Null(Fault(Scores, AttributionMethods.Eap));
    }

    [Fact]
    public void The_worst_edge_is_named()
    {
        float[] off = Scores;
        off[7] += 2e-4f;
        (int row, int column) = s_graph.Edges.ElementAt(7);
        string fault = Fault(off, AttributionMethods.Eap)!;
        Assert.StartsWith($"edge {s_graph.EdgeName(row, column)} is -0.69", fault, StringComparison.Ordinal);
        Assert.Contains(": 2.0e-04 of the largest score, allowed 1.0e-04", fault, StringComparison.Ordinal);

        // A path may be off by more, and by rounded factors still more.
        Assert.Null(Fault(off, AttributionMethods.EapGp));
        Assert.Null(Fault(off, AttributionMethods.Eap, MatrixPrecision.Tf32));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void What_is_no_number_is_a_fault_at_any_precision(float value)
    {
        float[] off = Scores;
        off[70] = value;
        foreach (MatrixPrecision precision in Enum.GetValues<MatrixPrecision>())
            Assert.NotNull(Fault(off, AttributionMethods.EapGp, precision));
    }

    [Fact]
    public void Scores_of_nothing_but_zeros_are_a_fault() =>
        Assert.Contains("correlation NaN", Fault(new float[s_graph.EdgeCount], AttributionMethods.EapGp, MatrixPrecision.BFloat16),
            StringComparison.Ordinal);

    [Fact]
    public void Correlation_and_the_strongest_edges_count_by_themselves()
    {
        float[] off = Scores;
        off[0] = 1 - 0.4f;
        ScoreAgreement agreement = ScoreAgreement.Of(Scores, off);
        Assert.Contains(
            "a correlation of 0.9", agreement.Fault(new ScoreBounds(0.5, 0.9999, 0.5), s_graph, Scores, off), StringComparison.Ordinal);
        float[] swapped = Scores;
        (swapped[17], swapped[18]) = (swapped[18], swapped[17]);
        agreement = ScoreAgreement.Of(Scores, swapped);
        Assert.Equal(17, agreement.Shared);
        Assert.Null(agreement.Fault(new ScoreBounds(1, 0.5, 0.99), s_graph, Scores, swapped));
        (swapped[16], swapped[19]) = (swapped[19], swapped[16]);
        agreement = ScoreAgreement.Of(Scores, swapped);
        Assert.Equal(
            "16 of the 18 strongest edges are the same, at least 99.0 % is needed",
            agreement.Fault(new ScoreBounds(1, 0.5, 0.99), s_graph, Scores, swapped));
    }

    [Theory]
    [InlineData("small")]
    [InlineData("xl")]
    public void Bounds_still_test_something_at_every_precision(string shape)
    {
        foreach (AttributionMethod method in ScoredModel.Methods)
        {
            ScoreBounds[] bounds = [.. ((MatrixPrecision[])[MatrixPrecision.Float32, MatrixPrecision.Tf32, MatrixPrecision.BFloat16])
                .Select(p => ScoreBounds.Of(method, p, Workloads.Shape(shape).Layers))];
            Assert.True(bounds[0].Error is 1e-4 or 1e-3);
            Assert.True(bounds[0].Error < bounds[1].Error && bounds[1].Error <= bounds[2].Error && bounds[2].Error <= 0.5);
            Assert.All(bounds, b => Assert.True(b is { Correlation: >= 0.85 and < 1, Overlap: >= 0.45 and < 1 }));
        }
    }

    private static string? Fault(float[] actual, AttributionMethod method, MatrixPrecision precision = MatrixPrecision.Float32) =>
        ScoreAgreement.Of(Scores, actual).Fault(ScoreBounds.Of(method, precision, s_graph.Layers), s_graph, Scores, actual);
}
