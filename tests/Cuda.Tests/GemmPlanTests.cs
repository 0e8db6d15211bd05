using System.Diagnostics;
using System.Globalization;
using Gradpath.Diagnostics.KernelRuns;
using Gradpath.Kernels;
using Gradpath.Kernels.Cuda;
using Gradpath.Kernels.Cuda.Driver;
using Gradpath.PtxEmulator;
using Gradpath.PtxEmulator.Survey;
using Xunit.Abstractions;

namespace Gradpath.Cuda.Tests;

/// <summary>The choice of tile and split, a pure function of the shape and the GPU.</summary>
public sealed class GemmPlanTests(ITestOutputHelper output)
{
    private const int SharedBytes = 227 << 10;
    private const int Multiprocessors = 132;

    public static TheoryData<int> Arithmetics => [.. Enum.GetValues<GemmArithmetic>().Select(a => (int)a)];

    [Theory]
    [MemberData(nameof(Arithmetics))]
    public void Every_plan_covers_the_inner_dimension_within_its_means(int arithmetic)
    {
        Random random = new(arithmetic);
        for (int round = 0; round < 3000; round++)
        {
            var shape = new GemmShape(Size(), Size(), random.Next(20) == 0 ? 0 : Size(), random.Next(4) == 0 ? random.Next(1, 200) : 1);
            int sharedBytes = random.Next(2) == 0 ? SharedBytes : 99 << 10, multiprocessors = random.Next(1, 150);
            long workspace = random.Next(2) == 0 ? CudaDevice.PartialsBytes : 100_000;
            bool transposed = random.Next(2) == 0;
            GemmPlanKey key = new(shape, (GemmArithmetic)arithmetic, transposed, workspace);
            CudaDeviceInfo info = Gpu(random.Next(2) == 0 ? 90 : 86, multiprocessors) with { SharedMemoryPerBlock = sharedBytes };
            GemmPlan plan = GemmPlan.Choose(key, new GemmGpu(info));
            Assert.Equal(plan, GemmPlan.Choose(key, new GemmGpu(info)));
            if (plan.Tile is null)
            {
                Assert.True(shape.Work <= 16_384, $"{shape} is done by the plain kernel");
                continue;
            }
            Assert.Equal((GemmArithmetic)arithmetic, plan.Tile.Arithmetic);
            Assert.True(plan.Tile.SharedBytes(transposed) <= sharedBytes);
            Assert.Equal(0, plan.Depth % 32);
            Assert.True(
                (long)plan.Splits * plan.Depth >= shape.K && (long)(plan.Splits - 1) * plan.Depth < shape.K,
                $"{shape}: {plan} does not cut K into its shares");
            Assert.True(plan.PartialBytes(shape) <= workspace, $"{shape}: {plan} needs more than the workspace");
        }

        int Size() => (int)Math.Pow(2, random.NextDouble() * 13);
    }

    [Theory]
    [MemberData(nameof(Arithmetics))]
    public void Some_tile_fits_the_smallest_shared_memory_of_a_supported_gpu(int arithmetic)
    {
        // Compute capability 8.6 and 8.9 allow a block 99 KiB, all others more.
        Assert.All(
            GemmTile.Of((GemmArithmetic)arithmetic).ToArray(),
            tile => Assert.InRange(Math.Max(tile.SharedBytes(false), tile.SharedBytes(true)), 1, 99 << 10));
    }

    // GPT-2 small with 320 rows: one tile of 128 x 128 for each of 18 blocks would leave six of seven multiprocessors idle.
    [Theory]
    [InlineData(320, 768, 768)]
    [InlineData(320, 768, 3072)]
    [InlineData(160, 768, 768)]
    [InlineData(20, 768, 3072)]
    public void Products_of_a_few_hundred_rows_spread_over_the_gpu(int m, int n, int k)
    {
        foreach (GemmArithmetic arithmetic in Enum.GetValues<GemmArithmetic>())
        {
            GemmPlan plan = Choose(new GemmShape(m, n, k, 1), arithmetic);
            int blocks = (m + plan.Tile!.Rows - 1) / plan.Tile.Rows * ((n + plan.Tile.Columns - 1) / plan.Tile.Columns) * plan.Splits;
            int unsplit = blocks / plan.Splits;
            Assert.True(
                blocks >= 48 && blocks > 18, $"{m} x {n} x {k}, {arithmetic}: {plan} makes {blocks} blocks ({unsplit} without a split)");
        }
    }

