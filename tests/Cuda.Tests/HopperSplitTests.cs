using Gradpath.PtxEmulator.Execution;
using Xunit.Abstractions;

namespace Gradpath.Cuda.Tests;

/// <summary>The split and its bounds on tensor cores that add as those of compute capability 9.</summary>
public sealed class HopperSplitTests(ITestOutputHelper output) : SplitTests(output)
{
    private protected override TensorRounding? Rounding => TensorRounding.Hopper;
}
