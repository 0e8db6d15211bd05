using Gradpath.Diagnostics.Bench;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Kernels.Cpu;

// Allocations are counted over all threads, which other tests would disturb.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace Gradpath.Diagnostics.Tests.Bench;

public sealed class PassMeterTests
{
    [Fact]
    public void A_pass_that_allocates_is_seen()
    {
        using CpuDevice device = new(1);
        PassMeter meter = new(device);
        for (int pass = 0; pass < 3; pass++)
        {
            using (device.Allocate(1000)) meter.Report(new RunProgress(pass, 3, "before"));
            byte[] bytes = new byte[1 << 20];
            using (device.Allocate(10)) meter.Report(new RunProgress(pass + 1, 3, "after"));
            GC.KeepAlive(bytes);
        }
        Assert.InRange(meter.Managed, 1 << 20, (1 << 20) + (1 << 19));
        Assert.Equal(40, meter.OnDevice);
    }
}
