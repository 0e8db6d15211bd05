using Gradpath.Kernels.Cpu;

namespace Gradpath.Kernels.Tests;

public sealed class DeviceRunTests
{
    [Fact]
    public void A_run_may_enter_another_on_its_thread_and_the_device_is_free_after_the_outermost()
    {
        using CpuDevice device = new(1);
        using (RunLease outer = device.EnterRun())
        {
            using (RunLease inner = device.EnterRun())
            {
            }
            Assert.IsType<InvalidOperationException>(EnterElsewhere(device));
        }
        Assert.Null(EnterElsewhere(device));
        using RunLease again = device.EnterRun();
    }

    [Fact]
    public void A_second_thread_is_told_that_the_device_is_in_use()
    {
        using CpuDevice device = new(1), other = new(1);
        using RunLease run = device.EnterRun();
        Exception? refused = EnterElsewhere(device);
        Assert.Contains("the device cpu is in use by a run of another thread", refused!.Message, StringComparison.Ordinal);
        Assert.Null(EnterElsewhere(other));
    }

    [Fact]
    public void A_run_that_fails_leaves_the_device_free()
    {
        using CpuDevice device = new(1);
        Assert.Throws<ArgumentException>(() =>
        {
            using RunLease run = device.EnterRun();
            using Tensor tensor = device.Allocate(1);
            device.Fill(tensor, 0, 2);
        });
        Assert.Null(EnterElsewhere(device));
    }

    private static Exception? EnterElsewhere(Device device)
    {
        Exception? thrown = null;
        Thread thread = new(() => thrown = Record.Exception(() =>
        {
            using RunLease run = device.EnterRun();
        }));
        thread.Start();
        thread.Join();
        return thrown;
    }
}
