using Gradpath.Cuda.Tests.Driver;
using Gradpath.Diagnostics.SelfTest;
using Gradpath.Kernels.Cpu;
using Gradpath.Kernels.Cuda;
using Gradpath.Kernels.Cuda.Driver;
using Gradpath.PtxEmulator;
using Gradpath.PtxEmulator.Survey;
using Xunit.Abstractions;

namespace Gradpath.Cuda.Tests;

/// <summary>The self-test of a GPU: it launches every kernel, and a fault in one check leaves the others.</summary>
public sealed class SelfTestStagesTests(ITestOutputHelper output)
{
    /// <summary>No kernel runs here, so that nothing agrees; what counts is which ones were launched.</summary>
    [Fact]
    public void Every_EntryPoint_of_the_shipped_PTX_is_launched()
    {
        // Of the capability that every file is for.
        HostDriver host = new();
        host.Devices[0] = host.Devices[0] with { Major = 9, SharedMemoryPerBlock = 227 << 10 };
        WatchedDriver driver = new(host);
        using CpuDevice reference = new(1);
        using TestedDevice tested = new(() => new CudaDevice(driver, 0));
        using SelfTestRun run = new(tested, reference, CancellationToken.None) { Shape = "tiny" };
        foreach (SelfTestStage stage in SelfTestStages.All)
        {
            HashSet<string> before = [.. driver.Launched];
            long start = System.Diagnostics.Stopwatch.GetTimestamp();
            IReadOnlyList<ComparisonLine> lines = stage.Run(run);
            output.WriteLine(
                $"{stage.Name}: {lines.Count} checks, {driver.Launched.Count - before.Count} kernels more, "
                + $"{System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s");
        }
        string[] entries = [.. CudaDevice.ModuleFiles.SelectMany(CudaDevice.EntryPoints)];
        Assert.Equal(KernelSurvey.Resources.Keys.Order(), entries.Order());
        Assert.Empty(entries.Except(driver.Launched));
    }

    /// <summary>Where a broken context cannot be replaced, each stage says so once.</summary>
    [Fact]
    public void A_device_that_cannot_be_opened_again_ends_a_stage_in_one_more_line()
    {
        WatchedDriver driver = new(new HostDriver());
        using CpuDevice reference = new(1);
        using TestedDevice tested = new(() => new CudaDevice(driver, 0));
        using SelfTestRun run = new(tested, reference, CancellationToken.None);
        Assert.All(SelfTestStages.Modules.Run(run), l => Assert.Null(l.Fault));
        driver.KernelFault = _ => CudaResult.IllegalAddress;
        driver.Fault = (call, _) => call == "CreateContext" ? CudaResult.IllegalAddress : null;
        IReadOnlyList<ComparisonLine> plans = SelfTestStages.Plans.Run(run);
        Assert.Equal(2, plans.Count);
        Assert.Contains("the kernel gemmPlain could not be launched", plans[0].Fault, StringComparison.Ordinal);
        Assert.Contains(
            "50 checks of this stage are not done; try the stage plans in a new process", plans[1].Fault, StringComparison.Ordinal);
        Assert.Contains("a new process", Assert.Single(SelfTestStages.Graphs.Run(run)).Fault, StringComparison.Ordinal);
        (driver.KernelFault, driver.Fault) = (null, null);
        Assert.Equal(GraphChecks.Methods.Count, SelfTestStages.Graphs.Run(run).Count);
    }

    [Fact]
    public void GPT2s_shape_passes_in_small_on_the_emulated_GPU()
    {
        using CpuDevice reference = new(1);
        using EmulatedDriver driver = new(new EmulatorOptions { Races = false });
        using TestedDevice tested = new(() => new CudaDevice(driver, 0));
        using SelfTestRun run = new(tested, reference, CancellationToken.None) { Shape = "tiny" };
        IReadOnlyList<ComparisonLine> lines = SelfTestStages.Full.Run(run);
        foreach (ComparisonLine line in lines) output.WriteLine($"{line}");
        Assert.Equal(["gpt2 eap", "gpt2 eap-ig", "gpt2 eap-gp"], lines.Select(l => l.Name));
        Assert.All(lines, l =>
        {
            Assert.Null(l.Fault);
            Assert.InRange(l.Error, 1e-9, l.Allowed);
            Assert.Equal(18, l.Agreement!.Shared);
        });
    }

    [Fact]
    public void Forced_plans_and_graphs_pass_on_the_emulated_GPU()
    {
        using CpuDevice reference = new(1);
        using EmulatedDriver driver = new(new EmulatorOptions { Races = false });
        using TestedDevice tested = new(() => new CudaDevice(driver, 0));
        using SelfTestRun run = new(tested, reference, CancellationToken.None);
        foreach (SelfTestStage stage in (SelfTestStage[])[SelfTestStages.Modules, SelfTestStages.Plans, SelfTestStages.Graphs])
        {
            long start = System.Diagnostics.Stopwatch.GetTimestamp();
            IReadOnlyList<ComparisonLine> lines = stage.Run(run);
            foreach (ComparisonLine line in lines) output.WriteLine($"{line}");
            output.WriteLine($"{stage.Name}: {System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s");
            Assert.All(lines, l => Assert.Null(l.Fault));
        }
    }
}
