using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Gpt2Runtime.Tests.Evaluation;

public sealed class SparsityCurveTests
{
    [Fact]
    public void Areas_are_trapezoids_over_the_requested_fractions()
    {
        SparsityCurve curve = new(false, [Point(.1, 0), Point(.2, .5), Point(.5, 1.5), Point(1, 1)]);
        // .1 * .25 + .3 * 1 + .5 * 1.25
        Assert.Equal(.025 + .3 + .625, curve.Area, 12);
        // |1 - f| = 1, .5, .5, 0: .1 * .75 + .3 * .5 + .5 * .25
        Assert.Equal(.075 + .15 + .125, curve.AreaFromFull, 12);
        Assert.Equal(double.NaN, new SparsityCurve(true, [Point(1, 1)]).Area);
        SparsityCurves both = new(new SparsityCurve(true, [Point(0.5, 2), Point(1, 1)]), curve);
        Assert.Equal((.75, curve.AreaFromFull), (both.Cpr, both.Cmd));
    }

    [Fact]
    public void Every_point_is_the_evaluation_of_its_circuit()
    {
        var config = new Gpt2Config { Layers = 2, Heads = 2, Width = 16, InnerWidth = 32, Positions = 12, Vocabulary = 23 };
        ReferenceModel reference = ReferenceModel.Random(config, 4);
        PromptPair[] pairs = ReferencePrompts.Random(23, 5, 4, 9, 4);
        using var device = new CpuDevice(2);
        using Gpt2Weights weights = EngineModels.Weights(reference, device);
        var graph = new ComputationGraph(config);
        EdgeScores[] methods =
        [
            EdgeAttribution.Score(weights, PromptSet.Of(pairs), new AttributionOptions { Method = AttributionMethods.EapIg }),
            EdgeAttribution.Score(weights, PromptSet.Of(pairs), new AttributionOptions { Method = AttributionMethods.Random, Seed = 3 }),
        ];
        foreach (bool greedy in new[] { false, true })
        {
            SparsityOptions options = new() { Fractions = [1, .02, .3, .5, .3], Greedy = greedy };
            (IReadOnlyList<SparsityCurves> curves, EvaluationResult result) = SparsityCurves.Measure(
                weights, PromptSet.Of(pairs), methods, options);
            for (int m = 0; m < methods.Length; m++)
            {
                foreach (SparsityCurve curve in new[] { curves[m].ByScore, curves[m].ByMagnitude })
                {
                    Assert.Equal([.02, .3, .5, 1], curve.Points.Select(p => p.Fraction));
                    Assert.Equal([0, 13, 23, 46], curve.Points.Select(p => p.Edges));
                    Assert.Equal((0.0, 1.0), (curve.Points[0].Faithfulness, Math.Round(curve.Points[^1].Faithfulness, 6)));
                    foreach (SparsityPoint point in curve.Points)
                    {
                        Circuit selected = greedy
                            ? CircuitSelection.Greedy(methods[m], point.Edges, curve.BySign)
                            : CircuitSelection.TopEdges(methods[m], point.Edges, curve.BySign);
                        Circuit pruned = CircuitPruning.Prune(selected);
                        EvaluationResult alone = CircuitEvaluation.Evaluate(
                            weights, PromptSet.Of(pairs), [pruned], new EvaluationOptions());
                        Assert.Equal(pruned.EdgeCount, point.EdgesAfterPrune);
                        Near(Faithfulness.Of(alone.Full, alone.Circuits[0], alone.Empty), point.Faithfulness);
                        Assert.InRange(point.Faithfulness, point.Low - 1e-9, point.High + 1e-9);
                    }
                }
            }

            // Random scores have no sign, so both rankings are one; the empty and the full circuit are everybody's.
            Assert.Equal(curves[1].ByScore.Points, curves[1].ByMagnitude.Points);
            Assert.True(result.Circuits.Count <= 2 + (3 * 2));
        }
    }

    [Fact]
    public void Golden_selections_lie_on_the_curve()
    {
        GoldenSet set = GoldenSet.Read("nano-sort/sort_k2");
        using var device = new CpuDevice(2);
        using Gpt2Weights weights = EngineModels.Weights(ReferenceCheckpoint.Load(set.ModelDirectory), device);
        var graph = new ComputationGraph(weights.Config);
        EdgeScores scores = EdgeAttribution.Score(
            weights, PromptSet.Of(set.Pairs), new AttributionOptions { Method = AttributionMethods.EapIg });
        GoldenCircuit[] golden = [.. set.Circuits.Circuits.Where(c => c.Scores.ToString() == "EAP-IG-inputs/logit_diff/per_item_mean"
            && c.Select == "topn" && !c.Tie && c.N > 0)];
        Assert.NotEmpty(golden);
        // int(p E) is n again where p is a little more than n / E.
        double[] fractions = [.. golden.Select(c => Math.Min(1, (c.N + 0.5) / graph.EdgeCount)).Distinct()];
        (IReadOnlyList<SparsityCurves> curves, _) = SparsityCurves.Measure(
            weights, PromptSet.Of(set.Pairs), [scores], new SparsityOptions { Fractions = fractions });
        double full = set.Circuits.Full.LogitDiff.Average(), empty = set.Circuits.Empty.LogitDiff.Average();
        foreach (GoldenCircuit circuit in golden)
        {
            SparsityPoint point = (circuit.Absolute ? curves[0].ByMagnitude : curves[0].ByScore).Points.Single(p => p.Edges == circuit.N);
            Assert.Equal(circuit.AfterPrune.Length, point.EdgesAfterPrune);
            Near((circuit.Evaluation.LogitDiff.Average() - empty) / (full - empty), point.Faithfulness);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1.5)]
    [InlineData(double.NaN)]
    public void A_fraction_outside_its_range_is_refused(double fraction)
    {
        var config = new Gpt2Config { Layers = 1, Heads = 1, Width = 4, InnerWidth = 4, Positions = 8, Vocabulary = 11 };
        using var device = new CpuDevice(1);
        using Gpt2Weights weights = EngineModels.Weights(ReferenceModel.Random(config, 1), device);
        EdgeScores scores = new(new ComputationGraph(config), new float[3 * 5]);
        Assert.Throws<OptionException>(() => SparsityCurves.Measure(
            weights, PromptSet.Of(ReferencePrompts.Random(11, 2, 3, 4, 1)), [scores], new SparsityOptions { Fractions = [fraction] }));
    }

    private static void Near(double expected, double actual) => Assert.InRange(actual, expected - 1e-5, expected + 1e-5);

    private static SparsityPoint Point(double fraction, double faithfulness) =>
        new(fraction, 1, 1, faithfulness, faithfulness, faithfulness);
}
