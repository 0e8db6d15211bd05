using Gradpath.Diagnostics.Ops;
using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Diagnostics.Tests.Ops;

/// <summary>The comparison of devices: the CPU agrees with itself, and what is wrong is seen.</summary>
public sealed class OpComparisonTests
{
    public static TheoryData<string> Families => [.. OpCatalog.Checks.Select(c => c.Family).Distinct()];

    /// <summary>One thread and three, with other loops for the matrix product.</summary>
    [Theory]
    [MemberData(nameof(Families))]
    public void Two_cpu_devices_agree(string family)
    {
        using CpuDevice reference = new(1);
        using CpuDevice device = new(3, GemmKernel.Scalar);
        foreach (OpCheck check in OpCatalog.Checks.Where(c => c.Family == family))
        {
            OpOutcome outcome = OpComparison.Run(check, reference, device, OpCatalog.Seeds(12, 2));
            Assert.True(
                outcome.Passed, $"{check.Op}: {outcome.Fault} (largest error {outcome.LargestError:G3}, allowed {check.Allowed:G3})");
        }
    }

    [Fact]
    public void A_wrong_value_an_unwritten_one_and_a_written_guard_are_faults()
    {
        OpOutcome Of(Action<Device, OpOperands, bool> work, double allowed)
        {
            using CpuDevice reference = new(1), device = new(1);
            return OpComparison.Run(Check(allowed, (d, x) => work(d, x, ReferenceEquals(d, device))), reference, device, [0, 1, 2]);
        }
        Assert.True(Of((d, x, _) => d.Fill(x.Out(9), 2, 9), 0).Passed);
        OpOutcome wrong = Of((d, x, tested) => d.Fill(x.Out(9), tested ? 2.0002f : 2, 9), 5e-5);
        Assert.Equal(1e-4, wrong.LargestError, 1e-6);
        Assert.Contains("2.0002", wrong.Fault, StringComparison.Ordinal);
        Assert.True(Of((d, x, tested) => d.Fill(x.Out(9), tested ? 2.0002f : 2, 9), 2e-4).Passed);
        Assert.Contains(
            "untouched instead of 2", Of((d, x, tested) => d.Fill(x.Out(9), 2, tested ? 8 : 9), 1).Fault, StringComparison.Ordinal);
        Assert.Contains(
            "2 instead of untouched", Of((d, x, tested) => d.Fill(x.Out(9), 2, tested ? 9 : 8), 1).Fault, StringComparison.Ordinal);
        Assert.Contains("NaN", Of((d, x, tested) => d.Fill(x.Out(9), tested ? float.NaN : 2, 9), 1).Fault, StringComparison.Ordinal);
    }

    [Fact]
    public void A_result_that_does_not_repeat_is_a_fault_however_small_the_difference()
    {
        using CpuDevice reference = new(1), device = new(1);
        int calls = 0;
        OpCheck check = Check(1, (d, x) => d.Fill(x.Out(9), ReferenceEquals(d, device) && ++calls == 2 ? MathF.BitIncrement(2) : 2, 9));
        Assert.Contains("in the next", OpComparison.Run(check, reference, device, [0]).Fault, StringComparison.Ordinal);
    }

    [Fact]
    public void Seeds_draw_the_least_shapes_odd_ones_and_large_ones()
    {
        using CpuDevice device = new(1);
        OpCheck gemm = OpCatalog.Checks.Single(c => c.Op == "Gemm");
        Assert.All(gemm.Run(device, 0), operand => Assert.InRange(operand.Length, 1, 40));
        Assert.Contains(Enumerable.Range(OpCatalog.LargeSeeds, 8), seed => gemm.Run(device, seed)[2].Length > 128 * 128);
        Assert.All(Enumerable.Range(1, 40), seed => Assert.InRange(gemm.Run(device, seed)[2].Length, 1, 90 * 90));
    }

    private static OpCheck Check(double allowed, Action<Device, OpOperands> work) => new("Test", "Fill", allowed, (device, seed) =>
    {
        using OpOperands operands = new(device, seed);
        work(device, operands);
        return operands.All();
    });
}
