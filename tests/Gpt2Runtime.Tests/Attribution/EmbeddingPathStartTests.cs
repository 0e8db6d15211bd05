using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Gpt2Runtime.Tokenization;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Gpt2Runtime.Tests.Attribution;

/// <summary>Paths of EAP-GP that start at either end, pair by pair, on the demo model, where pairs of ioi are of both kinds.</summary>
public sealed class EmbeddingPathStartTests : IDisposable
{
    private readonly CpuDevice _device = new(2);
    private readonly Gpt2Weights _weights;
    private readonly PromptSet _prompts;

    public EmbeddingPathStartTests()
    {
        string directory = Path.Combine(RepositoryFiles.Root, "models/demo");
        _weights = Gpt2Checkpoint.Open(directory).LoadWeights(_device);
        _prompts = PromptLoader.Load("ioi", null, BpeTokenizer.Load(directory), new PromptOptions
        {
            Limit = 16,
            Metric = BuiltInMetrics.ProbabilityDifference,
        });
    }

    public void Dispose()
    {
        _weights.Dispose();
        _device.Dispose();
    }

    [Theory]
    [InlineData(EmbeddingPathOuter.Delta)]
    [InlineData(EmbeddingPathOuter.Path)]
    public void A_batch_of_both_kinds_is_its_two_parts(EmbeddingPathOuter outer)
    {
        AttributionResult both = Run(_prompts.Pairs, new() { Outer = outer });
        bool[] fromClean = [.. both.EmbeddingPath!.Where(p => p.Step == 0).OrderBy(p => p.Item).Select(p => p.FromClean < 1e-6)];
        Assert.Contains(true, fromClean);
        Assert.Contains(false, fromClean);
        Assert.All(both.EmbeddingPath!.Where(p => p.Step == 0), p => Assert.Equal(0, fromClean[p.Item] ? p.FromClean : p.FromCorrupted));
        Assert.All(both.EmbeddingPath!, p => Assert.Equal(
            fromClean[p.Item] ? EmbeddingPathStart.Clean : EmbeddingPathStart.Corrupted, p.Start));
        PromptPair[] clean = [.. _prompts.Pairs.Where((_, i) => fromClean[i])];
        PromptPair[] corrupted = [.. _prompts.Pairs.Where((_, i) => !fromClean[i])];
        AttributionResult saturated = Run(clean, new()
        {
            Outer = outer,
            Start = EmbeddingPathStart.Clean,
            Direction = EmbeddingPathDirection.Mixed,
        });
        AttributionResult others = Run(corrupted, new()
        {
            Outer = outer,
            Start = EmbeddingPathStart.Corrupted,
            Direction = EmbeddingPathDirection.Line,
        });
        double largest = both.Scores.Values.ToArray().Max(v => Math.Abs(v));
        for (int e = 0; e < both.Scores.Values.Length; e++)
        {
            double expected = ((clean.Length * (double)saturated.Scores.Values[e]) + (corrupted.Length * (double)others.Scores.Values[e]))
                / _prompts.Pairs.Count;
            Assert.Equal(expected, both.Scores.Values[e], 1e-4 * largest);
        }
        Assert.Equal(saturated.CleanMetric, Of(both.CleanMetric, true), Near);
        Assert.Equal(others.CorruptedMetric, Of(both.CorruptedMetric, false), Near);

        double[] Of(IReadOnlyList<double> metric, bool kind) => [.. metric.Where((_, i) => fromClean[i] == kind)];

        static bool Near(double a, double b) => Math.Abs(a - b) < 1e-5;
    }

    // The clean run is the minimum of a divergence from it: no gradient there.
    [Fact]
    public void With_a_divergence_every_pair_starts_at_the_clean_end()
    {
        AttributionOptions options = new() { Method = AttributionMethods.EapGp, Metric = BuiltInMetrics.KlDivergence, RecordPath = true };
        AttributionResult result = EdgeAttribution.Run(_weights, _prompts, options);
        Assert.All(result.EmbeddingPath!.Where(p => p.Step == 0), p => Assert.Equal(0, p.FromClean));
    }

    private AttributionResult Run(IReadOnlyList<PromptPair> pairs, EmbeddingPathOptions path) => EdgeAttribution.Run(
        _weights, _prompts with { Pairs = pairs }, new() { Method = AttributionMethods.EapGp, EmbeddingPath = path, RecordPath = true });
}
