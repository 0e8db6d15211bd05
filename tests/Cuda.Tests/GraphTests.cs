using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels.Cuda;

namespace Gradpath.Cuda.Tests;

/// <summary>Passes replayed as graphs give the bits of direct launches, and save them.</summary>
public sealed class GraphTests
{
    [Theory]
    [InlineData("eap-ig", EmbeddingPathOuter.Delta)]
    [InlineData("eap-ig-activations", EmbeddingPathOuter.Delta)]
    [InlineData("eap-gp", EmbeddingPathOuter.Delta)]
    [InlineData("eap-gp", EmbeddingPathOuter.Path)]
    [InlineData("magnitude", EmbeddingPathOuter.Delta)]
    [InlineData("information-flow-routes", EmbeddingPathOuter.Delta)]
    public void Replayed_passes_equal_direct_ones(string name, EmbeddingPathOuter outer)
    {
        AttributionMethod method = AttributionMethods.Find(name);
        // Six batches of two of one shape, of which the first are direct, and one of another.
        EmbeddingPathOptions? path = outer == EmbeddingPathOuter.Delta ? null : new() { Outer = outer };
        AttributionOptions options = TinyRuns.Options(method, 3) with { BatchSize = 2, EmbeddingPath = path };
        PromptPair[] pairs = TinyRuns.Pairs(3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4, 5);
        (AttributionResult direct, int launches, _) = Run(graphs: false, cache: true);
        (AttributionResult replayed, int fewer, int graphs) = Run(graphs: true, cache: true);
        (AttributionResult uncached, _, _) = Run(graphs: true, cache: false);
        Assert.Equal(direct.Edges(), replayed.Edges());
        Assert.Equal(direct.CleanMetric.AsSpan(), replayed.CleanMetric.AsSpan());
        Assert.Equal(direct.Edges(), uncached.Edges());
        Assert.True(graphs > 0, "no graph was launched");
        Assert.True(fewer + graphs < 0.9 * launches, $"{fewer} launches and {graphs} graphs in place of {launches} launches");

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
