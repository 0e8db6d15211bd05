using Gradpath.Cuda.Tests.Driver;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels;
using Gradpath.Kernels.Cuda;
using Gradpath.Kernels.Cuda.Driver;
using Gradpath.Kernels.Tests;
using Gradpath.PtxEmulator;
using Xunit.Abstractions;
using CpuDevice = Gradpath.Kernels.Cpu.CpuDevice;

namespace Gradpath.Cuda.Tests;

/// <summary>
/// Products with packed factors by the instructions of compute capability 9.0, on the emulated GPU, which looks for races in all of them:
/// against float64, against the same product in parts to the bit, and whether they are used where they can be and nowhere else.
/// </summary>
public sealed class Sm90aProductTests(ITestOutputHelper output)
{
    private const string Kernel = "gemmSm90a128x192";

    // 2^-21 by the halves, and what adding in steps of 32 costs.
    private const double Bound = 1.0 / (1 << 20);

    /// <summary>Tiles in part and whole, one step of k and more than the four that are under way, the end within a step.</summary>
    [Theory]
    [InlineData(1, 1, 4, false, 1)]
    [InlineData(128, 192, 32, false, 1)]
    [InlineData(131, 200, 164, false, 1)]
    [InlineData(131, 200, 164, true, 1)]
    [InlineData(64, 192, 320, true, 1)]
    [InlineData(70, 388, 292, false, 3)]
    [InlineData(70, 388, 292, true, 3)]
    [InlineData(9, 24, 2048, false, 17)]
    public void Products_equal_the_reference(int m, int n, int k, bool transposedB, int splits)
    {
        using Bench bench = new(splits: splits);
        foreach (bool more in (bool[])[false, true])
        {
            (float[] a, float[] b, float[] bias, float[] c) = (bench.Draw(m * k), bench.Draw(k * n), bench.Draw(n), bench.Draw(m * n));
            using Tensor left = bench.Device.StoreTensor(a, m, k), result = bench.Device.StoreTensor(c, m, n);
            using Tensor right = bench.Device.StoreTensor(transposedB ? Transposed(b, k, n) : b, transposedB ? [n, k] : [k, n]);
            using Tensor shift = bench.Device.StoreTensor(bias, n);
            Matrix factor = transposedB ? right.AsMatrix().T : right.AsMatrix();
            using IDisposable packed = bench.Device.PackFactors([factor]);
            GemmOptions options = more ? new GemmOptions(Accumulate: true, Bias: shift) : new GemmOptions();
            bench.Device.Gemm(left.AsMatrix(), factor, result.AsMatrix(), options);
            double[] exact = GemmTests.Product(Numbers.Wide(a), Numbers.Wide(b), m, n, k);
            double[] sizes = GemmTests.Product(Magnitudes(a), Magnitudes(b), m, n, k);
            float[] got = result.ToArray();
            for (int i = 0; i < got.Length; i++)
            {
                double expected = exact[i] + (more ? c[i] + (double)bias[i % n] : 0), size = sizes[i] + (more ? 2 : 0);
                Assert.True(Math.Abs(got[i] - expected) <= size * Bound, $"element {i} is {got[i]:R}, not {expected:R}");
            }
        }
        Assert.Contains(Kernel, bench.Driver.Launched);
    }