    [Fact]
    public void Large_products_take_the_largest_tile_and_no_split()
    {
        foreach (GemmArithmetic arithmetic in Enum.GetValues<GemmArithmetic>())
        {
            GemmPlan plan = Choose(new GemmShape(8192, 8192, 1024, 1), arithmetic);
            Assert.Equal((128, 128, 1), (plan.Tile!.Rows, plan.Tile.Columns, plan.Splits));
        }
    }

    [Fact]
    public void A_deep_product_with_a_small_result_is_split()
    {
        foreach (GemmArithmetic arithmetic in Enum.GetValues<GemmArithmetic>())
        {
            Assert.True(Choose(new GemmShape(64, 64, 8192, 1), arithmetic).Splits >= 8);
        }
    }

    [Fact]
    public void Names_of_kernels_are_in_the_committed_ptx()
    {
        foreach (GemmArithmetic arithmetic in Enum.GetValues<GemmArithmetic>())
        {
            foreach (GemmTile tile in GemmTile.Of(arithmetic).ToArray())
            {
                using var reader = new StreamReader(typeof(CudaDevice).Assembly.GetManifestResourceStream($"{tile.File}.ptx")!);
                string ptx = reader.ReadToEnd();
                foreach (bool transposed in (bool[])[false, true])
                {
                    int at = ptx.IndexOf($".entry {tile.KernelName(transposed)}(", StringComparison.Ordinal);
                    Assert.True(at >= 0, $"{tile.KernelName(transposed)} is not in {tile.File}.ptx");
                    string[] head = ptx[at..ptx.IndexOf(".reg", at, StringComparison.Ordinal)].Split(
                        [' ', ',', '\t', '\n'], StringSplitOptions.RemoveEmptyEntries);
                    Assert.Equal($"{tile.Threads}", head[Array.IndexOf(head, ".maxntid") + 1]);
                    int blocks = int.Parse(head[Array.IndexOf(head, ".minnctapersm") + 1], CultureInfo.InvariantCulture);
                    foreach (GpuRates rates in GpuRates.Known)
                    {
                        // What the compiler reported is what the launch bounds allow.
                        int? registers = TileRegisters.Of(tile.KernelName(transposed), rates.Capability);
                        Assert.InRange(registers ?? 0, 1, LiveRegisters.Allowed(tile.Threads, blocks));
                    }
                }
            }
        }
    }

    // ptxas's registers and the shared memory of the GPUs; counted by hand for the research that the table is from.
    [Theory]
    [InlineData((int)GemmArithmetic.Tf32x3, 32, 128, false, 2, 1, 3)]
    [InlineData((int)GemmArithmetic.Tf32x3, 64, 64, false, 3, 1, 3)]
    [InlineData((int)GemmArithmetic.Tf32, 64, 64, true, 3, 2, 4)]
    [InlineData((int)GemmArithmetic.Tf32x3, 128, 64, false, 2, 1, 2)]
    [InlineData((int)GemmArithmetic.Tf32x3, 128, 128, true, 1, 1, 1)]
    [InlineData((int)GemmArithmetic.Fp16x3, 64, 64, false, 2, 2, 2)]
    [InlineData((int)GemmArithmetic.Fp16x3, 128, 128, false, 1, 1, 1)]
    [InlineData((int)GemmArithmetic.Ffma, 32, 128, false, 5, 3, 5)]
    [InlineData((int)GemmArithmetic.Ffma, 64, 64, false, 5, 3, 5)]
    [InlineData((int)GemmArithmetic.Ffma, 128, 64, false, 3, 2, 3)]
    [InlineData((int)GemmArithmetic.Ffma, 128, 128, false, 2, 1, 2)]
    public void Resident_blocks_are_those_of_registers_and_shared_memory(
        int arithmetic, int rows, int columns, bool transposedB, int on80, int on89, int on90)
    {
        GemmTile tile = GemmTile.Of((GemmArithmetic)arithmetic).ToArray().Single(t => (t.Rows, t.Columns) == (rows, columns));
        Assert.Equal(
            (on80, on89, on90, on89),
            (Blocks(80), Blocks(89), Blocks(90), Blocks(120)));

        int Blocks(int capability) => new GemmGpu(Gpu(capability, 100)).Blocks(tile, transposedB);
    }

