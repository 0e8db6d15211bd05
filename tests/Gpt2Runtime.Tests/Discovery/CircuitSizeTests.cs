using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Gpt2Runtime.Tests.Discovery;

public sealed class CircuitSizeTests
{
    [Fact]
    public void A_sparsity_that_leaves_no_edge_is_refused_with_the_highest_that_leaves_one()
    {
        var graph = new ComputationGraph(4, 8);
        Assert.Equal(76, EdgePruning.CircuitSize(graph, 0.95));
        Assert.Equal(1, EdgePruning.CircuitSize(graph, 0.999341));
        string message = Assert.Throws<OptionException>(() => EdgePruning.CircuitSize(graph, 0.9999)).Message;
        Assert.Equal("Sparsity 0.9999 leaves none of the 1519 edges; the highest that leaves one is 0.999341", message);
    }
}
