using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Tests.Evaluation;

public sealed class GroundTruthOverlapTests
{
    private static readonly ComputationGraph s_graph = new(2, 1);

    [Fact]
    public void Ratios_are_those_of_the_sets()
    {
        GroundTruthOverlap overlap = GroundTruthOverlap.Compare(
            Parse("input->m0", "m0->m1", "m1->logits", "input->logits"),
            Parse("input->a0.h0<q>", "a0.h0->m1", "m0->m1", "m1->logits", "input->m0"));
        Assert.Equal(new SetOverlap(3, 4, 5), overlap.Edges);
        Assert.Equal(new SetOverlap(3, 3, 4), overlap.Nodes);
        Assert.Equal(0.75, overlap.Edges.Precision);
        Assert.Equal(0.6, overlap.Edges.Recall);
        Assert.Equal(2 * 0.75 * 0.6 / 1.35, overlap.Edges.F1, 1e-15);
        Assert.Equal(0.5, overlap.Edges.Jaccard);
    }

    [Fact]
    public void Mlps_can_be_left_out()
    {
        GroundTruthOverlap overlap = GroundTruthOverlap.Compare(
            Parse("input->m0", "m0->m1", "input->a1.h0<k>", "a1.h0->logits"),
            Parse("m0->m1", "input->a1.h0<v>", "a1.h0->logits", "m0->a1.h0<q>"), withoutMlps: true);
        Assert.Equal(new SetOverlap(1, 2, 2), overlap.Edges);
        Assert.Equal(new SetOverlap(2, 2, 2), overlap.Nodes);
        int without = GroundTruth.Ioi.Circuit.Edges.Count() - 123 - 12 - 567 - 66 - 12;
        Assert.Equal(without, GroundTruthOverlap.Compare(GroundTruth.Ioi.Circuit, GroundTruth.Ioi.Circuit, withoutMlps: true).Edges.Shared);
    }

    [Fact]
    public void Nothing_in_common_and_nothing_at_all_have_no_surprises()
    {
        Circuit empty = Parse(), some = Parse("input->logits");
        Assert.Equal(0, GroundTruthOverlap.Compare(empty, some).Edges.Recall);
        Assert.Equal(0, GroundTruthOverlap.Compare(empty, some).Edges.F1);
        Assert.True(double.IsNaN(GroundTruthOverlap.Compare(empty, some).Edges.Precision));
        Assert.True(double.IsNaN(GroundTruthOverlap.Compare(empty, empty).Edges.Jaccard));
    }

    [Fact]
    public void Circuits_of_other_models_are_refused()
    {
        Circuit small = Parse("input->logits");
        string message = Assert.Throws<GradpathException>(() => GroundTruthOverlap.Compare(small, GroundTruth.Ioi.Circuit)).Message;
        Assert.Contains("2 layers x 1 heads", message, StringComparison.Ordinal);
        Assert.Contains("12 layers x 12 heads", message, StringComparison.Ordinal);
        Assert.Throws<GradpathException>(
            () => RocCurve.Of(new EdgeScores(s_graph, new float[s_graph.Writers * s_graph.Readers]), GroundTruth.Ioi.Circuit));
        Assert.Throws<GradpathException>(() => RocPoint.Of(small, GroundTruth.Ioi.Circuit));
    }

    private static Circuit Parse(params string[] edges) => Circuit.Of(s_graph, edges.Select(name =>
    {
        Assert.True(s_graph.TryParseEdge(name, out int row, out int column), name);
        return (row, column);
    }));
}
