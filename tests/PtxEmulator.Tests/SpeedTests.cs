using System.Diagnostics;
using System.Text;
using Xunit.Abstractions;
using static Gradpath.PtxEmulator.Tests.PtxRun;

namespace Gradpath.PtxEmulator.Tests;

/// <summary>How fast kernels run here; the figures are printed, not judged.</summary>
public sealed class SpeedTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Instructions_per_second(bool races)
    {
        // Shared memory, arithmetic and a barrier in a loop, as in a small matrix product.
        const string body = """
            mov.u32 %r1, s; shl.b32 %r2, %r0, 2; add.u32 %r3, %r1, %r2; mul.wide.u32 %rd2, %r0, 4; add.s64 %rd3, %rd0, %rd2;
            add.s64 %rd4, %rd1, %rd2; mov.f32 %f1, 0f00000000; mov.u32 %r4, 0;
            L: ld.global.f32 %f2, [%rd3]; st.shared.f32 [%r3], %f2; bar.sync 0; mov.u32 %r5, 0; mov.u32 %r6, %r1;
            M: ld.shared.f32 %f3, [%r6]; ld.shared.f32 %f4, [%r6+4]; fma.rn.f32 %f1, %f3, %f2, %f1; fma.rn.f32 %f1, %f4, %f2, %f1;
            add.u32 %r6, %r6, 8; add.u32 %r5, %r5, 2; setp.lt.u32 %p1, %r5, 128; @%p1 bra M;
            bar.sync 0; add.u32 %r4, %r4, 1; setp.lt.u32 %p2, %r4, 20; @%p2 bra L; st.global.f32 [%rd4], %f1;
            """;
        using var driver = new EmulatedDriver(new EmulatorOptions { Races = races, HostThreads = 1 });
        driver.CreateContext(0);
        nint stream = driver.CreateStream(), function = driver.GetFunction(
            driver.LoadModule("test.ptx", Encoding.ASCII.GetBytes(Kernel(body, ".shared .align 16 .b8 s[512];"))), "kernel");
        nint x = driver.Allocate(512), y = driver.Allocate(512);
        driver.FillBytes(x, 0, 512, stream);
        Launch(driver, function, 1, 128, 0, stream, x, y);
        long before = driver.Statistics["kernel"].Instructions;
        var watch = Stopwatch.StartNew();
        for (int i = 0; i < 20; i++) Launch(driver, function, 1, 128, 0, stream, x, y);
        driver.Synchronize(stream);
        long run = driver.Statistics["kernel"].Instructions - before;
        output.WriteLine($"{run / watch.Elapsed.TotalSeconds / 1e6:F0} million instructions/s on one host thread, races "
            + $"{(races ? "looked for" : "not looked for")}");
        Assert.Equal(20 * before, run);
    }
}
