using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels.Cuda;

namespace Gradpath.Cuda.Tests;

/// <summary>Passes replayed as graphs give the bits of direct launches, and save them.</summary>
public class GraphTests
{
    [Theory]
    [InlineData(AttributionMethod.EapIg, PathOuter.Delta)]
    [InlineData(AttributionMethod.EapIgActivations, PathOuter.Delta)]
    [InlineData(AttributionMethod.EapGp, PathOuter.Delta)]
    [InlineData(AttributionMethod.EapGp, PathOuter.Path)]
    [InlineData(AttributionMethod.Magnitude, PathOuter.Delta)]
    [InlineData(AttributionMethod.InformationFlowRoutes, PathOuter.Delta)]
    public void ReplayedPassesEqualDirectOnes(AttributionMethod method, PathOuter outer)
    {
        // Five batches of two of one shape and one of another.
        AttributionOptions options = new() { Method = method, Steps = 3, BatchSize = 2, PathOuter = outer };
        PromptPair[] pairs = TinyRuns.Pairs(3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4, 5);
        (AttributionResult direct, int launches, _) = Run(graphs: false, cache: true);
        (AttributionResult replayed, int fewer, int graphs) = Run(graphs: true, cache: true);
        (AttributionResult uncached, _, _) = Run(graphs: true, cache: false);
        Assert.Equal(direct.Scores, replayed.Scores);
        Assert.Equal(direct.CleanMetric, replayed.CleanMetric);
        Assert.Equal(direct.Scores, uncached.Scores);
        Assert.True(graphs > 0, "no graph was launched");
        Assert.True(fewer + graphs < 0.8 * launches, $"{fewer} launches and {graphs} graphs in place of {launches} launches");

        (AttributionResult Result, int Launches, int Graphs) Run(bool graphs, bool cache)
        {
            using EmulatedGpu gpu = new(new CudaOptions { Graphs = graphs, CacheMemory = cache });
            AttributionResult result;
            int launches, replays;
            using (Gpt2Weights model = TinyRuns.Model(gpu.Device))
            {
                result = TinyRuns.Score(model, options, pairs);
                (launches, replays) = (gpu.Driver.Calls("Launch"), gpu.Driver.Calls("LaunchGraph"));
                Assert.DoesNotContain(gpu.Driver.Live, l => l.StartsWith("graph", StringComparison.Ordinal));
            }
            gpu.Device.Dispose();
            Assert.Empty(gpu.Driver.Live);
            return (result, launches, replays);
        }
    }
}
