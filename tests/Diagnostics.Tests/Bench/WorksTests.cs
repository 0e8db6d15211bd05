using Gradpath.Diagnostics.Bench;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Diagnostics.Tests.Bench;

public sealed class WorksTests
{
    private static readonly Gpt2Config s_tiny = Workloads.Shape("tiny");

    [Theory]
    [InlineData("W1")]
    [InlineData("W2")]
    [InlineData("W3")]
    [InlineData("W4")]
    [InlineData("W6")]
    [InlineData("W7")]
    public void Works_run(string name)
    {
        using CpuDevice device = new();
        using Gpt2Weights weights = RandomGpt2Weights.Create(s_tiny, 1, device);
        Work work = Works.Prepare(name, "tiny", weights, sample: false, CancellationToken.None);
        work.Run();
        work.Passes(1, null);
        Assert.True(work.Flops > 0);
        Assert.InRange(work.Bytes, 1, Works.WeightBytes(s_tiny));
        Assert.Null(work.WholeFlops);
    }

    /// <summary>The sample's scores are those of the whole; its flops are a part of the whole's.</summary>
    [Fact]
    public void A_sample_of_exact_patching_is_a_part_of_it()
    {
        using CpuDevice device = new();
        using Gpt2Weights weights = RandomGpt2Weights.Create(s_tiny, 1, device);
        var prompts = PromptSet.Of(Workloads.Pairs(3, 6, 4));
        AttributionOptions options = new() { Method = AttributionMethods.Exact };
        ComputationGraph graph = new(s_tiny);
        EdgeScores all = EdgeAttribution.Score(weights, prompts, options);
        EdgeScores part = EdgeAttribution.Run(weights, prompts, options, new ScoringHooks { OnlySublayers = s => s == 3 }).Scores;
        int column = graph.MlpColumn(1);
        double rounding = 1e-5 * all.Values.ToArray().Max(Math.Abs);
        for (int i = 0; i < all.Values.Length; i++)
        {
            if (i % graph.Readers == column) Assert.Equal(all.Values[i], (double)part.Values[i], rounding);
            else Assert.Equal(0, part.Values[i]);
        }
        Assert.True(part.Values.ContainsAnyExcept(0f));
        Work sample = Works.Prepare("W4", "tiny", weights, sample: true, CancellationToken.None);
        Work whole = Works.Prepare("W4", "tiny", weights, sample: false, CancellationToken.None);
        Assert.Equal(whole.Flops, sample.WholeFlops);
        Assert.InRange(sample.Flops, 1, whole.Flops / 2);
    }
}
