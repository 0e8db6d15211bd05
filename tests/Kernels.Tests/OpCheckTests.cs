using System.Reflection;
using Gradpath.Kernels.Checks;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Kernels.Tests;

/// <summary>The comparison of devices: it holds every op, the CPU agrees with itself, and it sees what is wrong.</summary>
public sealed class OpCheckTests
{
    // Memory, time and order, not compute.
    private static readonly string[] s_memory = ["Adopt", "Upload", "Download", "Allocate", "AllocateArray", "Store", "StoreTensor", "ResetPeak", "Synchronize", "Time", "Replay", "Dispose"];

    public static TheoryData<string> Families => [.. OpChecks.All.Select(c => c.Family).Distinct()];

    [Fact]
    public void Every_op_of_the_device_is_checked()
    {
        string[] ops = [.. typeof(Device)
            .GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            .Where(m => !m.IsSpecialName && !s_memory.Contains(m.Name))
            .Select(m => m.Name)
            .Distinct()
            .Order()];
        Assert.Equal(ops, OpChecks.All.Select(c => c.Method).Distinct().Order());
        Assert.Equal(OpChecks.All.Count, OpChecks.All.Select(c => c.Op).Distinct().Count());
    }

    /// <summary>One thread and three, with other loops for the matrix product.</summary>
    [Theory]
    [MemberData(nameof(Families))]
    public void Two_cpu_devices_agree(string family)
    {
        using CpuDevice reference = new(1);
        using CpuDevice device = new(3, GemmKernel.Scalar);
        foreach (OpCheck check in OpChecks.All.Where(c => c.Family == family))
        {
            OpOutcome outcome = OpComparison.Run(check, reference, device, OpChecks.Seeds(12, 2));
            Assert.True(outcome.Passed, $"{check.Op}: {outcome.Fault} (largest error {outcome.LargestError:G3}, allowed {check.Allowed:G3})");
        }
    }

    [Fact]
    public void A_wrong_value_an_unwritten_one_and_a_written_guard_are_faults()
    {
        OpOutcome Of(Action<Device, OpOperands, bool> work, double allowed)
        {
            using CpuDevice reference = new(1), device = new(1);
            OpCheck check = OpChecks.Check("Test", "Fill", allowed, (d, x) => work(d, x, ReferenceEquals(d, device)));
            return OpComparison.Run(check, reference, device, [0, 1, 2]);
        }
        Assert.True(Of((d, x, _) => d.Fill(x.Out(9), 2, 9), 0).Passed);
        OpOutcome wrong = Of((d, x, tested) => d.Fill(x.Out(9), tested ? 2.0002f : 2, 9), 5e-5);
        Assert.Equal(1e-4, wrong.LargestError, 1e-6);
        Assert.Contains("2.0002", wrong.Fault, StringComparison.Ordinal);
        Assert.True(Of((d, x, tested) => d.Fill(x.Out(9), tested ? 2.0002f : 2, 9), 2e-4).Passed);
        Assert.Contains("untouched instead of 2", Of((d, x, tested) => d.Fill(x.Out(9), 2, tested ? 8 : 9), 1).Fault, StringComparison.Ordinal);
        Assert.Contains("2 instead of untouched", Of((d, x, tested) => d.Fill(x.Out(9), 2, tested ? 9 : 8), 1).Fault, StringComparison.Ordinal);
        Assert.Contains("NaN", Of((d, x, tested) => d.Fill(x.Out(9), tested ? float.NaN : 2, 9), 1).Fault, StringComparison.Ordinal);
    }

    [Fact]
    public void A_result_that_does_not_repeat_is_a_fault_however_small_the_difference()
    {
        using CpuDevice reference = new(1), device = new(1);
        int calls = 0;
        OpCheck check = OpChecks.Check("Test", "Fill", 1, (d, x) => d.Fill(x.Out(9), ReferenceEquals(d, device) && ++calls == 2 ? MathF.BitIncrement(2) : 2, 9));
        Assert.Contains("in the next", OpComparison.Run(check, reference, device, [0]).Fault, StringComparison.Ordinal);
    }

    [Fact]
    public void Seeds_draw_the_least_shapes_odd_ones_and_large_ones()
    {
        using CpuDevice device = new(1);
        OpCheck gemm = OpChecks.All.Single(c => c.Op == "Gemm");
        Assert.All(gemm.Run(device, 0), operand => Assert.InRange(operand.Length, 1, 40));
        Assert.Contains(Enumerable.Range(OpChecks.LargeSeeds, 8), seed => gemm.Run(device, seed)[2].Length > 128 * 128);
        Assert.All(Enumerable.Range(1, 40), seed => Assert.InRange(gemm.Run(device, seed)[2].Length, 1, 90 * 90));
    }
}
