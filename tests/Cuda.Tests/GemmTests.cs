using Gradpath.Kernels;
using Gradpath.Kernels.Cuda;
using Gradpath.Kernels.Tests;
using Gradpath.PtxEmulator;
using Xunit.Abstractions;

namespace Gradpath.Cuda.Tests;

/// <summary>Every kernel of the matrix product against a float64 product (<see cref="GemmCase"/>), on the emulated GPU.</summary>
public sealed class GemmTests(ITestOutputHelper output)
{
    /// <summary>Every tile kernel: the arithmetic and the tile's place among its own.</summary>
    public static TheoryData<int, int> Tiles
    {
        get
        {
            TheoryData<int, int> data = [];
            foreach (GemmArithmetic arithmetic in Enum.GetValues<GemmArithmetic>())
            {
                for (int tile = 0; tile < GemmTile.Of(arithmetic).Length; tile++) data.Add((int)arithmetic, tile);
            }
            return data;
        }
    }

    // The sum of the shares' own products in their order, whoever adds them up: the tile's last block where there are few, else a kernel.
    [Theory]
    [MemberData(nameof(Tiles))]
    public void A_split_product_is_the_sum_of_its_shares_to_the_bit(int arithmetic, int index)
    {
        GemmTile tile = GemmTile.Of((GemmArithmetic)arithmetic)[index];
        (int m, int n, int depth) = (tile.Rows + 3, tile.Columns + 5, 32);
        foreach (int splits in (int[])[2, 17])
        {
            int k = (splits * depth) - 7;
            using CudaDevice device = Open(tile, splits);
            var random = new Random(splits);
            float[] Draw(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)random.NextDouble() - 0.5f)];
            using Tensor a = device.StoreTensor(Draw(m * k), m, k), b = device.StoreTensor(Draw(k * n), k, n);
            using Tensor bias = device.StoreTensor(Draw(n), n);
            float[] start = Draw(m * n);
            using Tensor c = device.StoreTensor(start, m, n), again = device.StoreTensor(start, m, n), share = device.Allocate(m, n);
            GemmPlan plan = GemmPlan.Split(tile, k, splits);
            bool few = splits * tile.Rows * tile.Columns <= GemmPlan.MostAddedInPlace;
            Assert.Equal((splits, few), (plan.Splits, plan.AddsInPlace(new GemmShape(m, n, k, 1))));
            device.Gemm(a.AsMatrix(), b.AsMatrix(), c.AsMatrix(), new GemmOptions(Accumulate: true, Bias: bias));
            device.Gemm(a.AsMatrix(), b.AsMatrix(), again.AsMatrix(), new GemmOptions(Accumulate: true, Bias: bias));
            device.ForcedPlan = shape => GemmPlan.Split(tile, shape.K, 1);
            float[] sums = new float[m * n];
            for (int s = 0; s < splits; s++)
            {
                (int from, int count) = (s * plan.Depth, Math.Min(plan.Depth, k - (s * plan.Depth)));
                device.Gemm(a.AsMatrix().SliceColumns(from, count), b.AsMatrix().SliceRows(from, count), share.AsMatrix());
                float[] values = share.ToArray();
                for (int i = 0; i < sums.Length; i++) sums[i] = s == 0 ? values[i] : sums[i] + values[i];
            }
            float[] biases = bias.ToArray();
            for (int i = 0; i < sums.Length; i++) sums[i] = sums[i] + biases[i % n] + start[i];
            Assert.Equal(sums, c.ToArray());
            Assert.Equal(sums, again.ToArray());
        }
    }

    // With what follows it in the same kernel, and with a kernel of its own: the plain product, many shares.
    [Theory]
    [MemberData(nameof(Tiles))]
    public void What_follows_a_product_has_the_bits_of_two_operations(int arithmetic, int index)
    {
        GemmTile tile = GemmTile.Of((GemmArithmetic)arithmetic)[index];
        int columns = tile.Columns;
        foreach ((int n, int splits) in ((int, int)[])[(columns + 8, 1), (columns + 5, 2), (columns + 8, 2), (columns + 8, 17)])
        {
            (int m, int factorRows, int k) = (2 * ((tile.Rows / 2) + 3), (tile.Rows / 2) + 3, splits * 32);
            using CudaDevice device = Open(tile, splits);
            var random = new Random(n);
            Tensor Draw(int rows, int columns) => device.StoreTensor(
                [.. Enumerable.Range(0, rows * columns).Select(_ => (float)random.NextDouble() - 0.5f)], rows, columns);
            using Tensor a = Draw(m, k), b = Draw(k, n), bias = Draw(1, n), factors = Draw(factorRows, n);
            using Tensor x = device.Allocate(m, n), output = device.Allocate(m, n);
            using Tensor plainX = device.Allocate(m, n), plainOutput = device.Allocate(m, n);
            device.GemmActivate(a.AsMatrix(), b.AsMatrix(), bias, ActivationFunction.GeluTanh, x, output);
            device.Gemm(a.AsMatrix(), b.AsMatrix(), plainX.AsMatrix(), new GemmOptions(Bias: bias));
            device.Activate(ActivationFunction.GeluTanh, plainX, (long)m * n, plainOutput);
            Assert.Equal(plainX.ToArray(), x.ToArray());
            Assert.Equal(plainOutput.ToArray(), output.ToArray());
            device.GemmMultiply(a.AsMatrix(), b.AsMatrix(), factors, factorRows, x);
            device.Gemm(a.AsMatrix(), b.AsMatrix(), plainX.AsMatrix());
            device.MultiplyRows(plainX, factors, m, factorRows, n);
            Assert.Equal(plainX.ToArray(), x.ToArray());
        }
    }

    [Theory]
    [MemberData(nameof(Tiles))]
    public void All_forms_with_strides_offsets_batches_accumulation_and_bias(int arithmetic, int index)
    {
        GemmTile tile = GemmTile.Of((GemmArithmetic)arithmetic)[index];
        using CudaDevice device = Open(tile, splits: 1);
        Random random = new(index);
        for (int form = 0; form < 4; form++)
        {
            for (int aligned = 0; aligned < 2; aligned++)
            {
                // Aligned: everything a multiple of four, so that the 16-byte copies run, with a rest of k and tiles at the edges.
                int unit = aligned == 1 ? 4 : 1;
                GemmCase shape = new()
                {
                    M = unit * ((tile.Rows / unit / 2 * random.Next(3)) + random.Next(1, 16 / unit)),
                    N = unit * ((tile.Columns / unit / 2 * random.Next(3)) + random.Next(1, 16 / unit)),
                    K = unit * (random.Next(1, 150) / unit + 1),
                    TransposeA = (form & 1) != 0,
                    TransposeB = (form & 2) != 0,
                    Accumulate = random.Next(2) == 1,
                    Batch = random.Next(2) + 1,
                    Pad = unit * random.Next(3),
                    Offset = unit * random.Next(3),
                    Seed = form,
                    FactorRounding = FactorRounding((GemmArithmetic)arithmetic),
                };
                shape.Bias = shape.Batch == 1;
                shape.Check(device);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Tiles))]
    public void A_split_inner_dimension(int arithmetic, int index)
    {
        GemmTile tile = GemmTile.Of((GemmArithmetic)arithmetic)[index];
        foreach (int splits in (int[])[2, 5])
        {
            using CudaDevice device = Open(tile, splits);
            double rounding = FactorRounding((GemmArithmetic)arithmetic);
            new GemmCase
            {
                M = 21,
                N = 35,
                K = 150,
                Bias = true,
                Accumulate = true,
                Pad = 1,
                Seed = splits,
                FactorRounding = rounding,
            }.Check(device);
            new GemmCase { M = 36, N = 20, K = 257, TransposeB = true, Batch = 3, Seed = splits, FactorRounding = rounding }.Check(device);
        }
    }

    [Theory]
    [MemberData(nameof(Tiles))]
    public void The_bits_depend_neither_on_the_run_nor_on_addresses_and_strides(int arithmetic, int index)
    {
        GemmTile tile = GemmTile.Of((GemmArithmetic)arithmetic)[index];
        using CudaDevice device = Open(tile, splits: 2);
        for (int form = 0; form < 4; form++)
        {
            float[]? first = null;
            foreach ((int pad, int offset) in ((int, int)[])[(0, 0), (0, 0), (4, 4), (3, 0), (0, 1)])
            {
                GemmCase shape = new()
                {
                    M = 36,
                    N = 40,
                    K = 72,
                    TransposeA = (form & 1) != 0,
                    TransposeB = (form & 2) != 0,
                    Bias = true,
                    Seed = 5,
                };
                float[] result = Compact(shape with { Pad = pad, Offset = offset }, device);
                first ??= result;
                Assert.Equal(first, result);
            }
        }
    }

    // What a tensor core is given is exactly the rounded factors: against their float64 product only the additions err.
    [Theory]
    [InlineData((int)GemmArithmetic.Tf32, 11)]
    [InlineData((int)GemmArithmetic.Bf16, 8)]
    public void Factors_are_rounded_to_nearest(int arithmetic, int significantBits)
    {
        const int m = 33, n = 40, k = 48;
        float[] a = Numbers.Draw(1, m * k), b = Numbers.Draw(2, k * n);
        double[] expected = Product(
            Array.ConvertAll(a, v => Round(v, significantBits)), Array.ConvertAll(b, v => Round(v, significantBits)), m, n, k);
        double[] exact = Product(Numbers.Wide(a), Numbers.Wide(b), m, n, k);
        double[] sizes = Product(Array.ConvertAll(a, v => (double)Math.Abs(v)), Array.ConvertAll(b, v => (double)Math.Abs(v)), m, n, k);
        foreach (GemmTile tile in GemmTile.Of((GemmArithmetic)arithmetic).ToArray())
        {
            foreach (bool transposed in (bool[])[false, true])
            {
                float[] result = Multiply(tile, a, b, m, n, k, transposed);
                double largest = 0;
                for (int i = 0; i < result.Length; i++)
                {
                    Assert.True(
                        Math.Abs(result[i] - expected[i]) <= k * Math.Pow(2, -23) * sizes[i], $"{tile}: {result[i]} is not {expected[i]}");
                    largest = Math.Max(largest, Math.Abs(result[i] - exact[i]) / sizes[i]);
                }
                double bound = FactorRounding((GemmArithmetic)arithmetic);
                Assert.InRange(largest, bound / 100, bound);
            }
        }
    }

    [Theory]
    [InlineData(1.0, 0.0)]
    [InlineData(0.5, 0.5)]
    [InlineData(1e-12, 0.0)]
    public void Three_products_err_no_more_than_float32(double spread, double centre)
    {
        const int m = 32, n = 32, k = 1536;
        float[] a = Numbers.Draw(3, m * k, spread, centre), b = Numbers.Draw(4, k * n, spread, centre);
        double[] exact = Product(Numbers.Wide(a), Numbers.Wide(b), m, n, k);
        double[] sizes = Product(Array.ConvertAll(a, v => (double)Math.Abs(v)), Array.ConvertAll(b, v => (double)Math.Abs(v)), m, n, k);
        (double rootOrdinary, double largestOrdinary) = Errors(Multiply(GemmTile.Of(GemmArithmetic.Ffma)[2], a, b, m, n, k, true));
        foreach (GemmArithmetic arithmetic in (GemmArithmetic[])[GemmArithmetic.Tf32x3, GemmArithmetic.Fp16x3])
        {
            (double root, double largest) = Errors(Multiply(GemmTile.Of(arithmetic)[2], a, b, m, n, k, true));
            output.WriteLine(
                $"{arithmetic}: error over sum |a b|, root mean square and largest: {root:G3} and {largest:G3}, "
                + $"of float32 {rootOrdinary:G3} and {largestOrdinary:G3}");
            Assert.True(root <= rootOrdinary, $"{arithmetic}: root mean square {root:G3} of sum |a b|, of float32 {rootOrdinary:G3}");
            Assert.True(largest <= largestOrdinary, $"{arithmetic}: largest {largest:G3} of sum |a b|, of float32 {largestOrdinary:G3}");
        }

        (double Root, double Largest) Errors(float[] result)
        {
            double[] errors = [.. result.Select((v, i) => Math.Abs(v - exact[i]) / sizes[i])];
            return (Math.Sqrt(errors.Average(e => e * e)), errors.Max());
        }
    }

    [Fact]
    public void The_plain_kernel_and_a_depth_of_zero()
    {
        using CudaDevice device = new(new EmulatedDriver(), 0) { ForcedPlan = shape => new GemmPlan(null, 1, shape.K) };
        for (int form = 0; form < 4; form++)
        {
            bool ta = (form & 1) != 0, tb = (form & 2) != 0;
            new GemmCase
            {
                M = 19,
                N = 37,
                K = 21,
                TransposeA = ta,
                TransposeB = tb,
                Accumulate = ta,
                Bias = true,
                Pad = 2,
                Offset = 1,
                Seed = form,
            }.Check(device);
            new GemmCase { M = 3, N = 17, K = 5, TransposeA = ta, TransposeB = tb, Accumulate = tb, Batch = 4, Seed = form }.Check(device);
            new GemmCase { M = 18, N = 5, K = 0, TransposeA = ta, TransposeB = tb, Accumulate = ta, Bias = tb, Pad = 3 }.Check(device);
        }
        foreach (GemmArithmetic arithmetic in (GemmArithmetic[])[GemmArithmetic.Tf32x3, GemmArithmetic.Fp16x3])
        {
            using CudaDevice tiles = Open(GemmTile.Of(arithmetic)[2], splits: 1);
            new GemmCase { M = 18, N = 5, K = 0, Accumulate = true, Bias = true, Pad = 3 }.Check(tiles);
        }
    }

    [Theory]
    [InlineData(MatrixPrecision.Float32, true)]
    [InlineData(MatrixPrecision.Float32, false)]
    [InlineData(MatrixPrecision.Tf32, true)]
    [InlineData(MatrixPrecision.BFloat16, true)]
    public void The_chosen_plan_by_the_options(MatrixPrecision precision, bool tensorCores)
    {
        using CudaDevice device = new(new EmulatedDriver(), 0, new CudaOptions { Precision = precision, TensorCores = tensorCores });
        double rounding = FactorRounding(device.Arithmetic);
        Assert.Equal(precision == MatrixPrecision.Float32, rounding == 0);
        new GemmCase { M = 40, N = 70, K = 600, TransposeB = true, Bias = true, FactorRounding = rounding }.Check(device);
        new GemmCase { M = 1, N = 200, K = 100, Accumulate = true, FactorRounding = rounding }.Check(device);
        new GemmCase { M = 5, N = 6, K = 7, FactorRounding = rounding }.Check(device);
    }

    // A grid holds 65,535 members in z, so that the rest goes into a second launch.
    [Fact]
    public void A_batch_of_more_members_than_a_grid_holds()
    {
        using CudaDevice device = new(new EmulatedDriver(new EmulatorOptions { Races = false }), 0);
        new GemmCase { M = 1, N = 1, K = 2, Batch = 65_540, Accumulate = true, Pad = 1, Seed = 1 }.Check(device);
    }

    private static CudaDevice Open(GemmTile tile, int splits, EmulatorOptions? options = null) =>
        new(new EmulatedDriver(options ?? new EmulatorOptions()), 0)
        {
            Arithmetic = tile.Arithmetic,
            ForcedPlan = shape => GemmPlan.Split(tile, shape.K, splits),
        };

    // The bounds that kernels/GemmMma.cuh states.
    private static double FactorRounding(GemmArithmetic arithmetic) => arithmetic switch
    {
        GemmArithmetic.Bf16 => Math.Pow(2, -7) + Math.Pow(2, -16),
        GemmArithmetic.Tf32 => Math.Pow(2, -10) + Math.Pow(2, -22),
        _ => 0,
    };

    // C without the padding, so that different strides can be compared.
    private static float[] Compact(GemmCase shape, CudaDevice device)
    {
        int k = shape.K, pad = shape.Pad, offset = shape.Offset;
        using Tensor a = Store(Numbers.Draw(shape.Seed, shape.M * k), shape.TransposeA ? k : shape.M, out Matrix left);
        using Tensor b = Store(Numbers.Draw(shape.Seed + 1, k * shape.N), shape.TransposeB ? shape.N : k, out Matrix right);
        using Tensor c = Store(new float[shape.M * shape.N], shape.M, out Matrix result);
        using Tensor bias = device.StoreTensor(Numbers.Draw(7, shape.N), shape.N);
        device.Gemm(shape.TransposeA ? left.T : left, shape.TransposeB ? right.T : right, result, new GemmOptions(Bias: bias));
        float[] all = new float[c.Length];
        device.Download(c, all);
        return [.. Enumerable.Range(0, shape.M * shape.N).Select(i => all[offset + (i / shape.N * result.Stride) + (i % shape.N)])];

        Tensor Store(float[] values, int rows, out Matrix view)
        {
            int columns = values.Length / rows;
            float[] padded = new float[offset + (rows * (columns + pad))];
            for (int i = 0; i < values.Length; i++) padded[offset + (i / columns * (columns + pad)) + (i % columns)] = values[i];
            Tensor tensor = device.StoreTensor(padded, padded.Length);
            view = new Matrix(tensor, offset, rows, columns, columns + pad);
            return tensor;
        }
    }

    internal static float[] Multiply(
        GemmTile tile, float[] a, float[] b, int m, int n, int k, bool transposedB, EmulatorOptions? options = null)
    {
        if (tile.IsPacked && k % 4 != 0)
        {
            // Rows of A that start at multiples of 16 bytes.
            int whole = (k + 3) / 4 * 4;
            float[] wide = new float[m * whole], high = new float[whole * n];
            for (int i = 0; i < m; i++) a.AsSpan(i * k, k).CopyTo(wide.AsSpan(i * whole));
            b.CopyTo(high.AsSpan());
            return Multiply(tile, wide, high, m, n, whole, transposedB, options);
        }
        using CudaDevice device = Open(tile, splits: 1, options);
        float[] stored = b;
        if (transposedB)
        {
            stored = new float[b.Length];
            for (int i = 0; i < b.Length; i++) stored[(i % n * k) + (i / n)] = b[i];
        }
        using Tensor left = device.StoreTensor(a, m, k);
        using Tensor right = device.StoreTensor(stored, transposedB ? [n, k] : [k, n]);
        using Tensor result = device.Allocate(m, n);
        Matrix factor = transposedB ? right.AsMatrix().T : right.AsMatrix();
        using IDisposable? packed = tile.IsPacked ? device.PackFactors([factor]) : null;
        device.Gemm(left.AsMatrix(), factor, result.AsMatrix());
        float[] values = new float[m * n];
        device.Download(result, values);
        return values;
    }

    internal static double[] Product(double[] a, double[] b, int m, int n, int k)
    {
        double[] c = new double[m * n];
        for (int i = 0; i < m; i++)
        {
            for (int d = 0; d < k; d++)
            {
                for (int j = 0; j < n; j++) c[(i * n) + j] += a[(i * k) + d] * b[(d * n) + j];
            }
        }
        return c;
    }

    // To so many significant bits, to nearest; random numbers are never half way.
    private static double Round(float value, int significantBits)
    {
        double unit = Math.Pow(2, Math.ILogB(value) - significantBits + 1);
        return Math.Round(value / unit) * unit;
    }
}
