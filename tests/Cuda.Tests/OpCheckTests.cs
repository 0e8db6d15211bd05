using Gradpath.Diagnostics.Ops;
using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;
using Gradpath.Kernels.Tests;

namespace Gradpath.Cuda.Tests;

/// <summary>Every op in every way of calling it, on random shapes: the emulated GPU against the processor.</summary>
public sealed class OpCheckTests
{
    // Odd seeds let tensors start at any element, where no access of four floats is possible.
    private const int Seeds = 8;

    public static TheoryData<string> Ops => [.. OpCatalog.Checks.Select(c => c.Op)];

    [Theory]
    [MemberData(nameof(Ops))]
    public void The_gpu_agrees_with_the_processor(string op)
    {
        using CpuDevice reference = new(1);
        using Device device = OpDevices.All[0]();
        OpCheck check = OpCatalog.Checks.Single(c => c.Op == op);
        // Large products take the emulator long, and have tests of their own.
        OpOutcome outcome = OpComparison.Run(check, reference, device, OpCatalog.Seeds(Seeds, check.Family == "Gemm" ? 0 : 1));
        Assert.True(outcome.Passed, $"{outcome.Fault} (largest error {outcome.LargestError:G3}, allowed {check.Allowed:G3})");
    }
}