    [Theory]
    [InlineData(80, (int)GemmArithmetic.Fp16x3)]
    [InlineData(86, (int)GemmArithmetic.Ffma)]
    [InlineData(87, (int)GemmArithmetic.Fp16x3)]
    [InlineData(89, (int)GemmArithmetic.Ffma)]
    [InlineData(90, (int)GemmArithmetic.Fp16x3)]
    [InlineData(100, (int)GemmArithmetic.Fp16x3)]
    [InlineData(103, (int)GemmArithmetic.Fp16x3)]
    [InlineData(120, (int)GemmArithmetic.Ffma)]
    [InlineData(121, (int)GemmArithmetic.Ffma)]
    public void Float32_is_multiplied_by_whatever_is_faster(int capability, int expected)
    {
        GemmGpu gpu = new(Gpu(capability, 100));
        Assert.Equal((GemmArithmetic)expected, gpu.Float32);
        Assert.Equal(GemmArithmetic.Fp16x3, gpu.TensorFloat32);
        Assert.Equal((GemmArithmetic)expected, Of(CudaOptions.Default));
        Assert.Equal(GemmArithmetic.Ffma, Of(new() { TensorCores = false }));
        Assert.Equal(GemmArithmetic.Fp16x3, Of(new() { TensorCores = true }));
        Assert.Equal(GemmArithmetic.Fp16x3, Of(new() { TensorCores = true, TensorProducts = MatrixProvider.Fp16x3 }));
        Assert.Equal(GemmArithmetic.Tf32x3, Of(new() { TensorCores = true, TensorProducts = MatrixProvider.Tf32x3 }));
        Assert.Equal(
            gpu.Float32 == GemmArithmetic.Ffma ? GemmArithmetic.Ffma : GemmArithmetic.Tf32x3,
            Of(new() { TensorProducts = MatrixProvider.Tf32x3 }));
        Assert.Equal(GemmArithmetic.Bf16, Of(new() { Precision = MatrixPrecision.BFloat16 }));

        GemmArithmetic Of(CudaOptions options) => CudaDevice.ArithmeticOf(options, gpu.Float32, gpu.TensorFloat32);
    }

    [Theory]
    [InlineData(9, 0, MatrixProvider.Fp16x3)]
    [InlineData(8, 9, MatrixProvider.Ffma)]
    public void A_device_names_what_multiplies(int major, int minor, MatrixProvider expected)
    {
        using CudaDevice device = new(new EmulatedDriver(new EmulatorOptions { Major = major, Minor = minor }), 0);
        Assert.Equal(expected, device.Multiplier);
    }

    [Fact]
    public void The_driver_is_asked_on_a_gpu_that_the_table_lacks_and_on_no_other()
    {
        int asked = 0;
        foreach ((int capability, int expected) in ((int, int)[])[(90, 0), (80, 0), (88, 1), (130, 1)])
        {
            asked = 0;
            GemmGpu gpu = new(Gpu(capability, 100), (_, _) => ++asked);
            for (int i = 0; i < 2; i++) gpu.Blocks(GemmTile.Contraction, false);
            Assert.Equal(expected, asked);
        }
        using CudaDevice device = new(
            new EmulatedDriver(new EmulatorOptions { Major = 13, Minor = 0, SharedMemoryPerBlock = 100 << 10 }), 0);
        Assert.NotNull(device.PlanOf(new GemmShape(320, 768, 768, 1), false).Tile);
    }

