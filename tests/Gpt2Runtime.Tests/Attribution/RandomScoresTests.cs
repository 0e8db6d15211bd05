using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Tests.Attribution;

public sealed class RandomScoresTests : IDisposable
{
    private readonly OddModel _model = OddModel.Make("relu, unscaled attention");

    [Fact]
    public void Scores_depend_on_the_seed_alone()
    {
        AttributionOptions options = new() { Method = AttributionMethods.Random, Seed = 5 };
        AttributionResult mixed = _model.Score(_model.Mixed, options);
        AttributionResult equal = _model.Score(_model.Equal, options with { BatchSize = 1, Normalization = ScoreNormalization.Library });
        Assert.Equal(mixed.Edges(), equal.Edges());
        Assert.Equal(mixed.Nodes(), equal.Nodes());
        Assert.Empty(mixed.CleanMetric);
        float[] other = _model.Score(_model.Mixed, options with { Seed = 6 }).Edges();
        Assert.True(mixed.Edges().Zip(other).Count(p => p.First == p.Second && p.First != 0) < 3);
    }

    /// <summary>The first of SplitMix64's published outputs for seed 0: 0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4.</summary>
    [Fact]
    public void The_numbers_never_change()
    {
        float[] scores = _model.Score(_model.Equal, new AttributionOptions { Method = AttributionMethods.Random }).Edges();
        Assert.Equal((float)(((0xE220A8397B1DCDAFUL >> 41) + 0.5) / (1 << 23)), scores[0]);
        Assert.Equal((float)(((0x6E789E6AA1B965F4UL >> 41) + 0.5) / (1 << 23)), scores[1]);
    }

    [Fact]
    public void Scores_are_uniform_between_0_and_1()
    {
        ComputationGraph graph = new(_model.Weights.Config);
        AttributionResult result = _model.Score(_model.Equal, new AttributionOptions { Method = AttributionMethods.Random, Seed = 1 });
        float[] edges = [.. graph.Edges.Select(e => result.Scores[e.Row, e.Column])];
        Assert.All(edges.Concat(result.Nodes()), s => Assert.InRange(s, float.Epsilon, MathF.BitDecrement(1)));
        Assert.Equal(edges.Length, edges.Distinct().Count());
        Assert.InRange(edges.Average(), 0.45, 0.55);
        for (int tenth = 0; tenth < 10; tenth++)
            Assert.InRange(edges.Count(s => (int)(s * 10) == tenth) / (double)edges.Length, 0.05, 0.15);
    }

    public void Dispose() => _model.Dispose();
}
