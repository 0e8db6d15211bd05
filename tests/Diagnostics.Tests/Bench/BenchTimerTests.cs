using Gradpath.Diagnostics.Bench;
using Gradpath.Diagnostics.Ops;
using Gradpath.Kernels;
using Gradpath.Kernels.Cuda;
using Gradpath.PtxEmulator;

namespace Gradpath.Diagnostics.Tests.Bench;

public sealed class BenchTimerTests
{
    [Fact]
    public void An_op_and_the_rates_are_timed_on_a_GPU()
    {
        using EmulatedDriver driver = new(new EmulatorOptions { Races = false });
        using CudaDevice device = new(driver, 0);
        using WorkOperands x = new(device);
        Matrix a = x.Tensor(20, 24).AsMatrix(), b = x.Tensor(24, 20).AsMatrix(), c = x.Tensor(20, 20).AsMatrix();
        BenchTimer timer = new(device, quick: true, default);
        int launches = 0;
        double seconds = timer.Op(() =>
        {
            launches++;
            device.Gemm(a, b, c);
        });
        Assert.InRange(seconds, 1e-7, 10);
        Assert.True(launches > 5);

        // A line's share is that of rates measured on the same device.
        MachineRates rates = MachineRates.Measure(device, timer, 64 << 10, [(32, 64, 64), (16, 16, 16)]);
        Assert.Equal(2.0 * (64 << 10), rates.Copy.Bytes);
        Assert.True(double.IsFinite(rates.BytesPerSecond) && rates.BytesPerSecond > 0);
        Assert.Contains(rates.Product.Shape, new[] { "32 x 64 x 64", "16 x 16 x 16" });
        BenchLine line = rates.Line("Gemm", "20 x 20 x 24", device.Name, seconds, 2.0 * 20 * 20 * 24, 4.0 * ((2 * 20 * 24) + (20 * 20)));
        Assert.Equal(Math.Max(line.Flops / rates.FlopsPerSecond, line.Bytes / rates.BytesPerSecond) / seconds, line.ShareOfLimit, 1e-12);
    }
}
