using Gradpath.Kernels.Cuda.Driver;
using static Gradpath.PtxEmulator.Tests.PtxRun;

namespace Gradpath.PtxEmulator.Tests;

/// <summary>A launch that a multiprocessor has no room for is refused as by a driver.</summary>
public sealed class LaunchRoomTests
{
    // Seventy numbers are read before the first is added: 70 registers and some, of which 64 would fit 1,024 threads.
    private static readonly string s_wide = Kernel(
        string.Concat(Enumerable.Range(0, 70).Select(i => $"ld.global.f32 %w{i}, [%rd0+{4 * i}];\n")) + "mov.f32 %f1, 0f00000000;\n"
        + string.Concat(Enumerable.Range(0, 70).Select(i => $"add.f32 %f1, %f1, %w{i};\n")) + "st.global.f32 [%rd1], %f1;",
        ".reg .f32 %w<70>;");

    private static EmulatorOptions Checked(bool resources) => new() { Resources = resources, Races = false };

    [Fact]
    public void More_registers_than_a_multiprocessor_has_are_refused()
    {
        CudaException fault = Fault(s_wide, inputBytes: 280, threads: 1024, options: Checked(resources: true));
        Assert.Equal(CudaResult.LaunchOutOfResources, fault.Result);
        Assert.Contains("registers in each of 1024 threads", fault.Message, StringComparison.Ordinal);
        Assert.Equal(4, Run(s_wide, new byte[280], 4, 1024, options: Checked(resources: false)).Length);
    }

    [Theory]
    [InlineData(768, true)]
    [InlineData(800, false)] // 25 warps count as 28
    public void Registers_are_given_to_warps_four_at_a_time(int threads, bool fits)
    {
        Action run = () => Run(s_wide, new byte[280], 4, threads, options: Checked(resources: true));
        if (fits) run();
        else Assert.Equal(CudaResult.LaunchOutOfResources, Assert.Throws<CudaException>(run).Result);
    }

    /// <summary>A compiler that knows the threads spills rather than make a kernel that cannot be launched.</summary>
    [Fact]
    public void Bounds_hold_the_registers_down()
    {
        string bounded = s_wide.Replace(".param .u64 out)\n", ".param .u64 out)\n.maxntid 1024, 1, 1\n", StringComparison.Ordinal);
        Assert.NotEqual(s_wide, bounded);
        Run(bounded, new byte[280], 4, 1024, options: Checked(resources: true));
    }

    [Theory]
    [InlineData(80, 163 * 1024)]
    [InlineData(86, 99 * 1024)]
    [InlineData(90, 227 * 1024)]
    [InlineData(120, 99 * 1024)]
    public void Shared_memory_is_that_of_the_target(int capability, int most)
    {
        using var driver = new EmulatedDriver(EmulatorOptions.Of(GpuTarget.All.Single(t => t.Capability == capability)));
        driver.CreateContext(0);
        nint stream = driver.CreateStream(), function = driver.GetFunction(
            driver.LoadModule("test.ptx", System.Text.Encoding.ASCII.GetBytes(Kernel(""))), "kernel");
        nint memory = driver.Allocate(4);
        Assert.Throws<CudaException>(() => driver.AllowSharedMemory(function, most + 1));
        driver.AllowSharedMemory(function, most);
        Launch(driver, function, 1, 32, most, stream, memory, memory);
        Assert.Throws<CudaException>(() => Launch(driver, function, 1, 32, most + 1, stream, memory, memory));
    }

    [Fact]
    public void The_table_is_that_of_the_assembler()
    {
        Assert.Equal(168, AssembledRegisters.Of("layerNormBackward", 90));
        Assert.Equal(138, AssembledRegisters.Of("layerNormBackward", 80));
        Assert.Equal(131, AssembledRegisters.Of("layerNormBackward", 121));
        Assert.Null(AssembledRegisters.Of("kernel", 90));
    }
}
