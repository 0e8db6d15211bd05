using Gradpath.Diagnostics.Ops;
using Gradpath.Kernels.Cuda;
using Gradpath.PtxEmulator;
using Gradpath.PtxEmulator.Survey;
using Xunit.Abstractions;

namespace Gradpath.Cuda.Tests;

/// <summary>Registers and shared memory of every launch, on every GPU that kernels are assembled for.</summary>
public sealed class TargetTests(ITestOutputHelper output)
{
    public static TheoryData<int> Targets => [.. GpuTarget.All.Select(t => t.Capability)];

    /// <summary>Every kernel at its representative shape, and every op in every way of calling it: checked and not run.</summary>
    [Theory]
    [MemberData(nameof(Targets))]
    public void Every_launch_fits(int capability)
    {
        GpuTarget target = GpuTarget.All.Single(t => t.Capability == capability);
        using var driver = new EmulatedDriver(EmulatorOptions.Of(target) with { DryRun = true });
        using (var device = new CudaDevice(driver, 0))
        {
            foreach (OpCheck check in OpCatalog.Checks)
            {
                foreach (int seed in OpCatalog.Seeds(6, 1)) check.Run(device, seed);
            }
            foreach (KernelCase kernel in OpCatalog.Kernels.Where(k => Fits(k, target)))
            {
                using var operands = new KernelOperands(device);
                kernel.Run(operands);
                device.Synchronize();
            }
        }
        IEnumerable<string> launched = driver.Shapes.Select(s => s.Kernel);
        string[] never = [.. OpCatalog.Kernels.Where(k => Fits(k, target)).Select(k => k.Kernel).Except(launched)];
        output.WriteLine($"{target.Name}: {driver.Shapes.Count} kernels with their block sizes");
        Assert.True(never.Length == 0, $"not launched: {string.Join(' ', never)}");
    }

    // A tile of more shared memory than the GPU's is never chosen there.
    private static bool Fits(KernelCase kernel, GpuTarget target) => (!kernel.NeedsSm90a || target.Capability == 90)
        && Enum.GetValues<GemmArithmetic>().All(a => GemmTile.Of(a, packed: true).ToArray().All(t => ((bool[])[false, true]).All(b =>
            t.KernelName(b) != kernel.Kernel || t.SharedBytes(b) <= target.SharedMemoryPerMultiprocessor - 1024)));

    [Fact]
    public void The_table_of_registers_names_kernels_that_are_there() =>
        Assert.All(AssembledRegisters.Kernels, k => Assert.Contains(k, KernelSurvey.Resources.Keys));
}
