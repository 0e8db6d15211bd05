using System.Text;
using static Gradpath.PtxEmulator.Tests.PtxRun;

namespace Gradpath.PtxEmulator.Tests;

public sealed class TrafficTests
{
    private static KernelStatistics Count(string body, int threads = 32, string declarations = ".shared .align 16 .b8 s[8192];")
    {
        using var driver = new EmulatedDriver(new EmulatorOptions { Count = true });
        driver.CreateContext(0);
        nint stream = driver.CreateStream(), function = driver.GetFunction(
            driver.LoadModule("test.ptx", Encoding.ASCII.GetBytes(Kernel(body, declarations))), "kernel");
        nint memory = driver.Allocate(65536);
        driver.FillBytes(memory, 0, 65536, stream);
        Launch(driver, function, 1, threads, 0, stream, memory, memory);
        driver.Synchronize(stream);
        return driver.Statistics["kernel"];
    }

    [Theory]
    [InlineData(4, 4)] // Neighbours: four sectors of 32 bytes.
    [InlineData(8, 8)]
    [InlineData(128, 32)] // Each lane has a sector to itself.
    [InlineData(0, 1)] // All lanes read one word.
    public void Sectors_of_a_warps_read(int stride, int sectors)
    {
        KernelStatistics counted = Count($"mul.wide.u32 %rd2, %r0, {stride}; add.s64 %rd3, %rd0, %rd2; ld.global.u32 %r1, [%rd3];");
        Assert.Equal((sectors, 128, 1, 0), (counted.GlobalSectorsRead, counted.GlobalBytesRead, counted.GlobalRequests,
            counted.GlobalSectorsWritten));
    }

    [Fact]
    public void Vector_writes_of_a_warp_touch_sixteen_sectors()
    {
        KernelStatistics counted = Count(
            "mul.wide.u32 %rd2, %r0, 16; add.s64 %rd3, %rd0, %rd2; st.global.v4.u32 [%rd3], {%r0, %r0, %r0, %r0};");
        Assert.Equal((16, 512), (counted.GlobalSectorsWritten, counted.GlobalBytesWritten));
    }

    [Theory]
    [InlineData(4, 0)]
    [InlineData(8, 1)] // Two lanes to a bank.
    [InlineData(128, 31)]
    [InlineData(132, 0)] // Rows of 33 words.
    [InlineData(12, 0)]
    public void Bank_conflicts_of_a_warps_write(int stride, int conflicts)
    {
        KernelStatistics counted = Count($"mov.u32 %r1, s; mad.lo.u32 %r2, %r0, {stride}, %r1; st.shared.u32 [%r2], %r0;");
        Assert.Equal((conflicts, 1), (counted.SharedConflicts, counted.SharedRequests));
    }

    [Fact]
    public void Vector_accesses_take_phases_without_conflicts_and_a_broadcast_is_none()
    {
        KernelStatistics counted = Count("mov.u32 %r1, s; mad.lo.u32 %r2, %r0, 16, %r1; st.shared.v4.u32 [%r2], {%r0, %r0, %r0, %r0};");
        Assert.Equal((0, 4), (counted.SharedConflicts, counted.SharedRequests));
        counted = Count("mov.u32 %r1, s; setp.eq.u32 %p1, %r0, 0; @%p1 st.shared.u32 [s], %r0; bar.warp.sync -1; ld.shared.u32 %r2, [s];");
        Assert.Equal((0, 2), (counted.SharedConflicts, counted.SharedRequests));
    }

    [Fact]
    public void Each_turn_of_a_loop_is_an_access_of_its_own()
    {
        KernelStatistics counted =
            Count("mul.wide.u32 %rd2, %r0, 4; add.s64 %rd3, %rd0, %rd2; mov.u32 %r2, 0; L: ld.global.u32 %r1, [%rd3]; add.s64 %rd3, %rd3, "
            + "128; add.u32 %r2, %r2, 1; setp.lt.u32 %p1, %r2, 10; @%p1 bra L;", 64);
        Assert.Equal((80, 20), (counted.GlobalSectorsRead, counted.GlobalRequests));
        // Per thread: 6 before the loop with the three that load arguments and thread, 5 in each turn, the return.
        Assert.Equal(64 * (6 + (5 * 10) + 1), counted.Instructions);
    }
}