    /// <summary>Parts of a packed matrix, along k and across columns, have the bits of the same part packed by itself.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Parts_of_a_packed_matrix_are_found_in_it(bool transposedB)
    {
        const int m = 40, n = 400, k = 160;
        using Bench bench = new();
        using Tensor left = bench.Tensor(m, k), right = transposedB ? bench.Tensor(n, k) : bench.Tensor(k, n);
        Matrix whole = transposedB ? right.AsMatrix().T : right.AsMatrix();
        foreach ((int firstK, int countK, int firstN, int countN) in
            ((int, int, int, int)[])[(32, 64, 0, n), (96, 64, 192, 208), (0, k, 192, 192), (64, 96, 192, 100)])
        {
            Matrix a = left.AsMatrix().SliceColumns(firstK, countK);
            Matrix b = transposedB
                ? right.AsMatrix().SliceRows(firstN, countN).SliceColumns(firstK, countK).T
                : right.AsMatrix().SliceRows(firstK, countK).SliceColumns(firstN, countN);
            float[] found = Run(whole, a, b), alone = Run(b, a, b);
            // A column's power is that of the whole column, so that only its last bits can differ.
            for (int i = 0; i < found.Length; i++) Assert.Equal(alone[i], (double)found[i], countK * Bound);
        }

        float[] Run(in Matrix packed, in Matrix a, in Matrix b)
        {
            using IDisposable factors = bench.Device.PackFactors([packed]);
            using Tensor c = bench.Device.Allocate(m, b.OperandColumns);
            bench.Driver.Launched.Clear();
            bench.Device.Gemm(a, b, c.AsMatrix());
            Assert.Contains(Kernel, bench.Driver.Launched);
            return c.ToArray();
        }
    }

    /// <summary>As the outputs of heads are made: each member of the batch has rows of its own of one matrix.</summary>
    [Fact]
    public void Members_of_a_batch_follow_each_other_along_k()
    {
        const int rows = 20, heads = 3, width = 64, d = 200;
        using Bench bench = new();
        using Tensor z = bench.Tensor(rows, heads * width), weights = bench.Tensor(heads * width, d);
        using Tensor together = bench.Device.Allocate(heads, rows, d), alone = bench.Device.Allocate(rows, d);
        using IDisposable packed = bench.Device.PackFactors([weights.AsMatrix()]);
        Matrix first = z.AsMatrix().SliceColumns(0, width);
        GemmOptions options = new(Batch: heads, StepA: width, StepB: (long)width * d, StepC: (long)rows * d);
        bench.Device.Gemm(first, weights.AsMatrix().SliceRows(0, width), new Matrix(together, 0, rows, d, d), options);
        for (int h = 0; h < heads; h++)
        {
            Matrix member = z.AsMatrix().SliceColumns(h * width, width);
            bench.Device.Gemm(member, weights.AsMatrix().SliceRows(h * width, width), alone.AsMatrix());
            Assert.Equal(alone.ToArray(), together.ToArray()[(h * rows * d)..((h + 1) * rows * d)]);
        }

        // The same factor for all of them.
        bench.Device.Gemm(
            first, weights.AsMatrix().SliceRows(0, width), new Matrix(together, 0, rows, d, d), options with { StepB = 0 });
        bench.Device.Gemm(z.AsMatrix().SliceColumns(width, width), weights.AsMatrix().SliceRows(0, width), alone.AsMatrix());
        Assert.Equal(alone.ToArray(), together.ToArray()[(rows * d)..(2 * rows * d)]);
    }

    /// <summary>With what follows it in the same kernel, and with a kernel of its own.</summary>
    [Theory]
    [InlineData(200, 1)]
    [InlineData(197, 2)]
    [InlineData(200, 2)]
    public void What_follows_a_product_has_the_bits_of_two_operations(int n, int splits)
    {
        const int factorRows = 67, m = 2 * factorRows, k = 96;
        using Bench bench = new(splits: splits);
        CudaDevice device = bench.Device;
        using Tensor a = bench.Tensor(m, k), b = bench.Tensor(k, n), bias = bench.Tensor(n), factors = bench.Tensor(factorRows, n);
        using Tensor x = device.Allocate(m, n), activated = device.Allocate(m, n);
        using Tensor plainX = device.Allocate(m, n), plainActivated = device.Allocate(m, n);
        using IDisposable packed = device.PackFactors([b.AsMatrix()]);
        device.GemmActivate(a.AsMatrix(), b.AsMatrix(), bias, ActivationFunction.GeluTanh, x, activated);
        device.Gemm(a.AsMatrix(), b.AsMatrix(), plainX.AsMatrix(), new GemmOptions(Bias: bias));
        device.Activate(ActivationFunction.GeluTanh, plainX, (long)m * n, plainActivated);
        Assert.Equal(plainX.ToArray(), x.ToArray());
        Assert.Equal(plainActivated.ToArray(), activated.ToArray());
        device.GemmMultiply(a.AsMatrix(), b.AsMatrix(), factors, factorRows, x);
        device.Gemm(a.AsMatrix(), b.AsMatrix(), plainX.AsMatrix());
        device.MultiplyRows(plainX, factors, m, factorRows, n);
        Assert.Equal(plainX.ToArray(), x.ToArray());
    }

