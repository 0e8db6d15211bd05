using Gradpath.Diagnostics.Bench;
using Gradpath.Diagnostics.Ops;
using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;
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

        // A line's share is that of rates measured on the same device: on this one of TF32, of which a product takes three.
        MachineRates rates = MachineRates.Measure(device, timer);
        Assert.Equal(
            [
                "FFMA rate", "TF32 mma rate", "BF16 mma rate", "shared memory", "L2 read", "memory read", "memory write", "memory copy",
                "launch", "graph node",
            ],
            rates.Lines.Select(l => l.Name));
        Assert.All(rates.Lines, l => Assert.True(l.Seconds > 0 && double.IsFinite(l.Seconds), l.Name));
        Assert.Equal((rates.Lines[1], 3), (rates.Arithmetic, rates.Products));
        Assert.Equal(rates.Lines[1].Flops / rates.Lines[1].Seconds / 3, rates.FlopsPerSecond, 1);
        Assert.Contains(rates.Memory, rates.Lines.Skip(5).Take(3));

        // 256 threads: 8 steps of 8 times 16 multiply-adds each, or 8 warps' 8 steps of 8 times 8 tiles.
        Assert.Equal(2.0 * 256 * 8 * 8 * 16, rates.Lines[0].Flops);
        Assert.Equal(2.0 * 8 * 8 * 8 * 8 * 16 * 8 * 8, rates.Lines[1].Flops);
        Assert.Equal(2 * rates.Lines[1].Flops, rates.Lines[2].Flops);
        Assert.Equal(256 * 8 * 8 * 16, rates.Lines[3].Bytes);
        BenchLine line = rates.Line("Gemm", "20 x 20 x 24", device.Name, seconds, 2.0 * 20 * 20 * 24, 4.0 * ((2 * 20 * 24) + (20 * 20)));
        Assert.Equal(Math.Max(line.Flops / rates.FlopsPerSecond, line.Bytes / rates.BytesPerSecond) / seconds, line.ShareOfLimit, 1e-12);
    }

    [Fact]
    public void The_rate_of_products_is_that_of_the_units_that_they_run_on()
    {
        foreach ((CudaOptions options, int line, int products) in ((CudaOptions, int, int)[])
            [
                (new() { TensorCores = false }, 0, 1), (new() { Precision = MatrixPrecision.Tf32 }, 1, 1),
                (new() { Precision = MatrixPrecision.BFloat16 }, 2, 1),
                (new() { TensorCores = true, TensorProducts = MatrixProvider.Tf32x3 }, 1, 3),
                (new() { TensorCores = true, TensorProducts = MatrixProvider.Fp16x3 }, 2, 3),
            ])
        {
            using EmulatedDriver driver = new(new EmulatorOptions { Races = false });
            using CudaDevice device = new(driver, 0, options);
            MachineRates rates = MachineRates.Measure(device, new BenchTimer(device, quick: true, default));
            Assert.Equal((rates.Lines[line], products), (rates.Arithmetic, rates.Products));
        }
    }

    [Fact]
    public void A_processor_multiplies_in_registers_on_every_thread()
    {
        using CpuDevice device = new(2);
        CpuFmaLoop loop = new(device);
        loop.Run();
        Assert.Equal([2f * 12 * CpuFmaLoop.Width, 2f * 12 * CpuFmaLoop.Width], loop.Results);
        Assert.Equal(2.0 * 12 * CpuFmaLoop.Width * 200_000 * 2, loop.Flops);
    }

    [Theory]
    [InlineData("NVIDIA H200", 67.0, 4800.0)]
    [InlineData("NVIDIA H200 NVL", 60.0, 4800.0)]
    [InlineData("NVIDIA GeForce RTX 3090 Ti", 40.0, 1008.0)]
    [InlineData("NVIDIA GeForce RTX 3090", 35.6, 936.0)]
    [InlineData("NVIDIA L4", 30.3, 300.0)]
    [InlineData("NVIDIA L40S", 91.6, 864.0)]
    [InlineData("NVIDIA A10G", null, null)]
    [InlineData("NVIDIA GeForce RTX 4090 Laptop GPU", null, null)]
    [InlineData("NVIDIA GeForce RTX 4090 D", null, null)]
    [InlineData("Emulated GPU", null, null)]
    public void A_data_sheet_is_found_by_the_whole_name(string name, double? ordinary, double? memory) =>
        Assert.Equal((ordinary, memory), (Datasheet.Of(name)?.Float32, Datasheet.Of(name)?.Memory));

    [Fact]
    public void On_a_GPU_operands_take_turns_in_one_graph()
    {
        using EmulatedDriver driver = new(new EmulatorOptions { Races = false });
        using CudaDevice device = new(driver, 0);
        List<Tensor> written = [];
        using (Rotation rotation = new(device, 400, x =>
        {
            Tensor tensor = x.Tensor(100);
            written.Add(tensor);
            return () => device.Fill(tensor, 2, 100);
        }))
        {
            Assert.Equal(2, rotation.Copies);
            for (int i = 0; i < 4; i++) rotation.Run();
            Assert.Equal(2, written.Distinct().Count());
            Assert.True(device.ReplayedPasses >= 2, "the third and the fourth run are launches of a graph");
            float[] values = new float[100];
            foreach (Tensor tensor in written)
            {
                device.Download(tensor, values);
                Assert.All(values, v => Assert.Equal(2, v));
            }
        }
        Assert.Equal(0, device.AllocatedBytes);

        // What waits for the device is called directly.
        using Rotation waiting = new(device, 400, _ => device.Synchronize);
        for (int i = 0; i < 4; i++) waiting.Run();
    }
}
