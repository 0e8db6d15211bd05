using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Tests.Evaluation;

/// <summary>Random subsets of the edges that a ranking leaves out, against evaluations and exact patching.</summary>
public sealed class MissedEdgesTests : IDisposable
{
    private readonly OddModel _odd = OddModel.Make("head bias");

    public void Dispose() => _odd.Dispose();

    [Theory]
    [InlineData(Ablation.Patching, "logit-diff")]
    [InlineData(Ablation.Zero, "kl")]
    public void A_subset_has_the_effect_of_the_circuit_without_it(Ablation ablation, string metric)
    {
        EvaluationOptions evaluation = new() { Ablation = ablation, Metric = BuiltInMetrics.Find(metric) };
        EdgeScores scores = Exact();
        MissedEdgesOptions options = new() { Evaluation = evaluation, Checks = 12, Share = 0.25, Found = 7, Seed = 5 };
        MissedEdges missed = MissedEdges.Measure(_odd.Weights, PromptSet.Of(_odd.Mixed), scores, options);
        ComputationGraph graph = scores.Graph;
        Assert.Equal(graph.EdgeCount - 7, missed.LeftOut.Count);
        Assert.DoesNotContain(missed.LeftOut, e => scores.Strongest(7).Any(s => (s.Row, s.Column) == e));
        IReadOnlyList<bool[]> has = Gpt2Runtime.Statistics.SubsetScreen.Draw(missed.LeftOut.Count, 12, 3, 5);
        Circuit[] circuits = [.. has.Select(h => Circuit.Of(graph, graph.Edges.Where(e =>
            !missed.LeftOut.Where((_, i) => h[i]).Contains((e.Row, e.Column)))))];
        EvaluationResult result = CircuitEvaluation.Evaluate(_odd.Weights, PromptSet.Of(_odd.Mixed), circuits, evaluation);
        int sign = BuiltInMetrics.Find(metric).LossSign;
        Assert.Equal(
            result.Circuits.Select(c => sign * (c.MeanMetric - result.Full.MeanMetric)), missed.Effects, (a, b) => Math.Abs(a - b) < 1e-9);
        Assert.Equal(sign * (result.Empty.MeanMetric - result.Full.MeanMetric), missed.Gap, 9);
    }

    /// <summary>A ranking that has lost its strongest edge, and one that has not.</summary>
    [Fact]
    public void An_edge_that_was_missed_is_seen()
    {
        EdgeScores exact = Exact();
        ScoredEdge strongest = exact.Strongest(1)[0];
        float[] values = exact.Values.ToArray();
        values[exact.IndexOf(strongest.Row, strongest.Column)] = 0;
        MissedEdgesOptions options = new() { Checks = 400, Found = 12, Share = 0.1, Seed = 2 };
        MissedEdges blind = MissedEdges.Measure(
            _odd.Weights, PromptSet.Of(_odd.Mixed), new EdgeScores(exact.Graph, values), options);
        MissedEdges sound = MissedEdges.Measure(_odd.Weights, PromptSet.Of(_odd.Mixed), exact, options);
        int first = Enumerable.Range(0, blind.LeftOut.Count).MaxBy(i => blind.Screen.Members[i].Limit(0.95));
        Assert.Equal((strongest.Row, strongest.Column), blind.LeftOut[first]);
        Assert.True(blind.Limit > Math.Abs(strongest.Score));
        Assert.True(sound.Limit < Math.Abs(strongest.Score), $"{sound.Limit} of {strongest.Score}");
        Assert.True(sound.Limit > Math.Abs(exact.Strongest(13)[12].Score));
    }

    [Fact]
    public void Options_that_cannot_be_used_are_refused()
    {
        Refused(new() { Checks = 10, Share = 0.1 }, "Checks 10", "takes 15");
        Refused(new() { Checks = 4, Share = 0.7 }, "Share 0.7");
        Refused(new() { Found = 100_000 }, "Found 100000", "must be from 1 to");
        Refused(new() { Level = 0.4 }, "level");

        void Refused(MissedEdgesOptions options, params string[] parts)
        {
            string message = Assert.Throws<OptionException>(
                () => MissedEdges.Measure(_odd.Weights, PromptSet.Of(_odd.Mixed), Exact(), options)).Message;
            foreach (string part in parts) Assert.Contains(part, message, StringComparison.Ordinal);
        }
    }

    private EdgeScores Exact() => _odd.Score(_odd.Mixed, new AttributionOptions { Method = AttributionMethods.Exact }).Scores;
}
