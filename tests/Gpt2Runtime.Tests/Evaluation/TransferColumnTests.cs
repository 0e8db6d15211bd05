using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Tests.Evaluation;

/// <summary>What circuits do on a task's prompts, against evaluations of them and of their complements.</summary>
public sealed class TransferColumnTests : IDisposable
{
    private readonly OddModel _odd = OddModel.Make("untied, erf");

    public void Dispose() => _odd.Dispose();

    [Theory]
    [InlineData(Ablation.Patching, "logit-diff")]
    [InlineData(Ablation.Zero, "prob-diff")]
    public void A_column_has_each_circuit_and_its_complement(Ablation ablation, string metric)
    {
        var graph = new ComputationGraph(_odd.Weights.Config);
        Circuit[] circuits = [.. new[] { 5, 20, graph.EdgeCount - 3 }.Select(n => RandomCircuits.OfSize(graph, n, (ulong)n))];
        EvaluationOptions options = new() { Ablation = ablation, Metric = BuiltInMetrics.Find(metric) };
        PromptSet prompts = PromptSet.Of(_odd.Mixed);
        var column = TransferColumn.Measure(_odd.Weights, prompts, circuits, options, seed: 4);
        EvaluationResult inside = CircuitEvaluation.Evaluate(_odd.Weights, prompts, circuits, options);
        Circuit[] others = [.. circuits.Select(c => Circuit.Of(graph, graph.Edges.Where(e => !c.Contains(e.Row, e.Column))))];
        EvaluationResult outside = CircuitEvaluation.Evaluate(_odd.Weights, prompts, others, options);
        Assert.Equal(inside.Full.Metric, column.Full);
        Assert.Equal(inside.Empty.Metric, column.Empty);
        for (int c = 0; c < circuits.Length; c++)
        {
            TransferEffect effect = column.Effects[c];
            Assert.Equal(Faithfulness.Of(inside.Full, inside.Circuits[c], inside.Empty), effect.Faithfulness, 6);
            Assert.Equal(1 - Faithfulness.Of(outside.Full, outside.Circuits[c], outside.Empty), effect.Damage, 6);
            Assert.InRange(effect.Faithfulness, effect.Low - 1e-9, effect.High + 1e-9);
            Assert.True(effect.DamageLow <= effect.DamageHigh);
        }
    }

    /// <summary>The whole model is faithful and all damage; nothing is neither.</summary>
    [Fact]
    public void All_edges_and_none_are_the_ends()
    {
        var graph = new ComputationGraph(_odd.Weights.Config);
        var column = TransferColumn.Measure(
            _odd.Weights, PromptSet.Of(_odd.Mixed), [Circuit.Of(graph, graph.Edges), Circuit.Of(graph, [])], new EvaluationOptions());
        Assert.Equal((1.0, 1.0), (Math.Round(column.Effects[0].Faithfulness, 4), Math.Round(column.Effects[0].Damage, 4)));
        Assert.Equal((0.0, 0.0), (Math.Round(column.Effects[1].Faithfulness, 4), Math.Round(column.Effects[1].Damage, 4)));
    }

    [Fact]
    public void A_small_effect_of_everything_is_unsteady()
    {
        static TransferColumn Of(params double[] full) => new(full, new double[full.Length], [], 1, 0);

        Assert.False(Of(1, 1.1, 0.9).IsUnsteady);
        Assert.True(Of(1, -1, 0.5).IsUnsteady);
        Assert.False(Of(0.001, 0.0011, 0.0012).IsUnsteady);
        Assert.False(Of(1).IsUnsteady);
    }
}