    /// <summary>The sum of the shares' own products in their order, by the tile's last block and by a kernel of its own.</summary>
    [Theory]
    [InlineData(2)]
    [InlineData(17)]
    public void A_split_product_is_the_sum_of_its_shares_to_the_bit(int splits)
    {
        (int m, int n, int k) = (131, 196, (32 * splits) - 4);
        using Bench bench = new(splits: splits);
        CudaDevice device = bench.Device;
        using Tensor a = bench.Tensor(m, k), b = bench.Tensor(k, n), c = device.Allocate(m, n), share = device.Allocate(m, n);
        using IDisposable packed = device.PackFactors([b.AsMatrix()]);
        device.Gemm(a.AsMatrix(), b.AsMatrix(), c.AsMatrix());
        device.ForcedPlan = shape => GemmPlan.Split(GemmTile.Packed, shape.K, 1);
        float[] sums = new float[m * n];
        for (int s = 0; s < splits; s++)
        {
            (int from, int count) = (32 * s, Math.Min(32, k - (32 * s)));
            device.Gemm(a.AsMatrix().SliceColumns(from, count), b.AsMatrix().SliceRows(from, count), share.AsMatrix());
            float[] values = share.ToArray();
            for (int i = 0; i < sums.Length; i++) sums[i] = s == 0 ? values[i] : sums[i] + values[i];
        }
        Assert.Equal(sums, c.ToArray());
    }

    /// <summary>What cannot be copied by 16 bytes, is read across, or is no whole part of a packed matrix goes the other way.</summary>
    [Fact]
    public void What_does_not_fit_is_multiplied_without()
    {
        const int m = 12, n = 400, k = 96;
        using EmulatedGpu gpu = new();
        CudaDevice device = gpu.Device;
        device.PackedOnly = true;
        using Tensor storage = device.StoreTensor(Numbers.Draw(1, 4 * m * (k + 4)), 4 * m * (k + 4));
        using Tensor b = device.StoreTensor(Numbers.Draw(2, k * n), k, n), c = device.Allocate(m, n);
        using IDisposable packed = device.PackFactors([b.AsMatrix()]);
        Assert.True(Packs(new Matrix(storage, 0, m, k, k), b.AsMatrix()));
        Assert.True(Packs(new Matrix(storage, 4, m, k, k + 4), b.AsMatrix()));
        Assert.False(Packs(new Matrix(storage, 1, m, k, k), b.AsMatrix()));
        Assert.False(Packs(new Matrix(storage, 0, m, k, k + 1), b.AsMatrix()));
        Assert.False(Packs(new Matrix(storage, 0, k, m, m).T, b.AsMatrix()));
        Assert.False(Packs(new Matrix(storage, 0, m, k, k), b.AsMatrix().SliceColumns(64, 200)));
        Assert.False(Packs(new Matrix(storage, 0, m, 40, k), b.AsMatrix().SliceRows(0, 40)));
        Assert.False(Packs(new Matrix(storage, 0, m, 64, k), b.AsMatrix().SliceRows(16, 64)));
        Assert.True(Packs(new Matrix(storage, 0, m, 64, k), b.AsMatrix().SliceRows(32, 64)));
        device.Arithmetic = GemmArithmetic.Tf32x3;
        Assert.False(Packs(new Matrix(storage, 0, m, k, k), b.AsMatrix()));
        device.Arithmetic = GemmArithmetic.Fp16x3;
        packed.Dispose();
        Assert.False(Packs(new Matrix(storage, 0, m, k, k), b.AsMatrix()));

        bool Packs(in Matrix a, in Matrix factor)
        {
            gpu.Driver.Launched.Clear();
            using Tensor result = device.Allocate(m, factor.OperandColumns);
            device.Gemm(a, factor, result.AsMatrix());
            return gpu.Driver.Launched.Contains(Kernel);
        }
    }