    [Fact]
    public void What_the_driver_tells_takes_the_place_of_the_table()
    {
        // An H100 SXM's memory: 2,619 MHz, two transfers to a clock, 5,120 bits.
        CudaDeviceInfo told = Gpu(90, 132) with { ClockKilohertz = 1_980_000, MemoryClockKilohertz = 2_619_000, MemoryBusBits = 5120 };
        Assert.Equal(3.352e12, told.MemoryBytesPerSecond, 1e9);
        Assert.Equal(3.352e12 / 1.98e9, new GemmGpu(told).MemoryBytes, 1.0);
        Assert.Equal(14.4 * 132, new GemmGpu(Gpu(90, 132)).MemoryBytes, 1.0);
        GemmTile tile = GemmTile.Of(GemmArithmetic.Ffma)[2];
        Assert.Equal(3, new GemmGpu(Gpu(90, 132) with { SharedMemoryPerMultiprocessor = 100 << 10 }).Blocks(tile, false));
    }

    [Fact]
    public void A_plan_is_chosen_once_and_found_again_without_allocation()
    {
        using CudaDevice device = new(new EmulatedDriver(), 0);
        GemmShape[] shapes = [.. Enumerable.Range(1, 40).Select(i => new GemmShape(i * 16, 768, 3072, 1))];
        GemmPlan[] first = [.. shapes.Select(s => device.PlanOf(s, true))];
        Assert.Equal(40, device.Plans.Chosen);
        const int rounds = 200;
        double found = double.PositiveInfinity, chosen = double.PositiveInfinity;
        GemmGpu gpu = new(Gpu(90, 132));
        for (int attempt = 0; attempt < 20; attempt++)
        {
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < rounds; i++)
                foreach (GemmShape shape in shapes) device.PlanOf(shape, true);
            found = Math.Min(found, Stopwatch.GetElapsedTime(start).TotalNanoseconds / rounds / shapes.Length);
            start = Stopwatch.GetTimestamp();
            for (int i = 0; i < rounds / 20; i++)
                foreach (GemmShape shape in shapes)
                    GemmPlan.Choose(new GemmPlanKey(shape, GemmArithmetic.Tf32x3, true, CudaDevice.PartialsBytes), gpu);
            chosen = Math.Min(chosen, Stopwatch.GetElapsedTime(start).TotalNanoseconds / (rounds / 20) / shapes.Length);
        }
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < shapes.Length; i++) Assert.True(first[i] == device.PlanOf(shapes[i], true));
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(40, device.Plans.Chosen);
        output.WriteLine($"a plan found again: {found:F0} ns; chosen anew: {chosen:F0} ns; ratio {chosen / found:F1}");
        Assert.True(chosen > 3 * found, $"a plan that is known takes {found:F0} ns, one that is chosen {chosen:F0} ns");

        // Another arithmetic or another room has plans of its own.
        device.Arithmetic = GemmArithmetic.Ffma;
        Assert.Equal(GemmArithmetic.Ffma, device.PlanOf(shapes[0], true).Tile!.Arithmetic);
        device.Arithmetic = GemmArithmetic.Tf32x3;
        device.PartialsLimit = 0;
        Assert.All(shapes, s => Assert.Equal(1, device.PlanOf(s, true).Splits));
    }

    [Fact]
    public void Rows_of_a_pass_grow_with_the_gpu()
    {
        Assert.Equal(
            [2688, 6784, 8192, 10624],
            new[] { 43, 108, 132, 170 }.Select(count =>
            {
                using CudaDevice device = new(new EmulatedDriver(new EmulatorOptions { Multiprocessors = count }), 0);
                Assert.Equal(Math.Max(4096, device.AmpleRows), device.RowsOfCopies(4096));
                return device.AmpleRows;
            }));
    }

    private static GemmPlan Choose(GemmShape shape, GemmArithmetic arithmetic) =>
        GemmPlan.Choose(new GemmPlanKey(shape, arithmetic, false, CudaDevice.PartialsBytes), new GemmGpu(Gpu(90, Multiprocessors)));

    private static CudaDeviceInfo Gpu(int capability, int multiprocessors) => new(
        "GPU", capability / 10, capability % 10, multiprocessors, GpuRates.Of(capability).SharedBytes - 1024, 80L << 30, 50 << 20);
}