    /// <summary>Products at GPT-2's widths are planned for the packed tile where B is packed.</summary>
    [Theory]
    [InlineData(2048, 3072, 768)]
    [InlineData(8192, 768, 3072)]
    [InlineData(512, 1600, 1600)]
    public void The_planner_takes_it_for_large_products(int m, int n, int k)
    {
        GemmGpu gpu = new(new EmulatedDriver(new EmulatorOptions { DryRun = true }).Describe(0));
        GemmPlanKey key = new(new GemmShape(m, n, k, 1), GemmArithmetic.Fp16x3, false, 1 << 25, Packed: true);
        GemmPlan plan = GemmPlan.Choose(key, gpu);
        output.WriteLine($"{m} x {n} x {k}: {plan}");
        Assert.Equal(GemmTile.Packed, plan.Tile);
        Assert.NotEqual(GemmTile.Packed, GemmPlan.Choose(key with { Packed = false }, gpu).Tile);
    }

    [Fact]
    public void A_gpu_of_another_capability_packs_nothing()
    {
        WatchedDriver driver = new(new EmulatedDriver(EmulatorOptions.Of(GpuTarget.All[0])));
        using CudaDevice device = new(driver, 0);
        Assert.Equal(GemmArithmetic.Fp16x3, device.Arithmetic);
        using Gpt2Weights model = TinyRuns.Model(device);
        Assert.DoesNotContain("packFactor", driver.Launched);
        Assert.Null(device.PackedRefusal);
        using Tensor b = device.StoreTensor(new float[64], 8, 8);
        var e = Assert.Throws<DeviceException>(() => device.PackFactors([b.AsMatrix()]));
        Assert.Contains("need compute capability 9.0; this is 8.0", e.Message, StringComparison.Ordinal);
    }

    /// <summary>Of 32 k: six products of a warpgroup, one multiply-add for each sum, and what cuts a thread's factors of A up.</summary>
    [Fact]
    public void A_step_has_the_instructions_that_the_page_states()
    {
        string[] loop = InnerLoops.Of("GemmSm90a", Kernel);
        int Count(params string[] names) => loop.Count(i => names.Any(n => i.StartsWith(n, StringComparison.Ordinal)));
        int split = Count("max.", "abs.", "mul.f32", "neg.f32", "cvt.rn.f16", "cvt.f32.f16", "shfl.") + Count("fma.") - 96;
        output.WriteLine($"{loop.Length} instructions, {split} to cut factors up");
        Assert.Equal(6, Count("wgmma.mma_async"));
        Assert.Equal((298, 124), (loop.Length, split));
    }

    /// <summary>Whatever speaks against packed factors is said, and scores are what they are without.</summary>
    [Theory]
    [InlineData("load", "GemmSm90a.ptx: ptxas error")]
    [InlineData("check", "the check of gemmSm90a128x192 failed at row 0, column 0")]
    [InlineData("memory", "packed weights would take")]
    public void A_device_that_cannot_falls_back_and_says_so(string fault, string reason)
    {
        using TempFolder folder = new();
        long memory = fault == "memory" ? 1 << 20 : 8L << 30;
        WatchedDriver driver = new(new EmulatedDriver(new EmulatorOptions { Races = false, MemoryLimit = memory }));
        using CudaDevice device = new(driver, 0, new CudaOptions { CacheMemory = false }) { PackedOnly = true };
        if (fault == "load")
        {
            driver.Compiling = file =>
            {
                if (file == "GemmSm90a.ptx")
                    throw new CudaException("cuLinkAddData_v2", CudaResult.InvalidPtx, "GemmSm90a.ptx: ptxas error : line 3");
            };
        }
        if (fault == "check")
        {
            // The last of the six products forgets those before it.
            string ptx = CudaDevice.ShippedPtx("GemmSm90a"), adds = ", 1, 1, 1, 0;";
            int at = ptx.LastIndexOf(adds, StringComparison.Ordinal);
            File.WriteAllText(folder["GemmSm90a.ptx"], $"{ptx[..at]}, 0, 1, 1, 0;{ptx[(at + adds.Length)..]}");
            device.PtxFolder = folder.Path;
        }
        using Gpt2Weights model = TinyRuns.Model(device);
        Assert.Contains(reason, device.PackedRefusal, StringComparison.Ordinal);
        if (fault == "memory") return;
        using CpuDevice cpu = new(1);
        using Gpt2Weights trusted = TinyRuns.Model(cpu);
        double[] expected = Scores(trusted), scores = Scores(model);
        double largest = expected.Max(Math.Abs);
        for (int i = 0; i < scores.Length; i++) Assert.Equal(expected[i], scores[i], 1e-5 * largest);
        driver.Launched.Clear();
        _ = Scores(model);
        Assert.DoesNotContain(Kernel, driver.Launched);

        static double[] Scores(Gpt2Weights weights) => Array.ConvertAll(
            TinyRuns.Score(weights, TinyRuns.Options(AttributionMethods.EapIg, 2), TinyRuns.Pairs(3)).Edges(), v => (double)v);
    }

    /// <summary>Whole methods with every product of a packed factor done by the packed tile, against the EAP-IG library's scores.</summary>
    [SkippableTheory]
    [InlineData("EAP/logit_diff/library_bs10")]
    [InlineData("EAP-IG-inputs/kl/per_item_mean")]
    [InlineData("EAP-IG-activations/logit_diff/per_item_mean")]
    [InlineData("EAP-GP[k=5]/logit_diff/per_item_mean")]
    [InlineData("EAP-GP[k=5,objective=metric]/logit_diff/per_item_mean")]
    [InlineData("information-flow-routes/none/per_item_mean")]
    public void Scores_equal_the_goldens(string key)
    {
        GoldenSet goldens = GoldenSet.Read("tiny-random/equal");
        GoldenScores golden = goldens.Score(key);
        using EmulatedGpu gpu = new();
        gpu.Device.PackedOnly = true;
        ReferenceModel stored = ReferenceCheckpoint.Load(goldens.ModelDirectory);
        using Gpt2Weights weights = EngineModels.Weights(ReferenceKeys.Model(golden.Key, stored), gpu.Device);
        Assert.Null(gpu.Device.PackedRefusal);
        gpu.Driver.Launched.Clear();
        AttributionResult result = EdgeAttribution.Run(
            weights, PromptSet.Of(goldens.Pairs), EngineModels.Options(ReferenceKeys.Options(golden.Key)));
        double error = EngineModels.RelativeError(result.Edges(), golden.Matrix);
        output.WriteLine($"{error:0.0e+0}");
        Assert.InRange(error, 0, key.Contains("objective", StringComparison.Ordinal) ? 1e-4 : 1e-5);
        Assert.Contains(Kernel, gpu.Driver.Launched);
    }

    private static double[] Magnitudes(float[] values) => Array.ConvertAll(values, v => (double)Math.Abs(v));

    private static float[] Transposed(float[] values, int rows, int columns) =>
        [.. Enumerable.Range(0, values.Length).Select(i => values[(i % rows * columns) + (i / rows)])];

    // A device whose products with packed factors are all done by the packed tile, and random numbers for it.
    private sealed class Bench : IDisposable
    {
        private readonly Random _random = new(3);

        public Bench(int splits = 1)
        {
            Driver = new WatchedDriver(new EmulatedDriver());
            Device = new CudaDevice(Driver, 0) { ForcedPlan = shape => GemmPlan.Split(GemmTile.Packed, shape.K, splits) };
        }

        public WatchedDriver Driver { get; }

        public CudaDevice Device { get; }

        public float[] Draw(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)_random.NextDouble() - 0.5f)];

        public Tensor Tensor(params int[] shape) => Device.StoreTensor(Draw(shape.Aggregate(1, (x, y) => x * y)), shape);

        public void Dispose() => Device.Dispose();
    }
}
